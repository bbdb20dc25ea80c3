/** Every error code that the source can raise is explained in docs/errors.md, and nothing is explained that no longer exists. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Code {
  kind?: string;
  message?: string;
}

test("docs/errors.md lists exactly the codes of the source (node docs/generate-errors.mjs)", async () => {
  const { collectCodes } = (await import(new URL("../../docs/generate-errors.mjs", import.meta.url).href)) as {
    collectCodes(): Map<string, Code>;
  };
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  const explained = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]);
  expect(explained).toEqual([...collectCodes().keys()]);
});
