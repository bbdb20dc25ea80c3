import { massNouns } from "../facts/general/index.ts";

/**
 * Templates are sentences with slots: `{X}` the entity, `{v}` the value, `{aX}`, `{theX}`, `{av}` the same with an article;
 * other slots are named by the caller. The result starts with a capital letter.
 */
export type Slots = Record<string, string>;
const SLOT = /\{(\w+)\}/g;

/** "a" or "an" before a noun phrase or a number below 1000, unless it already has an article or needs none. */
export function withArticle(noun: string): string {
  if (/^(the|a|an) /i.test(noun) || /^[A-Z]/.test(noun) || massNouns.has(noun)) return noun;
  return /^(hour|heir|honest|8|11\b|18\b)|^(?!one\b|uni|use|eu)[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

export function withThe(noun: string): string {
  return /^the /i.test(noun) || /^[A-Z]/.test(noun) ? noun : `the ${noun}`;
}

export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What stands for a slot: a value, or one with its article; undefined where there is none. */
function slotValue(key: string, slots: Slots): string | undefined {
  if (key in slots) return slots[key]!;
  if (key.startsWith("the") && key.slice(3) in slots) return withThe(slots[key.slice(3)]!);
  if (key.startsWith("a") && key.slice(1) in slots) return withArticle(slots[key.slice(1)]!);
  return undefined;
}

/** Whether every slot of a template has a value. */
export function isFillable(template: string, slots: Slots): boolean {
  return [...template.matchAll(SLOT)].every(([, key]) => slotValue(key!, slots) !== undefined);
}

export function fill(template: string, slots: Slots): string {
  const text = template.replace(SLOT, (whole, key: string) => {
    const value = slotValue(key, slots);
    if (value === undefined) throw new RangeError(`no value for ${whole} in template: ${template}`);
    return value;
  });
  return capitalize(text);
}
