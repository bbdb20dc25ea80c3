/**
 * The license of an article from its own words. Publishers state it as a URL, a sentence, an attribute or all three; a version that is
 * not stated is not invented: "Creative Commons Attribution License" alone is LicenseRef-CC-BY.
 */
import { PUBLIC_DOMAIN } from "../licenses.ts";

export interface StatedLicense {
  /** SPDX id, LicenseRef-… for a known license without version, or "unknown". */
  id: string;
  /** A cleaned copy may be passed on: granted by id; no-derivatives licenses do not (cleaning derives). */
  redistributable: boolean;
}

const UNKNOWN: StatedLicense = { id: "unknown", redistributable: false };

/** @param statement - URLs, attributes and sentences of the license, in any order, joined by spaces. */
export function statedLicense(statement: string): StatedLicense {
  if (statement === "") return UNKNOWN;
  // Where a statement names two licenses (BY in an attribute, BY-NC in the sentence), the stricter one is safe.
  let url: RegExpExecArray | undefined;
  for (const found of statement.matchAll(
    /creativecommons\.org\/licen[sc]es\/(by(?:-nc)?(?:-nd|-sa)?)(?:\/(\d\.\d))?/gi,
  ))
    if (!url || found[1]!.length > url[1]!.length) url = found;
  if (url) return creativeCommons(url[1]!.toUpperCase(), url[2] ?? versionIn(statement));
  const code = /\bCC[\s-]?(BY(?:[\s-]?NC)?(?:[\s-]?(?:ND|SA))?)(?![A-Za-z])(?:[\s-]*v?(\d\.\d))?/i.exec(statement);
  if (code) {
    const terms = code[1]!
      .toUpperCase()
      .replace(/[\s-]/g, "")
      .replace("BY", "BY-")
      .replace("NC", "NC-")
      .replace(/-$/, "");
    return creativeCommons(terms, code[2]);
  }
  const named = /creative\s+commons[\s,]+(?:public\s+)?(?:\()?(attribution[\w\s,/–-]*?)(?:licen[sc]e|\(|\.|;|$)/i.exec(
    statement,
  );
  if (named) {
    const words = named[1]!.toLowerCase();
    const terms = ["BY"];
    if (/non[\s-]?commercial/.test(words)) terms.push("NC");
    if (/no[\s-]?deriv/.test(words)) terms.push("ND");
    else if (/share[\s-]?alike/.test(words)) terms.push("SA");
    return creativeCommons(terms.join("-"), versionIn(statement));
  }
  // CC0 comes behind the licenses: publishers add to their CC BY that a waiver applies to the data.
  if (/publicdomain\/zero|\bCC[\s-]?0\b|CC[\s-]?zero/i.test(statement)) return granted("CC0-1.0");
  if (/publicdomain\/mark/i.test(statement)) return granted(PUBLIC_DOMAIN);
  if (/\b(in|to|into) the public domain\b|public[\s-]domain (declaration|dedication|work)/i.test(statement))
    return granted(PUBLIC_DOMAIN);
  return UNKNOWN;
}

/** "(CC BY) 4.0", "Attribution 3.0", "version 2.0" near the name of the license. */
function versionIn(statement: string): string | undefined {
  return /(?:attribution|creative\s+commons|licen[sc]e|\bCC\b)[^.]{0,80}?\b([1-4]\.[05])\b/i.exec(statement)?.[1];
}

function creativeCommons(terms: string, version: string | undefined): StatedLicense {
  const id = version ? `CC-${terms}-${version}` : `LicenseRef-CC-${terms}`;
  return { id, redistributable: !terms.includes("ND") };
}

const granted = (id: string): StatedLicense => ({ id, redistributable: true });
