/** The report's style sheet: light and dark by the reader's setting, one column on a phone, ink-saving on paper. */

/** Colours told apart by people with any colour vision (after Okabe & Ito 2008), each with a twin for dark pages. */
const LIGHT = ["#0067a5", "#c2410c", "#00795c", "#8a3b8f", "#a16207", "#0e7490", "#b91c1c", "#52525b"];
const DARK = ["#62b6f0", "#f59c68", "#4cc9a4", "#d99be0", "#e3b341", "#5bc8dc", "#f58080", "#b4b4bd"];

const variables = (colours: string[]) => colours.map((colour, i) => `--c${i}:${colour}`).join(";");
const each = (rule: (i: number) => string) => LIGHT.map((_, i) => rule(i)).join("\n");

const light = `color-scheme:light; --paper:#fff; --card:#f6f8fa; --ink:#17202a; --quiet:#57626e; --rule:#d9dfe5; --good:#00704f; --bad:#b42318; --warn:#8a5a00; --goal:#e3f3ec; ${variables(LIGHT)}`;
const dark = `color-scheme:dark; --paper:#0f1318; --card:#181e25; --ink:#e8ecf0; --quiet:#9ba8b5; --rule:#313b46; --good:#4cc9a4; --bad:#ff8f86; --warn:#e3b341; --goal:#16302a; ${variables(DARK)}`;

