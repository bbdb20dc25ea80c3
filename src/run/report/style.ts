/** The report's style sheet: light and dark by the reader's setting, one column on a phone, ink-saving on paper. */

/** Colours told apart by people with any colour vision (after Okabe & Ito 2008), each with a twin for dark pages. */
const LIGHT = ["#0067a5", "#c2410c", "#00795c", "#8a3b8f", "#a16207", "#0e7490", "#b91c1c", "#52525b"];
const DARK = ["#62b6f0", "#f59c68", "#4cc9a4", "#d99be0", "#e3b341", "#5bc8dc", "#f58080", "#b4b4bd"];

const variables = (colours: string[]) => colours.map((colour, i) => `--c${i}:${colour}`).join(";");
const each = (rule: (i: number) => string) => LIGHT.map((_, i) => rule(i)).join("\n");

export const STYLE = `
:root { color-scheme: light; --paper:#fff; --card:#f6f7f9; --ink:#17202a; --quiet:#5b6672; --rule:#d8dde3; --good:#00795c; --bad:#b42318; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --paper:#12161b; --card:#1b2128; --ink:#e8ecf0; --quiet:#9aa6b2; --rule:#333c46; --good:#4cc9a4; --bad:#f58080; ${variables(DARK)} } }
@media print { :root { color-scheme: light; --paper:#fff; --card:#fff; --ink:#000; --quiet:#444; --rule:#bbb; ${variables(LIGHT)} } nav, .screen { display:none } section { break-inside:auto } figure, .stage, tr { break-inside:avoid } details > summary { list-style:none } a { color:inherit } }
* { box-sizing:border-box }
html { -webkit-text-size-adjust:100% }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width:1080px; margin:0 auto; padding:1.5rem 1.1rem 4rem }
h1 { font-size:1.7rem; line-height:1.2; margin:.2rem 0 .4rem }
h2 { font-size:1.25rem; margin:2.6rem 0 .6rem; padding-top:.6rem; border-top:1px solid var(--rule) }
h3 { font-size:1.02rem; margin:1.4rem 0 .4rem }
p { max-width:70ch }
a { color:var(--c0) }
code, pre { font:0.86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { background:var(--card); border:1px solid var(--rule); border-radius:6px; padding:.8rem; overflow-x:auto; max-height:30rem }
nav { display:flex; flex-wrap:wrap; gap:.2rem 1rem; font-size:.92rem; margin:.8rem 0 }
.quiet { color:var(--quiet) }
.notice { border-left:4px solid var(--c4); background:var(--card); padding:.5rem .8rem; border-radius:0 6px 6px 0 }
.yes { color:var(--good) } .no { color:var(--bad) }
.wide { overflow-x:auto }
table { border-collapse:collapse; font-size:.93rem }
th, td { text-align:left; padding:.3rem .7rem; border-bottom:1px solid var(--rule); vertical-align:top }
thead th { border-bottom:2px solid var(--rule); white-space:nowrap; font-weight:600 }
td.number, th.number { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap }
tbody th { font-weight:500 }
tr.baseline td, tr.baseline th { color:var(--quiet) }
figure { margin:1rem 0; background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.8rem }
figcaption { font-weight:600; font-size:.95rem; margin-bottom:.3rem }
svg { display:block; width:100%; height:auto }
.charts { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap:0 1rem }
.grid { stroke:var(--rule); stroke-width:1 }
.axis { stroke:var(--quiet); stroke-width:1 }
.tick { fill:var(--quiet); font-size:11.5px }
.label { fill:var(--quiet); font-size:12.5px }
.row, .value { fill:var(--ink); font-size:13px }
.line { fill:none; stroke-width:1.8; stroke-linejoin:round }
.line.dashed { stroke-dasharray:6 4 }
.whisker { stroke-width:3; opacity:.55; stroke-linecap:round }
.reference { stroke:var(--quiet); stroke-width:1.5; stroke-dasharray:3 3 }
.legend { margin:.1rem 0 .3rem; font-size:.85rem; color:var(--quiet) }
.key { margin-right:.8rem; white-space:nowrap }
.key::before { content:""; display:inline-block; width:1.3em; margin-right:.4em; vertical-align:.25em; border-top:3px solid currentColor }
.key.dashed::before { border-top-style:dashed }
.bars table { width:100%; table-layout:fixed }
.bars th { width:28%; overflow-wrap:anywhere; font-weight:500 }
.bars td.number { width:36%; text-align:left; white-space:normal }
.bars td, .bars th { border:0; padding:.18rem .4rem }
.bar { vertical-align:middle }
.fill { height:.85rem; border-radius:3px; min-width:2px }
.pipeline { display:grid; grid-template-columns:repeat(auto-fill, minmax(13.5rem, 1fr)); gap:.8rem; list-style:none; padding:0; margin:1rem 0 }
.stage { background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.6rem .8rem; position:relative }
.stage b { display:block; overflow-wrap:anywhere }
.stage dl { display:grid; grid-template-columns:1fr auto; gap:0 .6rem; margin:.3rem 0 0; font-size:.86rem }
.stage dt { color:var(--quiet) } .stage dd { margin:0; text-align:right; font-variant-numeric:tabular-nums }
.facts { display:flex; flex-wrap:wrap; gap:.6rem 2rem; margin:1rem 0 }
.facts div { min-width:7rem } .facts b { display:block; font-size:1.35rem; line-height:1.2; font-variant-numeric:tabular-nums }
.facts span { color:var(--quiet); font-size:.86rem }
details { margin:.5rem 0 } summary { cursor:pointer }
.text { white-space:pre-wrap; overflow-wrap:anywhere }
${each((i) => `.c${i}{color:var(--c${i})} .s${i}{stroke:var(--c${i})} .f${i}{fill:var(--c${i})} .b${i}{background:var(--c${i})}`)}
@media (max-width: 36rem) { body { font-size:15px } main { padding:1rem .7rem 3rem } th, td { padding:.28rem .45rem } figure { padding:.5rem } .tick, .label { font-size:18px } .row, .value { font-size:20px } .bars th { width:34% } }
`;
