import { animals } from "./animals.ts";
import { countries } from "./countries.ts";
import { elements } from "./elements.ts";
import type { EverydayThing } from "./entity-table.ts";
import { foods } from "./foods.ts";
import { jobs } from "./jobs.ts";
import { objects } from "./objects.ts";
import { people } from "./people.ts";
import { sports } from "./sports.ts";

export type { EverydayThing } from "./entity-table.ts";

/** All everyday things of the sample world, by domain, in a fixed order. */
export const allEverydayThings: readonly EverydayThing[] = [
  countries,
  animals,
  objects,
  jobs,
  foods,
  people,
  elements,
  sports,
].flat();

const countableFoods = new Set(
  `apple banana lemon orange strawberry grape pineapple watermelon cherry coconut tomato potato carrot onion cucumber
  pumpkin mushroom lentil peanut egg chili-pepper`.split(/\s+/),
);

/** Names that take no article: "milk", "iron", "tennis". */
export const massNouns: ReadonlySet<string> = new Set(
  [...elements, ...sports, ...foods.filter((food) => !countableFoods.has(food.name.replace(" ", "-")))].map(
    (t) => t.name,
  ),
);
