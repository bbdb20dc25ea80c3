/** The Python that has PyTorch and transformers, for the tests that compare with them. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PYTHON = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));

/** Why parity tests cannot run here, or undefined when they can. */
export function missingPython(...modules: string[]): string | undefined {
  if (!existsSync(PYTHON)) return "no .venv with PyTorch (npm run setup:torch)";
  const found = modules.map((name) => `u.find_spec('${name}')`).join(" and ");
  const probe = spawnSync(PYTHON, ["-c", `import importlib.util as u; assert ${found}`]);
  return probe.status === 0 ? undefined : `.venv lacks one of ${modules.join(", ")}`;
}

export const missingTorch = () => missingPython("torch", "transformers");

/** Runs one of the scripts of this folder. */
export function runPython(script: string, ...args: string[]): void {
  const path = fileURLToPath(new URL(script, import.meta.url));
  execFileSync(PYTHON, [path, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
}
