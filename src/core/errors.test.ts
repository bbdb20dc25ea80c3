import { expect, test } from "vitest";
import { CancelledError, ConfigError, DataError, formatError, fromSystemError, MeditronError } from "./errors.ts";

test("an error prints code, place, message and remedy", () => {
  const error = new DataError("CORPUS_MISSING_LICENSE", {
    message: "document PMC1234567 has no license",
    where: "pmc-oa-0007.jsonl.gz:18842",
    remedy: "add it in the importer, or state the license of the whole source",
  });
  expect(formatError(error)).toMatchInlineSnapshot(`
    "CORPUS_MISSING_LICENSE at pmc-oa-0007.jsonl.gz:18842: document PMC1234567 has no license
      → add it in the importer, or state the license of the whole source"
  `);
  expect(error.name).toBe("DataError");
  expect(error).toBeInstanceOf(MeditronError);
});

test("a full disk and a missing file become errors of ours; anything else is left alone", () => {
  const full = fromSystemError(Object.assign(new Error("x"), { code: "ENOSPC" }), "a.bin", "writing a checkpoint");
  expect(formatError(full)).toContain("IO_DISK_FULL at a.bin: no space left while writing a checkpoint");
  expect(fromSystemError(Object.assign(new Error("x"), { code: "ENOENT" }), "a", "reading")).toBeInstanceOf(
    ConfigError,
  );
  const bug = new TypeError("x is undefined");
  expect(fromSystemError(bug, "a", "b")).toBe(bug);
});

test("a stop on request has its own code", () => expect(new CancelledError().code).toBe("RUN_CANCELLED"));
