import { everydayThings } from "./entity-table.ts";

/** Chemistry as taught at school. `use` belongs to one element only; `number` is the atomic number. */
export const elements = everydayThings(
  "element",
  ["use", "number", "kind", "look", "source"],
  `
hydrogen | fueling rockets and filling early airships | 1 | nonmetal | the lightest clear gas | electrolyzed water | natural gas/colorless/clear
helium | lifting party balloons | 2 | noble gas | a clear gas that makes voices squeak | natural gas wells | colorless/clear/nonmetal
carbon | making diamonds and pencil cores | 6 | nonmetal | black soot or clear crystal | coal | natural gas/chalk
nitrogen | chilling things as an icy liquid | 7 | nonmetal | a clear gas that chokes flames | most of the air | air/clear/colorless
oxygen | feeding fires | 8 | nonmetal | a clear gas that feeds flames | leaves in sunlight | air/clear/colorless/water
fluorine | coating nonstick pans | 9 | halogen | a pale yellow gas | purple spar crystals | nonmetal
neon | making red advertising signs | 10 | noble gas | a clear gas with a red glow | liquid air | air/nonmetal/clear/colorless
sodium | making yellow street lamps | 11 | alkali metal | a soft metal that fizzes on water | table salt | seawater/metal
magnesium | making dazzling white flares | 12 | alkaline earth metal | a light metal that burns brightly | dolomite rock | seawater/metal/silvery
aluminum | making foil and drink cans | 13 | metal | a light silvery metal | bauxite | silver
silicon | making computer chips | 14 | metalloid | a shiny gray crystal | quartz sand | gray
phosphorus | making match boxes strike | 15 | nonmetal | a waxy white or red solid | bird droppings and rock | red
sulfur | making gunpowder | 16 | nonmetal | yellow crystals that smell of eggs | volcano rims | yellow
chlorine | cleaning swimming pools | 17 | halogen | a green choking gas | seawater | salt/nonmetal
argon | filling light bulbs | 18 | noble gas | a clear gas with a violet glow | distilled air | air/nonmetal/clear/colorless
potassium | feeding crops | 19 | alkali metal | a soft metal with a lilac flame | wood ash | metal/seawater
calcium | hardening plaster and cement | 20 | alkaline earth metal | a dull gray metal | chalk cliffs | metal/gray/dolomite/seawater
titanium | making strong light aircraft parts | 22 | transition metal | a gray metal that never rusts | black beach sand | metal/gray
chromium | plating shiny car bumpers | 24 | transition metal | a mirror-bright hard metal | dark heavy ore from South Africa | metal/silvery
iron | making steel | 26 | transition metal | a gray metal that rusts | hematite ore | metal/gray
nickel | making five-cent coins | 28 | transition metal | a silvery metal with a golden tinge | laterite soil | metal/silver
copper | making electric wires | 29 | transition metal | a reddish metal that turns green | malachite | metal/green
zinc | coating steel roofs and buckets | 30 | metal | a bluish white metal | sphalerite | transition
arsenic | killing rats in old crime novels | 33 | metalloid | a brittle gray solid | realgar | gray
bromine | making old photographic paper | 35 | halogen | a red-brown fuming liquid | Dead Sea brine | nonmetal/seawater
krypton | making bright airport lamps | 36 | noble gas | a clear gas with a whitish glow | fractionated air | air/nonmetal/clear/colorless
silver | making cutlery and jewelry | 47 | transition metal | the whitest shiny metal | mines in Mexico and Peru | metal/lead ore
tin | coating food cans | 50 | metal | a soft white metal that creaks | cassiterite | -
tungsten | making lamp filaments | 74 | transition metal | a very heavy gray metal | wolframite | metal/gray
platinum | making catalytic converters | 78 | transition metal | a heavy white metal that never tarnishes | South African reefs | metal/white
gold | making wedding rings | 79 | transition metal | a soft yellow metal | river sand and quartz veins | metal
mercury | filling old barometers | 80 | metal | a silvery liquid | cinnabar | transition
lead | making car batteries | 82 | metal | a soft dull heavy metal | galena | gray
uranium | running nuclear power stations | 92 | actinide metal | a heavy metal that gives off rays | pitchblende | metal
`,
);
