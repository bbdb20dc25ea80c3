import { everydayThings } from "./entity-table.ts";

/** Kitchen knowledge. `clue` (how one recognizes it) belongs to one food only. */
export const foods = everydayThings(
  "food",
  ["clue", "origin", "taste", "color", "dish"],
  `
apple | a crisp fruit with a core | orchard trees | sweet and tart | red or green | baked pie | yellow/sweet/cider/sauce/cake
banana | a curved fruit peeled by hand | tall tropical plants | soft and sweet | yellow | milkshake | sweet/green/bread
lemon | an oval citrus fruit with sharp juice | thorny southern trees | very sour | bright yellow | sherbet drinks | yellow/tart/cake/citrus
orange | a round citrus fruit in segments | warm southern groves | juicy and sweet | between red and yellow | breakfast marmalade | sweet/citrus/juice/cake
strawberry | a soft fruit with seeds outside | low creeping plants | fragrant and sweet | bright red | summer jam | red/sweet/cream/milkshake/bush/tart
grape | small berries in hanging bunches | climbing vines | mild and sugary | purple or pale green | wine | sweet/green/jam/red/raisin
pineapple | a spiny fruit with a leafy crown | spiky field rosettes | tangy and sweet | golden inside | upside-down cake | yellow/sweet/sour/pizza/tart
watermelon | a huge striped fruit with black seeds | sprawling ground vines | cool and sugary | pink flesh in green rind | chilled picnic slices | sweet/red/green/vine/salad
cherry | a stone fruit on a thin stem | blossoming orchards | sweet with slight acidity | dark red | Black Forest cake | red/sweet/orchard/jam/pie/tart/tree
coconut | a hairy shell with milk inside | beach palms | nutty and milky | white within and brown without | Thai curry | brown/sweet/white/tree/nutty/creamy
tomato | a juicy fruit used as a vegetable | staked greenhouse plants | savory and slightly acid | glossy red | pizza sauce | red/soup/sauce/salad/acid/pasta/ketchup
potato | a starchy tuber with eyes | underground stems | bland and earthy | pale brown | chips and mash | brown/earthy/yellow/soup/white/salad/soil
carrot | a crunchy pointed root | garden soil | earthy and sweet | bright orange | vegetable stew | orange/sweet/soup/salad/cake/ground
onion | a layered bulb that draws tears | bulbs in dry rows | sharp and pungent | golden brown skin | French soup | brown/red/white/soup/salad/sauce
garlic | cloves in papery skin | bulbs planted in autumn | hot and pungent | creamy white | aioli sauce | white/sauce/butter/sharp/bread/pungent/purple
spinach | tender leaves rich in iron | cool leafy beds | slightly bitter | dark green | stuffed ravioli | green/salad/soup/earthy/leaf
cucumber | a long fruit for slicing | trellised vines | cool and watery | green | pickles | green/salad/vine/mild/yogurt
pumpkin | a large squash for lanterns | autumn patches | mellow and earthy | deep orange | Thanksgiving pie | orange/sweet/soup/vine/pie
mushroom | a cap on a stem without leaves | damp woodland or compost | savory umami | brown and cream | creamy risotto | brown/white/earthy/soup/pizza/sauce/forest
chili pepper | a small pod that burns | hot sunny bushes | fiery hot | scarlet | spicy salsa | red/green/curry/sauce/hot
lentil | tiny flat dried pulses | short legume pods | nutty and earthy | brown or orange | Indian dal | earthy/soup/green/red/brown/orange/nutty
rice | the main grain of Asia | flooded paddies | neutral and soft | white | sushi rolls | brown/pudding/risotto/bland/mild/curry
wheat flour | fine powder ground from grain | golden cereal fields | plain and dusty | off-white | loaves and pasta | white/cake/pizza/pie/bland/neutral/brown/cream/bread
oats | flaked grain for breakfast | cool northern fields | mild and nutty | beige | porridge | cream/biscuit/brown/cookie/bland/nutty/mild
maize | yellow kernels on a cob | tall tasseled stalks | sweet and starchy | golden | tortillas | yellow/sweet/bread/popcorn/soup
honey | a golden liquid made by bees | beehives | intensely sweet | amber | nougat and baklava | sweet/gold/yellow/brown/cake/tea/orange
chocolate | a sweet bar made of cocoa | fermented tropical pods | bittersweet and rich | dark brown | brownies | brown/sweet/bitter/cake/mousse/cookie
vanilla | a fragrant orchid pod | tropical vines | floral and warm | black specks | custard and ice cream | vine/sweet/cake/milk/brown/pudding
cinnamon | fragrant rolled bark | peeled tropical branches | warm and woody | reddish brown | apple strudel | brown/sweet/cake/roll/tree/bun/spicy
saffron | threads from a crocus flower | purple autumn blossoms | honeyed and metallic | deep crimson | Spanish paella | red/yellow/orange/risotto/rice/floral
coffee | a strong hot morning drink | highland berry shrubs | bitter and roasted | nearly black | espresso | brown/black/bitter/tiramisu/cake
tea | dried leaves steeped in water | terraced evergreen bushes | mildly astringent | amber brown | a hot afternoon drink | green/black/brown/bitter/amber
milk | a drink from cows | the dairy herd | mild and creamy | pure white | rice pudding and cocoa | white/cream/sweet/custard/milkshake/porridge/pudding
butter | a soft spread for bread | the dairy churn | rich and smooth | pale yellow | shortbread | yellow/cake/cream/cookie/biscuit/salt/sauce/butter
cheese | pressed and ripened curd | dark cool cellars | salty and sharp | yellow or blue-veined | fondue | yellow/white/pizza/cream/salty/rich/pasta/savory/sauce/ravioli/milk
egg | an oval thing laid by hens | poultry farms | delicate and rich | white shell with golden yolk | omelette | brown/cake/white/yellow/custard/pasta/creamy/mild/salad
olive oil | liquid pressed from small fruits | Mediterranean groves | peppery and green | greenish gold | salad dressing | green/yellow/gold/sauce/bitter/salad/fruit
salt | grains from sea or mine | evaporated seawater | salty | sparkling white | preserved ham | white/salt/fish/every/savory/pickle
sugar | small cubes for tea | tropical cane or beet | purely sweet | crystal white | caramel candy | white/brown/sweet/cake/jam/cookie/marmalade/tropical
peanut | a two-seeded pod with a brittle husk | sandy underground pods | nutty and oily | tan | satay sauce | brown/nutty/butter/cookie/beige/candy/underground
`,
);
