/** A JSON body of a known shape. */
import type { Context } from "hono";
import type { z } from "zod";
import { badRequest } from "./studio-errors.ts";

/** @throws bad_request naming what is wrong. */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await c.req.text());
  } catch {
    throw badRequest("the body is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`${issue!.path.map(String).join(".") || "body"}: ${issue!.message}`);
}
