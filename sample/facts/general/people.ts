import { everydayThings } from "./entity-table.ts";

/** People of history whom a schoolbook names. `work` belongs to one person only; `century` is that of the work. */
export const people = everydayThings(
  "person",
  ["work", "occupation", "homeland", "century", "birthplace"],
  `
Wolfgang Amadeus Mozart | the opera about a magic flute | composer | Austria | the eighteenth century | Salzburg | pianist/violinist/musician
Ludwig van Beethoven | the Ode to Joy symphony | composer | Germany | the nineteenth century | Bonn | pianist/eighteenth/Austria
Johann Sebastian Bach | the Brandenburg concertos | church organist | Germany | the eighteenth century | Eisenach | composer/seventeenth
Frederic Chopin | piano mazurkas and the Minute Waltz | pianist | Poland | the nineteenth century | Zelazowa Wola | composer/France
Antonio Vivaldi | the Four Seasons concertos | violinist | Italy | the eighteenth century | Venice | composer/seventeenth
Giuseppe Verdi | the opera Aida | composer | Italy | the nineteenth century | Le Roncole | -
Pyotr Tchaikovsky | the ballet Swan Lake | composer | Russia | the nineteenth century | Votkinsk | -
Leonardo da Vinci | the Mona Lisa | painter | Italy | the sixteenth century | Anchiano | fifteenth/inventor/sculptor/engineer/architect/Florence
Michelangelo | the ceiling of the Sistine Chapel | sculptor | Italy | the sixteenth century | Caprese | painter/architect/poet/fifteenth/Florence
Rembrandt | the Night Watch | painter | the Netherlands | the seventeenth century | Leiden | -
Vincent van Gogh | the Starry Night | painter | the Netherlands | the nineteenth century | Zundert | France
Claude Monet | the water lily pictures | painter | France | the nineteenth century | Paris | twentieth
Pablo Picasso | the picture of bombed Guernica | painter | Spain | the twentieth century | Malaga | France/sculptor
Frida Kahlo | self-portraits with monkeys and flowers | painter | Mexico | the twentieth century | Coyoacan | -
Auguste Rodin | the Thinker in bronze | sculptor | France | the nineteenth century | Paris | twentieth
William Shakespeare | the play Hamlet | playwright | England | the sixteenth century | Stratford-upon-Avon | seventeenth/poet/actor
Miguel de Cervantes | the tale of Don Quixote | novelist | Spain | the seventeenth century | Alcala de Henares | sixteenth/playwright/poet
Jane Austen | Pride and Prejudice | novelist | England | the nineteenth century | Steventon | eighteenth
Leo Tolstoy | War and Peace | novelist | Russia | the nineteenth century | Yasnaya Polyana | -
Victor Hugo | Les Miserables | novelist | France | the nineteenth century | Besancon | poet/playwright
Dante Alighieri | the Divine Comedy | poet | Italy | the fourteenth century | Florence | thirteenth
Johann Wolfgang von Goethe | the drama Faust | poet | Germany | the nineteenth century | Frankfurt | eighteenth/playwright/novelist
Hans Christian Andersen | the tale of the Little Mermaid | teller of fairy tales | Denmark | the nineteenth century | Odense | novelist/poet/author
Astrid Lindgren | the Pippi Longstocking books | children's author | Sweden | the twentieth century | Vimmerby | novelist
Isaac Newton | the law of gravity | physicist | England | the seventeenth century | Woolsthorpe | eighteenth/astronomer/mathematician
Albert Einstein | the theory of relativity | physicist | Germany | the twentieth century | Ulm | United States
Marie Curie | the discovery of radium | chemist | Poland | the nineteenth century | Warsaw | twentieth/physicist/France
Charles Darwin | the theory of natural selection | biologist | England | the nineteenth century | Shrewsbury | -
Galileo Galilei | the discovery of Jupiter's moons | astronomer | Italy | the seventeenth century | Pisa | sixteenth/physicist/mathematician/Florence
Nicolaus Copernicus | the sun-centered model of planets | astronomer | Poland | the sixteenth century | Torun | fifteenth/mathematician
Dmitri Mendeleev | the periodic table | chemist | Russia | the nineteenth century | Tobolsk | twentieth
Alfred Nobel | the invention of dynamite | chemist | Sweden | the nineteenth century | Stockholm | inventor/engineer
Thomas Edison | the phonograph | inventor | the United States | the nineteenth century | Milan in Ohio | twentieth
Alexander Graham Bell | the telephone | inventor | Scotland | the nineteenth century | Edinburgh | teacher/United States
Johannes Gutenberg | printing with movable type | goldsmith | Germany | the fifteenth century | Mainz | inventor
James Watt | steam power with a separate condenser | engineer | Scotland | the eighteenth century | Greenock | inventor/nineteenth
Antoni Gaudi | the Sagrada Familia church | architect | Spain | the nineteenth century | Reus | twentieth
Christopher Columbus | the voyage to America in 1492 | seafarer | Italy | the fifteenth century | Genoa | explorer/Spain/navigator
Vasco da Gama | the sea route to India | navigator | Portugal | the fifteenth century | Sines | explorer/seafarer/sixteenth
Marco Polo | the travels to Kublai Khan | merchant | Italy | the thirteenth century | Venice | explorer/fourteenth
Roald Amundsen | the first trip to the South Pole | polar explorer | Norway | the twentieth century | Borge | -
Yuri Gagarin | the first flight into space | cosmonaut | Russia | the twentieth century | Klushino | astronaut/aviator
Neil Armstrong | the first steps on the Moon | astronaut | the United States | the twentieth century | Wapakoneta | cosmonaut/aviator/engineer
Amelia Earhart | the lone flight over the Atlantic | aviator | the United States | the twentieth century | Atchison | -
Mahatma Gandhi | the Salt March | lawyer | India | the twentieth century | Porbandar | leader/statesman
Nelson Mandela | the end of apartheid | statesman | South Africa | the twentieth century | Mvezo | lawyer/leader/president
Walt Disney | the cartoons with Mickey Mouse | film animator | the United States | the twentieth century | Chicago | -
`,
);
