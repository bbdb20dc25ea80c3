import { everydayThings } from "./entity-table.ts";

/** General natural history. `feature` belongs to one animal only. */
export const animals = everydayThings(
  "animal",
  ["feature", "group", "food", "home", "young"],
  `
elephant | a long trunk and tusks | mammal | grass and bark | the savanna | calf | leaves/forest/grass
giraffe | the longest neck of all | mammal | acacia leaves | the dry open woodland | calf | leaves/savanna/calf
zebra | black and white stripes | mammal | coarse grass | the African grassland | foal | grass/savanna/foal
lion | a thick mane on the male | mammal | antelope meat | the African plain | cub | savanna/meat/grassland
tiger | orange fur with dark stripes | mammal | deer and wild pigs | the Asian jungle | cub | meat/forest/cub/grassland/swamp
kangaroo | a pouch and strong hopping legs | mammal | grass shoots | the Australian outback | joey | grass/leaves/grassland
koala | round furry ears and long naps | mammal | eucalyptus leaves | gum trees | joey | leaves/joey/forest/tree
giant panda | black eye patches on white fur | mammal | bamboo | misty mountain forest | cub | cub/leaves/forest
polar bear | thick white fur over black skin | mammal | seals | the Arctic sea ice | cub | fish/cub/meat/ice
wolf | howling together in a pack | mammal | deer and hares | northern forest | pup | meat/forest/tundra
beaver | a flat tail and dam building | mammal | tree bark and twigs | a lodge in a stream | kit | bark/river/leaves/pond
bat | wings made of skin and echo hearing | mammal | night insects | a dark cave | pup | insect/fruit/moth/flies/pup/tree/church
dolphin | a blowhole and playful leaps | mammal | fish and squid | the warm open sea | calf | fish/calf/ocean/sea
camel | a hump that stores fat | mammal | thorny desert plants | the desert | calf | grass/calf/leaves
hedgehog | spines that roll into a ball | mammal | beetles and slugs | leafy suburban corners | hoglet | insect/worm/wood/grass
mole | velvet fur and digging paws | mammal | earthworms | underground tunnels | pup | insect/worm/pup/burrow/soil
red squirrel | a bushy tail and hidden nuts | mammal | acorns and pine seeds | a nest in a tree | kitten | seed/forest/kit/tree/wood
hippopotamus | huge jaws and days in water | mammal | riverbank grass | African rivers | calf | grass/calf/lake/river
cow | milk for cheese and butter | mammal | hay and pasture grass | a barn | calf | grass/calf/farm/field/hay
sheep | a woolly coat that is shorn | mammal | short meadow grass | a hillside fold | lamb | grass/farm/hay/field
goat | a beard and steep climbing | mammal | shrubs and weeds | rocky slopes | kid | grass/farm/hill/leaves/mountain
horse | a long mane and galloping hooves | mammal | oats and hay | a stable | foal | grass/farm/hay/pasture
pig | a flat snout and muddy bathing | mammal | roots and kitchen scraps | a sty | piglet | farm/grass
rabbit | long ears and a cotton tail | mammal | clover and carrots | a warren | kit | grass/burrow/kit/leaves/field
domestic cat | retractable claws and purring | mammal | mice and tinned food | the family sofa | kitten | fish/meat/house/home
eagle | hooked beak and sharp far sight | bird | fish and small mammals | a cliff nest | eaglet | fish/rabbit/mice/mountain/chick
barn owl | a heart-shaped face and silent flight | bird | voles | an empty church tower | owlet | mice/small mammals/a barn/rodent/farm/chick
emperor penguin | eggs carried on the feet | bird | krill and fish | the Antarctic ice | chick | fish/chick/sea/squid/ice
ostrich | the largest eggs on earth | bird | seeds and desert plants | the African semi-desert | chick | chick/savanna/plain/grass/desert/insect
flamingo | pink feathers and one-leg standing | bird | tiny shrimp | salty lagoons | chick | chick/lake/algae/shrimp
duck | webbed feet and quacking | bird | pond weed | a pond | duckling | insect/grass/lake/river/chick
hen | daily eggs and clucking | bird | grain | a coop | chick | farm/seed/worm/insect/barn
swan | a curved white neck | bird | water plants | a calm lake | cygnet | weed/river/pond/grass/chick
hummingbird | hovering flight and a thin bill | bird | flower nectar | tropical gardens | chick | chick/nectar/forest/insect/garden
woodpecker | drumming on tree trunks | bird | wood-boring grubs | a hollow high in the bark | chick | chick/insect/tree/forest/nut
crocodile | armored skin and snapping jaws | reptile | fish and drinking animals | muddy riverbanks | hatchling | fish/hatchling/river/swamp/antelope/mammal
giant tortoise | a domed shell and great age | reptile | cactus and leaves | the Galapagos islands | hatchling | hatchling/grass/plants/island
chameleon | changing color and a sticky tongue | reptile | crickets and flies | leafy branches | hatchling | hatchling/insect/tree/forest
king cobra | a spreading hood and venom | reptile | other snakes | bamboo thickets | snakelet | hatchling/jungle/forest
frog | long legs and croaking at night | amphibian | flies and moths | marshes and ponds | tadpole | insect/pond/worm/slug/lake
salamander | moist skin and a regrown tail | amphibian | worms and slugs | damp leaf litter | larva | insect/forest/larva/stream/pond
salmon | leaping upstream to spawn | fish | water insects and shrimp | rivers and the sea | fry | insect/fish/shrimp/river/sea/fry/ocean
great white shark | rows of triangular teeth | fish | seals and tuna | the cool coastal ocean | pup | fish/seal/pup/sea/ocean
seahorse | a curled tail and upright swimming | fish | plankton | seagrass beds | fry | fry/shrimp/coral/sea
honeybee | a stinger and waggle dance | insect | pollen and nectar | a wax hive | larva | nectar/larva/grub
monarch butterfly | orange wings and long migration | insect | milkweed and nectar | flowering meadows | caterpillar | nectar/larva/forest/leaves/weed/garden
ant | carrying many times its weight | insect | sugary crumbs and honeydew | a nest of sandy soil | larva | larva/insect/seed/grub/underground
octopus | eight arms and an ink cloud | mollusk | crabs and clams | a rocky den on the seabed | hatchling | hatchling/fish/shrimp/ocean/coral
garden spider | eight legs and a silk web | arachnid | trapped insects | a web between twigs | spiderling | insect/flies/garden/moth
`,
);
