/**
 * Who may ask. A server on 127.0.0.1 needs no token, but any page in the user's browser can reach it too: a name that resolves to
 * 127.0.0.1 (DNS rebinding) is refused by its Host, a page of another site by its Origin. There are no CORS headers at all.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { HttpProblem } from "./problem.ts";

/** Nothing from elsewhere, no inline code, no frames. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("Content-Security-Policy")) headers.set("Content-Security-Policy", CONTENT_SECURITY_POLICY);
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("X-Frame-Options", "DENY");
  headers.set("Referrer-Policy", "no-referrer");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  headers.set("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
};

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

/** Without a token only names of this machine are answered. */
export const loopbackHostOnly: MiddlewareHandler = async (c, next) => {
  if (!isLoopback(hostName(c.req.header("host") ?? "")))
    throw new HttpProblem(403, "host_not_allowed", "this server answers to localhost only; start it with a token");
  await next();
};

/** Browsers say where a request comes from; programs do not, and are no danger to a user's session. */
export const sameOriginOnly: MiddlewareHandler = async (c, next) => {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const isNavigation = c.req.method === "GET" && c.req.header("sec-fetch-mode") === "navigate";
  const isOther = (site === "cross-site" || site === "same-site") && !isNavigation;
  if (isOther || (origin !== undefined && urlOf(origin)?.host !== c.req.header("host")))
    throw new HttpProblem(403, "origin_not_allowed", "requests from other sites are refused");
  await next();
};

const COOKIE = "meditron_token";

/**
 * Asks for the token: as `Authorization: Bearer`, or as the cookie that a page opened once with `?token=` gets (so that it never
 * stands in an address again). Comparing takes the same time wherever two tokens differ, and whatever their lengths.
 */
export function requireToken(token: string, isPublic: (path: string) => boolean): MiddlewareHandler {
  const expected = digest(token);
  const fits = (given: string | undefined) => given !== undefined && timingSafeEqual(digest(given), expected);
  return async (c, next) => {
    if (isPublic(c.req.path)) return next();
    const bearer = /^Bearer +(.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (fits(bearer) || fits(getCookie(c, COOKIE))) return next();
    if (c.req.method === "GET" && fits(c.req.query("token"))) return rememberToken(c, token);
    throw new HttpProblem(401, "invalid_api_key", "a valid token is needed: Authorization: Bearer <token>");
  };
}

function rememberToken(c: Context, token: string): Response {
  setCookie(c, COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/" });
  const url = new URL(c.req.url);
  url.searchParams.delete("token");
  return c.redirect(url.pathname + url.search, 303);
}

/** Digests have one length, so the comparison tells nothing of the token's. */
const digest = (text: string) => createHash("sha256").update(text).digest();

/** "localhost:8080" → "localhost", "[::1]:8080" → "::1". */
function hostName(host: string): string {
  return urlOf(`http://${host}`)?.hostname ?? "";
}

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);
