/** The Studio as a user starts it, runs to look at, and the system's Chromium to look with. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "dist", "src", "cli", "main.js");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Why these tests cannot run here; undefined where they can. */
export const reasonToSkip = !CHROMIUM
  ? "no Chromium on this machine (apt-get install chromium)"
  : !existsSync(CLI) || !existsSync(join(ROOT, "dist", "studio", "index.html"))
    ? "not built: npm run build"
    : undefined;

const started = new Set<ChildProcess>();

/** A command of ours, from the built package. */
export function startCli(...words: string[]): {
  child: ChildProcess;
  finished: Promise<number | null>;
  output: () => string;
} {
  const child = spawn(process.execPath, [CLI, ...words], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MEDITRON_PROGRESS: "off", MEDITRON_THREADS: "1" },
  });
  started.add(child);
  let text = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const finished = new Promise<number | null>((done) => child.on("close", (code) => done(code)));
  return { child, finished, output: () => text };
}

/** Ends whatever is left. */
export function killAll(): void {
  for (const child of started) child.kill("SIGKILL");
}

/** `meditron studio` on a free port. @returns its address. */
export async function startStudio(runs: string, ...words: string[]): Promise<{ url: string; child: ChildProcess }> {
  const { child, output, finished } = startCli(
    "studio",
    ...words,
    "--runs",
    runs,
    "--port",
    "0",
    "--no-open",
    "--json",
  );
  let over = false;
  void finished.then(() => {
    over = true;
  });
  for (let i = 0; i < 600 && !over; i++) {
    const line = /^\{.*"url".*\}$/m.exec(output())?.[0];
    if (line) return { url: (JSON.parse(line) as { url: string }).url, child };
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`the Studio did not start: ${output()}`);
}

export const newRunsFolder = (): string => mkdtempSync(join(tmpdir(), "meditron-browser-"));

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM!,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page that remembers what must not happen: script errors, refusals by the page's policy, requests to anybody else. */
export async function openPage(browser: Browser, url: string, options: Parameters<Browser["newContext"]>[0] = {}) {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page: Page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
      problems.push(`request to ${request.url()}`);
  });
  return { page, context, problems };
}
