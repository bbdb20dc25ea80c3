import { everydayThings } from "./entity-table.ts";

/** General atlas knowledge. `landmark` and `capital` belong to one country only. */
export const countries = everydayThings(
  "country",
  ["capital", "continent", "language", "currency", "landmark", "product"],
  `
France | Paris | Europe | French | the euro | the Eiffel Tower | wine and cheese | tulip/olive/perfume
Germany | Berlin | Europe | German | the euro | the Brandenburg Gate | cars and machines | beer/coal/chocolate
Italy | Rome | Europe | Italian | the euro | the Colosseum | pasta and olive oil | wine/car/marble
Spain | Madrid | Europe | Spanish | the euro | the Alhambra palace | oranges and olives | wine/car
Portugal | Lisbon | Europe | Portuguese | the euro | the Belem Tower | cork and port wine | olive/sardine
Greece | Athens | Europe | Greek | the euro | the Parthenon temple | feta cheese and olives | wine/marble
Ireland | Dublin | Europe | English | the euro | the Cliffs of Moher | butter and beef | Irish/whisk
Netherlands | Amsterdam | Europe | Dutch | the euro | the Kinderdijk windmills | tulips and cheese | flower/milk
Sweden | Stockholm | Europe | Swedish | the krona | the Vasa warship | timber and steel | car/paper/furniture
Norway | Oslo | Europe | Norwegian | the krone | the Geiranger fjord | salmon and oil | timber
Finland | Helsinki | Europe | Finnish | the euro | the Suomenlinna fortress | paper and saunas | timber/Swedish/wood
Poland | Warsaw | Europe | Polish | the zloty | the Wieliczka salt mine | coal and amber | apple
Hungary | Budapest | Europe | Hungarian | the forint | the Fisherman's Bastion | paprika and salami | wine
Iceland | Reykjavik | Europe | Icelandic | the krona | the Great Geysir | cod and wool sweaters | fish/aluminum
Turkey | Ankara | Asia | Turkish | the lira | the Hagia Sophia | carpets and hazelnuts | Europe/cotton/tea/fig
Egypt | Cairo | Africa | Arabic | the pound | the Great Sphinx | cotton and dates | oil
Morocco | Rabat | Africa | Arabic | the dirham | the Hassan Tower | leather and mint tea | French/phosphate/orange/olive/date
Kenya | Nairobi | Africa | Swahili | the shilling | the Masai Mara reserve | tea and cut flowers | English/coffee
Ethiopia | Addis Ababa | Africa | Amharic | the birr | the Lalibela rock churches | coffee beans | flower
Ghana | Accra | Africa | English | the cedi | Lake Volta | cocoa and gold | oil
Nigeria | Abuja | Africa | English | the naira | Zuma Rock | crude oil | Hausa/cocoa
Tanzania | Dodoma | Africa | Swahili | the shilling | Mount Kilimanjaro | cloves and cashews | English/coffee/gold/tea
Madagascar | Antananarivo | Africa | Malagasy | the ariary | the Avenue of the Baobabs | vanilla pods | French/clove/coffee
Senegal | Dakar | Africa | French | the CFA franc | the pink Lake Retba | peanuts and fish | phosphate
India | New Delhi | Asia | Hindi | the rupee | the Taj Mahal | spices and tea | English/cotton/rice/jute/silk
China | Beijing | Asia | Mandarin | the yuan | the Great Wall | silk and porcelain | rice/tea/electronics/coal/steel
Japan | Tokyo | Asia | Japanese | the yen | Mount Fuji | cameras and sushi | car/electronics/rice/steel/machine
South Korea | Seoul | Asia | Korean | the won | the Gyeongbokgung palace | phones and kimchi | car/ship/steel
Thailand | Bangkok | Asia | Thai | the baht | the Temple of the Emerald Buddha | jasmine rice and rubber | silk/shrimp
Vietnam | Hanoi | Asia | Vietnamese | the dong | Ha Long Bay | rice noodles and pepper | coffee/rice/tea/shrimp
Indonesia | Jakarta | Asia | Indonesian | the rupiah | the Borobudur temple | nutmeg and palm oil | rubber/coffee/spice/clove/cocoa
Nepal | Kathmandu | Asia | Nepali | the rupee | Mount Everest | prayer flags and woven wool | tea/carpet/wool
Mongolia | Ulaanbaatar | Asia | Mongolian | the tugrik | the Gobi Desert | cashmere wool | wool/coal/gold
Saudi Arabia | Riyadh | Asia | Arabic | the riyal | the Kaaba in Mecca | petroleum | oil/date
Iran | Tehran | Asia | Persian | the rial | the ruins of Persepolis | saffron and pistachios | oil/carpet/petroleum
Brazil | Brasilia | South America | Portuguese | the real | the Christ the Redeemer statue | soybeans and sugar cane | coffee/beef/orange
Argentina | Buenos Aires | South America | Spanish | the peso | the Perito Moreno glacier | beef and leather | wine/soy
Peru | Lima | South America | Spanish | the sol | the Machu Picchu ruins | alpaca wool and potatoes | wool/coffee/copper
Chile | Santiago | South America | Spanish | the peso | the Easter Island statues | copper and grapes | wine/salmon/fish
Colombia | Bogota | South America | Spanish | the peso | the Salt Cathedral of Zipaquira | emeralds and coffee | flower/coal/gold
Mexico | Mexico City | North America | Spanish | the peso | the Chichen Itza pyramid | avocados and tequila | silver/oil/car/tomato
Canada | Ottawa | North America | English | the dollar | the CN Tower | maple syrup | French/timber/wheat/oil/paper
Cuba | Havana | North America | Spanish | the peso | the Malecon seawall | cigars and sugar | rum
Jamaica | Kingston | North America | English | the dollar | the Dunn's River Falls | bauxite and allspice | coffee/rum/sugar
Australia | Canberra | Oceania | English | the dollar | the Sydney Opera House | wool and iron ore | beef/coal/gold/wine
New Zealand | Wellington | Oceania | English | the dollar | the Milford Sound | kiwi fruit and lamb | wool/butter/milk/beef/wine
Fiji | Suva | Oceania | Fijian | the dollar | the Garden of the Sleeping Giant | bottled spring water | English/Hindi/sugar/fish
Switzerland | Bern | Europe | German | the franc | the Matterhorn | watches and chocolate | French/Italian/cheese/machine
`,
);
