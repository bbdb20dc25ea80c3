import { animals } from "./animals.ts";
import { countries } from "./countries.ts";
import type { EverydayThing } from "./entity-table.ts";
import { foods } from "./foods.ts";
import { jobs } from "./jobs.ts";
import { objects } from "./objects.ts";

export type { EverydayThing } from "./entity-table.ts";

/** All everyday things of the sample world, by domain, in a fixed order. */
export const allEverydayThings: readonly EverydayThing[] = [countries, animals, objects, jobs, foods].flat();
