/** The Studio as a user starts it, and the system's Chromium to look at it with. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "dist", "src", "cli", "main.js");
const CHROMIUM = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome", "chrome"].map((name) => join(folder, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why these tests cannot run here; undefined where they can. */
export const reasonToSkip = !CHROMIUM
  ? "no chromium or google-chrome on the PATH (apt-get install chromium)"
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
  const finished = new Promise<number | null>((done) =>
    child.on("close", (code) => {
      started.delete(child);
      done(code);
    }),
  );
  return { child, finished, output: () => text };
}

/** Ends whatever is left. */
export function killAll(): void {
  for (const child of started) child.kill("SIGKILL");
}

export interface RunningStudio {
  url: string;
  /** @returns when the process is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** `meditron studio`, on a free port unless one is given. */
export async function startStudio(runs: string, port = 0): Promise<RunningStudio> {
  const { child, output, finished } = startCli(
    ...["studio", "--runs", runs, "--port", String(port), "--no-open", "--json"],
  );
  const url = await new Promise<string>((found, failed) => {
    const look = () => {
      const line = /^\{.*"url".*\}$/m.exec(output())?.[0];
      if (line) found((JSON.parse(line) as { url: string }).url);
    };
    child.stdout!.on("data", look);
    void finished.then(() => failed(new Error(`the Studio did not start: ${output()}`)));
  });
  return {
    url,
    end: async (signal) => {
      child.kill(signal);
      await finished;
    },
  };
}

export const newRunsFolder = (): string => mkdtempSync(join(tmpdir(), "meditron-browser-"));

export const looks = {
  light: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  "dark phone": { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>;

/** A page that remembers what must not happen: script errors, refusals by the page's policy, requests to anybody else. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000); // the machine may have other work
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

/** What every test of this folder works with. */
export interface Visit {
  browser: Browser;
  page: Page;
  url: string;
  runs: string;
  documents: number;
  items: number;
  /** Text that tries to be markup. */
  hostile: string;
  /** Opens a path of the Studio. */
  go(path: string): Promise<void>;
  /** Waits until the page says this. */
  says(what: string | RegExp, on?: Page): Promise<void>;
  /** Nothing happened on the page that must not. */
  calm(): void;
}

/** Tests of the Studio in one page of one browser; skipped, with the reason, where there is no Chromium. */
export function describeStudio(name: string, tests: (visit: Visit) => void): void {
  describe.skipIf(reasonToSkip)(reasonToSkip ? `${name} (skipped: ${reasonToSkip})` : name, () => {
    const visit = {} as Visit;
    beforeAll(async () => {
      const studio = inject("studio");
      const browser = await chromium.launch({
        executablePath: CHROMIUM!,
        args: [
          ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
          ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ],
      });
      const { page, context, problems } = await openPage(browser, studio.url);
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: studio.url });
      Object.assign(visit, studio, {
        browser,
        page,
        go: async (path) => {
          await page.goto(`${studio.url}${path}`);
          await page.locator("h1").first().waitFor();
        },
        says: (what, on = page) => on.locator("main").getByText(what).first().waitFor(),
        calm: () => expect(problems.splice(0)).toEqual([]),
      } satisfies Partial<Visit>);
    });
    afterAll(() => visit.browser?.close());
    tests(visit);
  });
}

/** What a click saves as a file: its text. */
export async function saved(page: Page, click: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  const stream = await download.createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
