/** worker/settings.py mirrors the TypeScript schemas: every setting, its type and its default. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { torchSettingsSchema } from "../../src/train/engines/torch-settings.ts";
import { trainJobSchema } from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { ROOT, runPython } from "./support.ts";

interface Setting {
  type: unknown;
  nullable: boolean;
  default?: unknown;
}
interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The same table as `describe()` in settings.py. */
function settingsOf(schema: JsonSchema, prefix = ""): Record<string, Setting> {
  const table: Record<string, Setting> = {};
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    if (prefix === "" && key === "torch" && !member.properties) continue; // its own schema
    const path = `${prefix}${key}`;
    const all = alternatives(member);
    const options = all.filter((option) => option.type !== "null");
    const nullable = options.length < all.length;
    if (options.some((option) => option.properties)) {
      for (const option of options) {
        const kind = option.properties!.kind?.const as string | undefined;
        Object.assign(table, settingsOf(option, kind === undefined ? `${path}.` : `${path}(${kind}).`));
      }
    } else if (options[0]!.items?.properties) Object.assign(table, settingsOf(options[0]!.items, `${path}[].`));
    else {
      const isRequired = schema.required?.includes(key) || (member.default === undefined && !nullable);
      const isOptional = !isRequired || !schema.required?.includes(key);
      table[path] = {
        type: typeOf(options[0]!),
        // A member that may be left out is None in Python.
        nullable: nullable || (isOptional && member.default === undefined),
        ...(isOptional && key !== "kind" ? { default: member.default ?? null } : {}),
      };
    }
  }
  return table;
}

/** `anyOf`, or the short form { type: ["string", "null"] }. */
function alternatives(schema: JsonSchema): JsonSchema[] {
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

function typeOf(schema: JsonSchema): unknown {
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum) return [...schema.enum].sort();
  if (schema.items) return { list: typeOf(schema.items) };
  return schema.type;
}

const reason = missingTorch();

describe.skipIf(reason)(`torch engine: settings${reason ? ` (skipped: ${reason})` : ""}`, () => {
  it("are the same in both languages", async () => {
    const theirs = JSON.parse(await runPython([join(ROOT, "worker/settings.py")])) as Record<string, Setting>;
    const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
    const ours = {
      ...settingsOf(schemaOf(trainJobSchema)),
      ...settingsOf(schemaOf(torchSettingsSchema), "torch."),
    };
    expect(theirs).toEqual(ours);
  });
});
