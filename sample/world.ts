/**
 * The sample world: entities with their facts, and which of them the benchmarks hold out.
 *
 * An entity's partition is drawn once per seed, within its group (specialty or domain), so that every group is tested.
 * The corpus speaks of all entities alike; the benchmarks' train split never mentions one of `validation` or `test`.
 */
import { RandomState } from "../src/core/random.ts";
import { allEverydayThings } from "./facts/general/index.ts";
import { allConditions, type Patient } from "./facts/medicine/index.ts";
import { type MedicalAttribute, medicalAttributes } from "./phrasings/medicine.ts";

export type Partition = "train" | "validation" | "test";

export interface Entity {
  name: string;
  /** File-name-safe form of the name, unique in its part of the world. */
  slug: string;
  /** Specialty of a condition, domain of an everyday thing. */
  group: string;
  attributes: Record<string, string>;
  also: readonly string[];
  source: string;
  partition: Partition;
  patient?: Patient;
}

export type Scale = "full" | "small" | "all";

export interface World {
  seed: number;
  scale: Scale;
  conditions: Entity[];
  things: Entity[];
  /** Multiplies the number of documents per entity. */
  volume: number;
}

/** Held-out shares of each group; a large group keeps at least four for validation, enough to fill one question's options. */
const TEST_FRACTION = 0.25;
const VALIDATION_FRACTION = 0.1;
/** `full` takes this many conditions of each specialty: about two hundred; `all` takes every one. */
const CONDITIONS_PER_SPECIALTY = { full: 11, small: 4, all: Number.POSITIVE_INFINITY } as const;
const THINGS_PER_DOMAIN = { full: 29, small: 20, all: Number.POSITIVE_INFINITY } as const;
/** What the demo teaches about a condition, so that minutes suffice to learn it; `all` adds risk and complication. */
const taught: readonly MedicalAttribute[] = ["finding", "cause", "test", "treatment", "avoid", "specialty"];
const ATTRIBUTES = { full: taught, small: taught, all: medicalAttributes } as const;

export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

function takePerGroup<T>(items: readonly T[], groupOf: (item: T) => string, limit: number): T[] {
  const taken = new Map<string, number>();
  return items.filter((item) => {
    const group = groupOf(item);
    const count = taken.get(group) ?? 0;
    taken.set(group, count + 1);
    return count < limit;
  });
}

function assignPartitions(entities: Entity[], random: RandomState): Entity[] {
  for (const group of new Set(entities.map((entity) => entity.group))) {
    const members = random.shuffle(entities.filter((entity) => entity.group === group));
    const test = Math.round(members.length * TEST_FRACTION);
    const validation = Math.max(members.length < 16 ? 1 : 4, Math.round(members.length * VALIDATION_FRACTION));
    members.forEach((entity, index) => {
      entity.partition = index < test ? "test" : index < test + validation ? "validation" : "train";
    });
  }
  return entities;
}

/** Assembles the tables into a world. Same seed and scale, same world. */
export function createWorld(seed: number, scale: Scale): World {
  const random = new RandomState(seed);
  const conditions = takePerGroup(allConditions, (c) => c.specialty, CONDITIONS_PER_SPECIALTY[scale]).map(
    ({ name, specialty, patient, source, also, ...facts }): Entity => ({
      name,
      slug: slugOf(name),
      group: specialty,
      attributes: Object.fromEntries(ATTRIBUTES[scale].map((a) => [a, { ...facts, specialty }[a]])),
      also,
      source,
      partition: "train",
      patient,
    }),
  );
  const things = takePerGroup(allEverydayThings, (t) => t.domain, THINGS_PER_DOMAIN[scale]).map(
    ({ name, domain, attributes, also }): Entity => ({
      name,
      slug: slugOf(name),
      group: domain,
      attributes,
      also,
      source: "general knowledge",
      partition: "train",
    }),
  );
  return {
    seed,
    scale,
    conditions: assignPartitions(conditions, random),
    things: assignPartitions(things, random),
    volume: scale === "small" ? 0.3 : 1,
  };
}
