/** The repository, whether a benchmark runs from its source or from dist/ (`npm run bench`). */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let folder = dirname(fileURLToPath(import.meta.url));
while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);

export const repository = folder;
