/** Real records stand outside the repository, in ../shared/data; tests that read them skip with a reason where it is absent. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Path of `name` in the real data, or undefined where it is not installed. */
export function realData(name = ""): string | undefined {
  const path = name === "" ? ROOT : `${ROOT}/${name}`;
  return existsSync(path) ? path : undefined;
}
