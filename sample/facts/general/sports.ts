import { everydayThings } from "./entity-table.ts";

/** Sports and games. `aim` belongs to one sport only; `side` counts those who play together. */
export const sports = everydayThings(
  "sport",
  ["aim", "gear", "ground", "side", "term"],
  `
soccer | kicking a ball into a net | shin guards and cleats | a large grass pitch | eleven players | a corner kick | field/ball/offside
basketball | throwing a ball through a hoop | sneakers and a loose vest | a wooden indoor court | five players | a slam dunk | hall/sneakers
volleyball | batting a ball over a high net | knee pads | a court cut in two | six players | a spike at the net | hall/ball/court
handball | throwing goals past a keeper | a small sticky ball | a long indoor hall | seven players | a seven-meter penalty | court/indoor
rugby union | carrying an oval ball over a line | a gum shield | a field with tall H-shaped posts | fifteen players | a scrum | oval/pitch/try/cleats
American football | gaining ten yards in four downs | a helmet and shoulder pads | a gridiron | eleven players | a touchdown | oval/field/eleven/cleats/pitch
baseball | batting and running around bases | a wooden bat and leather glove | a diamond | nine players | a home run | field/cap
cricket | guarding the wicket | a flat willow bat and pads | an oval with a mown strip | eleven players | a googly | field/pitch/wicket/eleven/helmet
ice hockey | shooting a puck | skates and a long stick | a rink with boards | six players | a face-off | helmet/pads/gum
field hockey | driving a hard ball along the turf | a curved stick | a watered green carpet | eleven players | a penalty corner | shin/field/pitch/eleven/corner/gum
tennis | hitting a ball over a low net | a strung racket | a clay or lawn court | one player or a pair | a deuce | ace/one/pair/court
table tennis | bouncing a celluloid ball past a rival | a rubber-faced bat | a small green playing surface | one player or a pair | a topspin loop | one/pair/deuce/two
badminton | hitting a feathered shuttle across a net | a light whippy racket | an indoor court with a mesh net | one player or a pair | a drop shot | racket/hall/court/one/pair/deuce
squash | driving a small ball against a wall | goggles and a narrow racket | a walled room | one player | a let | court/one/drop/indoor
golf | sinking a tiny ball in few strokes | a bag of clubs | eighteen holes of turf | one athlete | a birdie | grass/one/cap
archery | hitting the middle of a target | a bow and arrows | a shooting range | one athlete | a full draw | one
fencing | touching a rival with a blade | a mesh mask and foil | a narrow metal strip | one athlete | a parry | gloves/one
judo | throwing a rival on the back | a white jacket with a belt | a straw mat | one athlete | an ippon | one/mat
boxing | landing punches | padded gloves | a roped ring | one athlete | an uppercut | gum/one/ring
wrestling | pinning both shoulders | a tight singlet | a padded circle | one athlete | a takedown | mat/one/throw
swimming | racing by strokes through water | goggles and a cap | a pool with lanes | one athlete or a relay | a flip turn | one/pool
water polo | throwing goals while afloat | a cap with ear guards | a deep pool | seven players | an eggbeater kick | seven/ball/pool/cap
rowing | pulling a boat backward to the finish | long oars | a regatta lake | a crew of up to nine | a catch and drive | boat/one/pair/two
surfing | riding breaking waves | a waxed board | an ocean beach | one athlete | a barrel | one/board
Alpine skiing | racing downhill between gates | ski poles and hard boots | a snowy slope | one athlete | a slalom | one/helmet/goggles/ski
figure skating | spinning and leaping to music | picked blades | a smooth indoor rink | one athlete or a couple | an axel | one/pair/skates/ice/two
curling | sliding granite stones to a target | a broom and special shoes | a pebbled ice sheet | four players | the hammer at the end | ice/four
marathon running | covering forty-two kilometers on foot | light cushioned shoes | city streets | one athlete | the wall near the end | one/road
chess | checkmating a king | carved kings and pawns | a board of sixty-four squares | one player | castling | one/board
bowling | knocking down ten pins | a heavy ball with finger holes | a polished lane | one athlete | a strike | one/ball/team
snooker | potting colored balls | a cue and chalk | a cloth-covered slate table | one player | a century break | one/table
polo | hitting a ball from horseback | a long mallet and a pony | a huge lawn | four riders | a chukka | helmet/grass/field/four/lawn
`,
);