export const STYLE = `
:root { ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing:border-box }
html { -webkit-text-size-adjust:100%; scroll-behavior:smooth; scroll-padding-top:3.2rem }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior:auto } }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
main { max-width:1160px; margin:0 auto; padding:1.6rem 1.2rem 5rem }
h1 { font-size:2rem; line-height:1.15; margin:.1rem 0 .5rem; letter-spacing:-.015em; text-wrap:balance }
h2 { font-size:1.4rem; letter-spacing:-.01em; margin:3.2rem 0 .5rem; padding-top:1.1rem; border-top:1px solid var(--rule) }
h3 { font-size:1.06rem; margin:1.8rem 0 .4rem }
p { max-width:74ch; margin:.5rem 0 }
.lead { font-size:1.06rem }
.small { font-size:.87rem } .quiet { color:var(--quiet) }
a { color:var(--c0); text-underline-offset:.15em }
a:focus-visible, summary:focus-visible, button:focus-visible, select:focus-visible, input:focus-visible { outline:2px solid var(--c0); outline-offset:2px }
code, pre { font:.86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { overflow-wrap:anywhere }
pre { background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.8rem; overflow:auto; max-height:30rem }
nav { position:sticky; top:0; z-index:1; display:flex; gap:.2rem 1.2rem; overflow-x:auto; font-size:.93rem; margin:1.2rem -1.2rem 0; padding:.65rem 1.2rem; background:var(--paper); border-bottom:1px solid var(--rule); scrollbar-width:none }
nav a { white-space:nowrap; text-decoration:none } nav a:hover { text-decoration:underline }
.notice { border-left:4px solid var(--c4); background:var(--card); padding:.6rem .9rem; border-radius:0 8px 8px 0; max-width:none }
.wide { overflow-x:auto }
table { border-collapse:collapse; font-size:.92rem }
th, td { text-align:left; padding:.36rem .7rem; border-bottom:1px solid var(--rule); vertical-align:top }
thead th { border-bottom:2px solid var(--rule); white-space:nowrap; font-weight:600; font-size:.86rem; color:var(--quiet) }
td.number, th.number { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap }
tbody th { font-weight:500 }
td.id { overflow-wrap:anywhere; min-width:14rem }
td.versus { white-space:nowrap; font-variant-numeric:tabular-nums }
td.link { white-space:nowrap }
tr.baseline td { color:var(--quiet) }
nav + section h2 { border-top:0; margin-top:1rem }
.mark.better, .good { color:var(--good) } .mark.worse, .lost-count { color:var(--bad) } .mark.within-noise { color:var(--quiet) }
figure { margin:.8rem 0; background:var(--card); border:1px solid var(--rule); border-radius:10px; padding:.9rem; min-width:0 }
figcaption { font-weight:600; font-size:.95rem; margin-bottom:.4rem }
svg { display:block; width:100%; height:auto; overflow:visible }
.charts { display:grid; grid-template-columns:repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap:0 1rem; align-items:start }
.charts.three { grid-template-columns:repeat(auto-fit, minmax(min(100%, 17rem), 1fr)) }
.grid { stroke:var(--rule); stroke-width:1 }
.axis { stroke:var(--quiet); stroke-width:1.2 }
.tick { fill:var(--quiet); font-size:12px }
.label { fill:var(--quiet); font-size:13px }
.row, .value { font-size:13.5px } .row { fill:var(--ink) } .value { fill:var(--ink); font-variant-numeric:tabular-nums }
.line { fill:none; stroke-width:2; stroke-linejoin:round } .line.faint { stroke-width:1.1; opacity:.55 }
.line.dashed { stroke-dasharray:6 4 }
.band { opacity:.14 }
.whisker { stroke-width:4; opacity:.5; stroke-linecap:round } .whisker.thin { stroke-width:2; opacity:.4 }
.seed { fill:none; stroke-width:1.4; opacity:.8 }
.reference { stroke:var(--quiet); stroke-width:1.5; stroke-dasharray:4 3 }
.arrow { fill:none; stroke:var(--quiet); stroke-width:1.3; opacity:.7 } .tip { fill:var(--quiet) }
.legend { margin:.1rem 0 .4rem; font-size:.86rem; color:var(--quiet) }
.key { margin-right:.9rem; display:inline-block }
.key::before { content:""; display:inline-block; width:1.3em; margin-right:.4em; vertical-align:.25em; border-top:3px solid currentColor }
.key.dashed::before { border-top-style:dashed }
.claims { display:grid; grid-template-columns:repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap:1rem; margin:1rem 0 }
.claim { background:var(--card); border:1px solid var(--rule); border-top:4px solid var(--quiet); border-radius:10px; padding:.9rem 1rem }
.claim.met { border-top-color:var(--good) } .claim.missed { border-top-color:var(--bad) }
.claim h3 { margin:0 0 .4rem; font-size:1rem; line-height:1.35 }
.claim p { margin:.25rem 0 }
.verdict { display:flex; align-items:center; justify-content:space-between; gap:.6rem }
.big { font-size:1.5rem; letter-spacing:-.01em; font-variant-numeric:tabular-nums }
.pill { display:inline-block; font-size:.78rem; font-weight:600; padding:.1rem .55rem; border-radius:1rem; border:1px solid currentColor; white-space:nowrap; color:var(--quiet) }
.pill.good { color:var(--good) } .pill.bad { color:var(--bad) } .pill.warn { color:var(--warn) }
.effect { margin:.2rem 0 } .effect .tick { font-size:15px }
.effect .goal { fill:var(--goal) } .effect .whisker { stroke:var(--bad); stroke-width:6 } .effect .point { fill:var(--bad) } .effect .seed { stroke:var(--bad) }
.effect.yes .whisker { stroke:var(--good) } .effect.yes .point { fill:var(--good) } .effect.yes .seed { stroke:var(--good) }
.stack { display:flex; height:1.7rem; border-radius:5px; overflow:hidden; gap:1px; margin:.2rem 0 .7rem } .stack span { min-width:2px; flex-basis:0 }
.parts { list-style:none; margin:0; padding:0; font-size:.89rem } .parts li { display:flex; gap:.5rem; align-items:baseline; padding:.12rem 0; flex-wrap:wrap } .parts .name { flex:1; overflow-wrap:anywhere; min-width:6rem }
.swatch { width:.75em; height:.75em; border-radius:3px; flex:none }
.columns { display:flex; gap:2px; height:7.5rem; align-items:stretch } .columns div { flex:1; min-width:0 } .columns span { border-radius:2px 2px 0 0; min-height:1px } .columns small { height:1.2rem; font-size:.74rem; color:var(--quiet); white-space:nowrap }
.columns div { display:grid; grid-template-rows:1fr 1.2rem; align-items:end }
.bars table { width:100%; table-layout:fixed }
.bars th { width:30%; overflow-wrap:anywhere; font-weight:500; font-size:.89rem }
.bars td.number { width:22%; text-align:left; white-space:normal; font-size:.89rem }
.bars td, .bars th { border:0; padding:.16rem .4rem } .bars td { vertical-align:middle }
.fill { height:.9rem; border-radius:3px; min-width:2px }
.flow { display:flex; height:.9rem; border-radius:3px; overflow:hidden } .flow .lost { background:repeating-linear-gradient(45deg, var(--bad) 0 2px, transparent 2px 5px); opacity:.75 }
.tree, .tree ol { list-style:none; padding:0; margin:0 } .tree ol { margin-left:.9rem; padding-left:.9rem; border-left:2px solid var(--rule) } .tree li { padding-top:.5rem }
.tree .stage { display:flex; flex-direction:column; gap:.05rem; width:fit-content; max-width:100%; background:var(--paper) }
.pipeline { display:grid; grid-template-columns:repeat(auto-fill, minmax(13.5rem, 1fr)); gap:.8rem; list-style:none; padding:0; margin:1rem 0 }
.stage { background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.5rem .8rem }
.stage b { overflow-wrap:anywhere }
.stage dl { display:grid; grid-template-columns:1fr auto; gap:0 .6rem; margin:.3rem 0 0; font-size:.86rem }
.stage dt { color:var(--quiet) } .stage dd { margin:0; text-align:right; font-variant-numeric:tabular-nums }
.facts { display:grid; grid-template-columns:repeat(auto-fit, minmax(8.2rem, 1fr)); gap:.8rem 1.4rem; margin:1.2rem 0 }
.facts b { display:block; font-size:1.6rem; line-height:1.15; letter-spacing:-.015em; font-variant-numeric:tabular-nums } .facts span { color:var(--quiet); font-size:.86rem }
details { margin:.55rem 0 } summary { cursor:pointer }
.paper { border:1px dashed var(--quiet); border-radius:10px; padding:.7rem 1rem; margin:1.6rem 0 } .paper summary { font-weight:600 }
.text { white-space:pre-wrap; overflow-wrap:anywhere }
${each((i) => `.c${i}{color:var(--c${i})} .s${i}{stroke:var(--c${i})} .f${i}{fill:var(--c${i})} .b${i}{background:var(--c${i})} text.c${i}{fill:var(--c${i})}`)}
@media (max-width: 38rem) { body { font-size:15.5px } main { padding:1rem .8rem 4rem } h1 { font-size:1.55rem } h2 { font-size:1.25rem; margin-top:2.4rem } nav { margin:1rem -.8rem 0; padding:.6rem .8rem } th, td { padding:.3rem .45rem } figure { padding:.65rem } .tick { font-size:15.5px } .label { font-size:16.5px } .row, .value { font-size:17px } .effect .tick { font-size:17px } .facts b { font-size:1.35rem } .facts { grid-template-columns:repeat(auto-fit, minmax(6.8rem, 1fr)) } .bars th { width:40% } .bars td.number { width:32% } }
@media print { @page { margin:14mm } html { font-size:9.5pt } :root { ${light} } body { font-size:9.5pt } thead th { font-size:inherit; white-space:normal } main { max-width:none; padding:0 } nav, .screen { display:none } h2 { break-after:avoid; margin-top:1.4rem } h3, figcaption { break-after:avoid } figure, .claim, .stage, tr, .facts { break-inside:avoid } .charts, .claims { grid-template-columns:1fr 1fr } .charts.three { grid-template-columns:1fr 1fr 1fr } .wide { overflow:visible } table { font-size:8pt } .results { font-size:7pt } .results td, .results th { white-space:normal; padding:.12rem .25rem } .results .link, .results th:last-child { display:none } th, td { padding:.15rem .3rem } a { color:inherit; text-decoration:none } pre { max-height:none; white-space:pre-wrap } * { -webkit-print-color-adjust:exact; print-color-adjust:exact } }
`;
