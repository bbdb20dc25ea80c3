import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadGguf } from "./gguf.ts";

const isInstalled = (() => {
  try {
    createRequire(import.meta.url).resolve("node-llama-cpp");
    return true;
  } catch {
    return false;
  }
})();
const file = join(mkdtempSync(join(tmpdir(), "meditron-gguf-")), "model.gguf");
writeFileSync(file, "GGUF but nothing else");

test.skipIf(isInstalled)("without node-llama-cpp: the command that installs it, and the way without it", async () => {
  await expect(loadGguf({ path: file })).rejects.toMatchObject({
    code: "GGUF_NOT_INSTALLED",
    remedy: expect.stringContaining("npm install node-llama-cpp"),
  });
});

test.skipIf(!isInstalled)("a file that is no GGUF is refused with its path", async () => {
  await expect(loadGguf({ path: file })).rejects.toMatchObject({ code: "GGUF_NOT_LOADED", where: file });
});

test("a missing file is named before anything is loaded", async () => {
  await expect(loadGguf({ path: "/nowhere.gguf" })).rejects.toMatchObject({ code: "IO_NOT_FOUND" });
});
