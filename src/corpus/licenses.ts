/**
 * Licenses as SPDX ids, from the many ways sources write them, and whether a document under one may be published again.
 * What we cannot recognise is "unknown", and unknown is not redistributable: silence is no permission.
 */

/** Public-domain statements that are no SPDX license ("US-Government-Work" has no id of its own in the list). */
export const PUBLIC_DOMAIN = "LicenseRef-PublicDomain";

const CREATIVE_COMMONS_URL = /creativecommons\.org\/(licenses|publicdomain)\/([a-z-]+)\/?(\d\.\d)?/i;
const CREATIVE_COMMONS_NAME =
  /\b(?:cc|creative\s+commons)[\s-]*(?:attribution)?[\s-]*(by(?:[\s-]*(?:nc|nd|sa))*|(?:non-?commercial|no-?deriv\w*|share-?alike|[\s,-])*)[\s-]*(\d\.\d)?/i;

const KNOWN: Record<string, string> = {
  mit: "MIT",
  "apache-2.0": "Apache-2.0",
  apache: "Apache-2.0",
  "bsd-3-clause": "BSD-3-Clause",
  isc: "ISC",
  cc0: "CC0-1.0",
  "cc0-1.0": "CC0-1.0",
  "public domain": PUBLIC_DOMAIN,
  "public-domain": PUBLIC_DOMAIN,
  pd: PUBLIC_DOMAIN,
  "ogl-uk-3.0": "OGL-UK-3.0",
  "odc-by": "ODC-By-1.0",
  "odc-by-1.0": "ODC-By-1.0",
};

/** SPDX id of a license given as id, name, sentence or URL; "unknown" when it is none that we know. */
export function spdxLicense(stated: string | undefined): string {
  const text = stated?.trim() ?? "";
  if (text === "") return "unknown";
  const known = KNOWN[text.toLowerCase()];
  if (known) return known;
  if (/^(CC-BY[A-Z-]*|CC0)-\d\.\d$|^LicenseRef-/.test(text)) return text;
  const url = CREATIVE_COMMONS_URL.exec(text);
  if (url) {
    const [, family, name = "", version] = url;
    if (family?.toLowerCase() === "publicdomain") return name.toLowerCase() === "zero" ? "CC0-1.0" : PUBLIC_DOMAIN;
    return `CC-${name.toUpperCase()}-${version ?? "4.0"}`;
  }
  if (/\bCC0\b|\bCC[\s-]?zero\b/i.test(text)) return "CC0-1.0";
  if (/\bpublic domain\b/i.test(text)) return PUBLIC_DOMAIN;
  const name = CREATIVE_COMMONS_NAME.exec(text);
  if (name) {
    const terms = name[0].toLowerCase();
    const parts = ["CC", "BY"];
    if (/\bnc\b|non-?commercial/.test(terms)) parts.push("NC");
    if (/\bnd\b|no-?deriv/.test(terms)) parts.push("ND");
    if (/\bsa\b|share-?alike/.test(terms)) parts.push("SA");
    if (terms.includes("by") || terms.includes("attribution")) return `${parts.join("-")}-${name[2] ?? "4.0"}`;
  }
  return /^[A-Za-z0-9][A-Za-z0-9.+-]{1,40}$/.test(text) && /\d/.test(text) ? text : "unknown";
}

/**
 * Whether a cleaned copy of a document may be passed on. No-derivatives licenses forbid it: cleaning makes a derivative.
 * Non-commercial ones allow it; the license stays on the document, so a user of the corpus sees the condition.
 */
export function mayRedistribute(license: string): boolean {
  if (/-ND\b/.test(license)) return false;
  return /^(CC0|CC-BY|PDDL|ODC-By|MIT|Apache|BSD|ISC|OGL|Unlicense)/.test(license) || license === PUBLIC_DOMAIN;
}
