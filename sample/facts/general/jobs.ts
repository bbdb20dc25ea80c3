import { everydayThings } from "./entity-table.ts";

/** Occupations. `task` belongs to one job only. */
export const jobs = everydayThings(
  "job",
  ["task", "tool", "workplace", "material", "clothing"],
  `
baker | makes bread before dawn | a hot oven | a warm shop with shelves of loaves | flour and yeast | a white apron | kitchen/dough/sugar
butcher | cuts meat for customers | a cleaver | a cold counter with hooks | beef and pork | a striped apron | knife/apron/shop
carpenter | builds wooden furniture | a plane and chisel | the joinery shop | oak and pine boards | a leather tool belt | saw/hammer/wood/workshop/site/nail
blacksmith | shapes glowing iron | an anvil and hammer | the forge | bars and horseshoes | a thick leather apron | hammer/steel/apron/workshop/tongs/gloves
plumber | repairs leaking pipes | a pipe wrench | flooded bathrooms | copper pipe | waterproof knee pads | spanner/boots/kitchen
electrician | connects lights and sockets | a voltage tester | the fuse box | insulated wire | rubber-soled shoes | screwdriver/copper/pliers/site/gloves/boots
bricklayer | builds walls | a trowel | the scaffold | clay blocks and mortar | a hard hat | boots/cement/level/gloves
painter and decorator | colors walls and ceilings | a roller | empty rooms | emulsion and varnish | splashed overalls | ladder/brush/house/wall
tailor | sews suits to order | a yellow tape | the fitting room | cloth and thread | a neat waistcoat | scissors/needle/sewing/shop/fabric
shoemaker | repairs worn soles | an awl and last | the cobbler's shop | tanned leather | a waxed apron | hammer/needle/rubber/apron/workshop/thread
farmer | grows wheat and keeps cattle | a tractor | the fields | seed and fertilizer | rubber boots | barn/hay/plow/soil/overalls
gardener | prunes roses and mows lawns | pruning shears | the park | compost and bulbs | a straw hat | spade/boots/soil/seed/garden/hat/mower
fisherman | brings in the morning catch | a trawling net | the harbor | bait and line | yellow oilskins | boat/boots/sea/rope/fish
shepherd | guards the flock | a crook | upland pasture | sheep and fodder | a warm woolen cloak | dog/field/hill/boots/wool/hat
beekeeper | collects honey | a smoker | the apiary | wax frames | a veil | gloves/hive/garden/honey
miner | digs coal underground | a drill | the pit | seams and ore | a helmet with lamp | pick/boots/overalls/helmet/rock
firefighter | puts out burning buildings | a water hose | the fire station | water and foam | a heatproof uniform | ladder/axe/helmet/boots
police officer | keeps order in the street | a radio and handcuffs | the precinct | written statements | a dark blue uniform | badge/street/car/patrol
judge | gives verdicts | a gavel | the courtroom | laws and evidence | a black robe | court
teacher | explains lessons to pupils | a blackboard | the classroom | textbooks | tidy everyday clothes | school/book/chalk/paper/pen
librarian | lends out books | a catalog | the hall of silent shelves | printed volumes | a quiet cardigan | book/computer/paper/textbook
scientist | tests hypotheses by experiment | a microscope | the research laboratory | samples and chemicals | a white lab coat | coat/computer/university/test
astronomer | studies distant galaxies | a large telescope | the mountain observatory | starlight data | a thick night jacket | computer/university/sample
pharmacist | prepares prescribed medicines | a pill counter | the shop with the green cross | tablets and syrups | a clean white tunic | coat/hospital/chemical/scale
nurse | cares for patients on the ward | a thermometer and chart | the bedside | bandages | a pale blue tunic | watch/syringe/uniform/medicine/gloves/clinic
dentist | fills decayed teeth | a small angled mirror | the dental clinic | filling resin | a face mask | drill/gloves/coat/amalgam
veterinarian | treats sick animals | a stethoscope for pets | the clinic for pets | vaccines and worming pills | green scrubs | syringe/stethoscope/farm/gloves/coat/bandage/stable
pilot | flies passenger planes | a control yoke | the cockpit | flight charts and fuel | a cap with gold stripes | radio/airport/uniform/headset
sailor | steers ships across oceans | an anchor and ropes | the deck | canvas and tar | a navy-striped jersey | compass/harbor/port/sail/boat/oilskin/cap
train driver | takes passengers along rails | a throttle lever | the locomotive cab | timetables and signals | a railway jacket | uniform/station/radio/cap
mail carrier | brings letters to every door | a delivery bag | the postal round | envelopes and parcels | a reflective postal vest | bicycle/street/van/uniform/cap
chef | creates dishes for a restaurant | sharp kitchen knives | the hot line behind the swing door | fresh vegetables and sauces | a tall white hat | pan/apron/oven/meat/stove/flour
waiter | serves meals at tables | a tray | the dining room | menus and orders | a bow tie | apron/restaurant/notepad/cafe
barber | trims beards and hair | clippers and comb | the swivel chair by the mirror | shaving foam | a short-sleeved smock | scissors/razor/salon/mirror/apron/powder
potter | turns vases on a wheel | a spinning disk | the kiln room | wet clay | a mud-spattered smock | apron/studio/workshop/oven/glaze
glassblower | shapes hot bottles with breath | a blowpipe | the furnace hall | molten sand | dark protective goggles | oven/workshop/gloves/studio/apron/glass
sculptor | carves statues | a mallet and chisel | the stone studio | marble blocks | a dust mask | hammer/workshop/clay/goggles/gloves/mask
photographer | takes portraits | a camera | the room with lamps and backdrops | film and light | a vest with pockets | tripod/lens
architect | draws plans for houses | drafting software | the design office | blueprints and models | round designer glasses | pencil/ruler/paper/computer/studio
journalist | reports the news | a voice recorder | the newsroom | interviews and facts | a press badge | computer/pen/notepad/camera/paper
actor | performs plays | a script | the theater stage | roles and dialogue | a costume | makeup/studio/mask
orchestra conductor | leads musicians with gestures | a baton | the concert hall | symphonic scores | a black tailcoat | stage/music/suit
`,
);
