import { everydayThings } from "./entity-table.ts";

/** Household and workshop things. `use` belongs to one object only. */
export const objects = everydayThings(
  "object",
  ["use", "material", "place", "part", "partner"],
  `
hammer | driving nails into wood | steel with a wooden handle | the toolbox | a heavy head | a pair of pincers | tool/metal/garage/workshop
handsaw | cutting planks | a toothed steel blade | the carpenter's bench | sharp teeth | a sawhorse | workshop/tool/garage/wood
screwdriver | tightening slotted fasteners | a steel shaft with plastic grip | the workshop drawer | a flat or crossed tip | a box of spare bits | tool/garage/workshop/metal
ladder | reaching high places | light aluminum | the garage wall | rungs | a steady helper | wood/garage/metal/workshop/shed
umbrella | keeping off the rain | nylon cloth on ribs | the hallway stand | folding ribs | a raincoat | fabric/hall/metal/handle
candle | giving light without electricity | wax | the dinner table | a wick | matches | table/drawer
pillow | resting the head at night | feathers or foam | the bed | a soft cover | a blanket | bedroom/cotton/sofa
blanket | staying warm in bed | woven wool | the linen cupboard | a stitched hem | a mattress | bed/cotton/pillow/sheet
broom | sweeping the floor | straw bristles | the kitchen corner | stiff bristles | a dustpan | cupboard/handle/wood
mop | wiping floors with water | absorbent cotton strings | the cleaning closet | a string head | a bucket | cupboard/handle/corner/kitchen
kettle | boiling water | stainless steel | the stove | a spout | a teabag | kitchen/handle/lid/metal/teapot
teapot | brewing tea leaves | glazed porcelain | the tea tray | a small lid | a cup | kitchen/handle/spout/ceramic/clay/table/kettle
frying pan | cooking eggs in butter | cast iron | a hook above the cooker | a long flat handle | a spatula | kitchen/steel/metal/stove/handle
oven mitt | lifting hot dishes | quilted cotton | a hook by the stove | a thumb pocket | a baking tray | kitchen/cloth/fabric
bread knife | slicing loaves | serrated steel | a wooden block | a wavy edge | a cutting board | kitchen/blade/teeth/metal/drawer
whisk | beating egg whites | looped wire | the utensil jar | wire loops | a mixing bowl | kitchen/steel/metal/drawer/handle
refrigerator | keeping food cold | insulated metal panels | the kitchen | a cooling compressor | a freezer | steel/door/shelf
toothbrush | cleaning teeth | plastic with nylon bristles | the bathroom cup | a small brush head | mint paste | bathroom/bristles/handle
comb | untangling hair | molded plastic | the dressing table | a row of fine teeth | a mirror | bathroom/teeth/hair/wood
bar of soap | washing hands | fat and lye | the washbasin | a foamy surface | warm water | bathroom/sink/towel
towel | drying the body | looped cotton terry | the bathroom rail | a hanging loop | a bathtub | cotton/bathroom/soap/cloth
mirror | seeing one's own face | silvered glass | above the sink | a reflective surface | a comb for hair | bathroom/wall/glass/frame/comb
window pane | letting in daylight | clear glass | the outer wall | a transparent sheet | curtains | glass/frame
curtain | blocking light from outside | heavy fabric | the window | rings on a rail | a pole above the pane | cloth/cotton/pane/bedroom/hem
bookshelf | storing novels | varnished oak | the study | level boards | a reading lamp | wood/library/home/plank/wall
pencil | writing words that can be erased | graphite in cedar wood | the school case | a gray core | a rubber | wood/desk/tip
pair of scissors | cutting paper | two joined steel blades | the sewing basket | finger rings | a glue stick | drawer/blade/kitchen/steel/desk
needle | sewing cloth | thin polished steel | a pincushion | a tiny eye | thread | sewing/tip/steel/metal/point
wristwatch | telling the time | a case of steel and glass | the lower arm | ticking hands | a leather strap | metal/glass/gold/strap
compass | finding north | a magnetized needle in brass | the hiker's pocket | a swinging needle | a map | metal/backpack/needle
telescope | looking at the stars | a tube with curved lenses | the observatory dome | an eyepiece lens | a tripod | glass/lens/metal
microscope | looking at cells | precision glass optics | the laboratory | an objective lens | glass slides | lens/glass/metal/school/eyepiece
thermometer | measuring fever | glass with colored alcohol | the medicine cabinet | a printed scale | a patient chart | glass/bathroom/mercury/kitchen
stethoscope | listening to the heart | rubber tubing | around a doctor's neck | two earpieces | a blood pressure cuff | plastic/metal/clinic/hospital
spade | digging soil | forged steel with ash shaft | the garden shed | a broad flat blade | a wheelbarrow | garden/metal/wood/handle/blade
watering can | sprinkling plants | galvanized tin | the greenhouse | a rose nozzle | potted flowers | garden/metal/handle/plastic/shed/spout/can
bicycle | riding on two wheels | a tubular metal frame | the bike rack | pedals and chain | a helmet | steel/aluminum/garage/metal/shed/street/wheel
tent | sleeping outdoors | waterproof canvas | the campsite | poles and pegs | a camping stove | nylon/garage/fabric/cloth/loft
backpack | carrying schoolbooks | tough polyester | the coat hook | two shoulder straps | a lunch box | nylon/cloth/fabric/school/canvas/book/strap
piano | playing chords with ten fingers | spruce soundboard and strings | the music room | black and white keys | sheet music | wood/steel/concert/living
violin | playing melodies with a bow | carved maple | a padded case | four strings | a horsehair bow | wood/spruce/sheet/music/concert
drum | beating a rhythm | stretched skin | the stage | a round shell | two sticks | wood/music/metal/plastic
`,
);
