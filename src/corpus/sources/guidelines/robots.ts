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
  const rules = chosen.flatMap((group) => group.rules).map((rule) => ({ ...rule, pattern: pathPattern(rule.path) }));
  return {
    crawlDelaySeconds: chosen.find((group) => group.delay !== undefined)?.delay,
    allows(path) {
      let best = { length: -1, allow: true };
      for (const rule of rules) {
        const { length } = rule.path;
        if (!rule.pattern.test(path) || length < best.length || (length === best.length && !rule.allow)) continue;
        best = { length, allow: rule.allow };
      }
      return best.allow;
    },
  };
}

/** `*` stands for anything, `$` at the end for the end. */
function pathPattern(path: string): RegExp {
  const ended = path.endsWith("$");
  const source = (ended ? path.slice(0, -1) : path)
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  // Runs of stars are one: "a***b" must not take exponential time.
  const pattern = source.filter((part, i) => i === 0 || i === source.length - 1 || part !== "").join(".*?");
  return new RegExp(`^${pattern}${ended ? "$" : ""}`);
}
