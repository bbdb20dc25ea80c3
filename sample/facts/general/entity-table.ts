import { parseTable } from "../table.ts";

/** One everyday thing: a country, an animal, an object, a job or a food, with the same attributes as its siblings. */
export interface EverydayThing {
  name: string;
  domain: string;
  attributes: Record<string, string>;
  /** Words; an option containing one would also be right and is never offered as wrong. */
  also: string[];
}

/** Reads one domain's table: `name`, then its attributes in the order given, then `also` (divided by `/`, `-` for none). */
export function everydayThings(domain: string, attributes: readonly string[], text: string): EverydayThing[] {
  return parseTable(`facts/general/${domain}`, ["name", ...attributes, "also"], text).map((row) => ({
    name: row.name!,
    domain,
    attributes: Object.fromEntries(attributes.map((key) => [key, row[key]!])),
    also: row.also === "-" ? [] : row.also!.split("/").map((word) => word.trim()),
  }));
}
