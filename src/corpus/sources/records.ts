/** Records of named fields (JSON Lines, Parquet, Hugging Face datasets) to documents, by a mapping of fields. */
import type { SourceItem } from "../document.ts";
import { document, drop, makeDocument, type SourceOptions, shortHash } from "./source.ts";

/** Which field holds what; those not named are looked for under their usual names. */
export interface FieldMapping {
  text?: string | undefined;
  id?: string | undefined;
  title?: string | undefined;
  url?: string | undefined;
  license?: string | undefined;
  published?: string | undefined;
  language?: string | undefined;
}

export interface RecordOptions extends SourceOptions {
  fields?: FieldMapping | undefined;
}

const USUAL: Required<{ [K in keyof FieldMapping]-?: string[] }> = {
  text: ["text", "clean_text", "content", "contents", "body"],
  id: ["id", "doc_id", "_id"],
  title: ["title"],
  url: ["url", "link"],
  license: ["license", "licence"],
  published: ["published", "date", "publication_date"],
  language: ["language", "lang"],
};

/**
 * @param place - "file:line": says where the record is when it has no id, or no text.
 * @param provenance - Stored with the document.
 */
export function recordItem(
  record: unknown,
  options: RecordOptions,
  place: string,
  provenance: Record<string, unknown>,
): SourceItem {
  if (record === null || typeof record !== "object" || Array.isArray(record))
    return drop({
      id: place,
      source: options.name,
      rule: "read.not-a-record",
      reason: "not an object of named fields",
      where: place,
    });
  const values = record as Record<string, unknown>;
  const used = new Set<string>();
  const get = (key: keyof FieldMapping): string => {
    const named = options.fields?.[key];
    const field = named ?? USUAL[key].find((name) => values[name] !== undefined && values[name] !== null);
    if (field === undefined) return "";
    used.add(field);
    const value = valueAt(values, field);
    return typeof value === "string"
      ? value
      : typeof value === "number" || typeof value === "bigint"
        ? String(value)
        : "";
  };
  const text = get("text");
  const stated = get("id");
  const id = `${options.name}:${stated || shortHash(text)}`;
  const title = get("title");
  if (text.trim() === "")
    return drop({
      id: stated ? id : place,
      source: options.name,
      rule: "read.no-text",
      reason: withoutTextReason(values, options.fields?.text),
      where: place,
      ...(title && { title }),
    });
  const published = /^\d{4}(-\d{2}(-\d{2})?)?/.exec(get("published"))?.[0];
  const facts = {
    id,
    title,
    text,
    url: get("url"),
    license: get("license") || undefined,
    published,
    language: get("language"),
  };
  const rest = Object.entries(values).filter(([name]) => !used.has(name));
  return document(
    makeDocument(options, "other", {
      ...facts,
      meta: { ...Object.fromEntries(rest.map(([k, v]) => [k, jsonValue(v)])), provenance },
    }),
  );
}

function withoutTextReason(values: Record<string, unknown>, named: string | undefined): string {
  if (named === undefined && USUAL.text.some((field) => field in values)) return "the record has no text";
  const fields = Object.keys(values).slice(0, 12).join(", ");
  return named === undefined
    ? `no field ${USUAL.text.join(", ")}; say with \`fields: { text: ... }\` which one holds the text (${fields})`
    : `the field "${named}" holds no text (fields: ${fields})`;
}

/** `a.b` reaches into nested records, unless a field has that very name. */
function valueAt(values: Record<string, unknown>, field: string): unknown {
  if (field in values) return values[field];
  return field
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined | null)?.[key], values);
}

function jsonValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, jsonValue(v)]));
  return value;
}
