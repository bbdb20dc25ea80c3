/** The Studio's page and its files, as `npm run build` left them in dist/studio: read once, served from memory. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { ConfigError, exists } from "../core/index.ts";
import { PACKAGE_ROOT } from "../core/version.ts";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Paths of the page itself: the page decides what it shows there. */
const PAGES = new Set(["runs", "diff", "corpus", "training", "evaluation", "chat", "review", "invite"]);

/** @throws {ConfigError} STUDIO_NOT_BUILT when the page is not there. */
export async function studioPages(folder = join(PACKAGE_ROOT, "dist", "studio")): Promise<Hono> {
  if (!(await exists(join(folder, "index.html"))))
    throw new ConfigError("STUDIO_NOT_BUILT", {
      message: "the Studio's page has not been built",
      where: folder,
      remedy: "npm run build",
    });
  const files = new Map<string, { body: Uint8Array<ArrayBuffer>; type: string }>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const type = TYPES[entry.name.split(".").at(-1)!];
    if (type)
      files.set(path.slice(folder.length).replaceAll("\\", "/"), { body: new Uint8Array(await readFile(path)), type });
  }
  const app = new Hono();
  app.get("*", async (c, next) => {
    const { path } = c.req;
    const isPage = path === "/" || PAGES.has(path.split("/")[1]!);
    const file = isPage ? files.get("/index.html") : path === "/index.html" ? undefined : files.get(path);
    if (!file) return next();
    return c.body(file.body, 200, {
      "Content-Type": file.type,
      // Names under assets/ carry a hash of their content.
      "Cache-Control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    });
  });
  return app;
}

/** Whether a path shows nothing but the empty page: it needs no token, the data behind it does. */
export function isStudioPage(path: string): boolean {
  return (
    path === "/" ||
    path.startsWith("/assets/") ||
    PAGES.has(path.split("/")[1]!) ||
    path === "/icon.svg" ||
    path === "/theme.js"
  );
}
