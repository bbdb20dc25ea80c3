/** robots.txt as RFC 9309 has it: the most specific group of rules, the longest matching path, allow before disallow at equal length. */

export interface RobotsRules {
  allows(pathAndQuery: string): boolean;
  crawlDelaySeconds: number | undefined;
}

/** Nothing is forbidden: what a missing robots.txt means. */
export const ALLOW_ALL: RobotsRules = { allows: () => true, crawlDelaySeconds: undefined };

const MAX_CHARACTERS = 512 << 10;

/** @param product - Our name in `User-agent` lines, such as "meditron-corpus". */
export function parseRobots(text: string, product: string): RobotsRules {
  const groups: { agents: string[]; rules: { allow: boolean; path: string }[]; delay?: number }[] = [];
  let inAgents = false;
  for (const line of text.slice(0, MAX_CHARACTERS).split(/\r\n?|\n/)) {
    const [, key, value] = /^\s*([A-Za-z-]+)\s*:\s*(.*?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    const name = key.toLowerCase();
    if (name === "user-agent") {
      if (!inAgents) groups.push({ agents: [], rules: [] });
      groups.at(-1)!.agents.push(value.toLowerCase());
      inAgents = true;
      continue;
    }
    inAgents = false;
    const group = groups.at(-1);
    if (!group) continue;
    if ((name === "allow" || name === "disallow") && value !== "")
      group.rules.push({ allow: name === "allow", path: value });
    else if (name === "crawl-delay" && Number(value) >= 0) group.delay = Number(value);
  }
  const ours = groups.filter((group) =>
    group.agents.some((agent) => agent !== "*" && product.toLowerCase().startsWith(agent)),
  );
  const chosen = ours.length > 0 ? ours : groups.filter((group) => group.agents.includes("*"));
  const rules = chosen.flatMap((group) => group.rules);
  return {
    crawlDelaySeconds: chosen.find((group) => group.delay !== undefined)?.delay,
    allows(path) {
      let best = { length: -1, allow: true };
      for (const rule of rules) {
        const { length } = rule.path;
        if (!matchesPath(rule.path, path) || length < best.length || (length === best.length && !rule.allow)) continue;
        best = { length, allow: rule.allow };
      }
      return best.allow;
    },
  };
}

/** `*` stands for anything, `$` at the end for the end. Part after part from left to right: no pattern can take long. */
function matchesPath(pattern: string, path: string): boolean {
  const ended = pattern.endsWith("$");
  const [first = "", ...parts] = (ended ? pattern.slice(0, -1) : pattern).split("*");
  if (!path.startsWith(first)) return false;
  if (parts.length === 0) return !ended || path === first;
  let at = first.length;
  const last = parts.pop()!;
  for (const part of parts) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return ended ? path.length - last.length >= at && path.endsWith(last) : path.indexOf(last, at) !== -1;
}
