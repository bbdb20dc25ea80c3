/**
 * Renders the sample world into the kinds of files real users have.
 *
 *   node dist/sample/render.js --out <dir> [--seed 7] [--scale full|small|all]
 *
 * Same seed and scale, same bytes.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { ConfigError, formatError, MeditronError } from "../src/core/errors.ts";
import { writeFileAtomic } from "../src/core/files.ts";
import { exposures } from "./compose.ts";
import { composeGuidelines } from "./guidelines.ts";
import { appearsIn, composePapers } from "./papers.ts";
import { type MedicalKind, medicalAttributes, medicalPhrasings } from "./phrasings/medicine.ts";
import { composeBenchmarks, renderBenchmarks } from "./renderers/benchmarks.ts";
import { renderGeneral } from "./renderers/general.ts";
import { renderGuidelinePdf } from "./renderers/guideline-pdf.ts";
import { renderGuidelineSite } from "./renderers/guideline-site.ts";
import { renderJats } from "./renderers/jats.ts";
import { renderPubMed } from "./renderers/pubmed.ts";
import { renderS2orc } from "./renderers/s2orc.ts";
import { NOTICE } from "./renderers/xml.ts";
import { createWorld, type Scale } from "./world.ts";

const COMPRESSED = /^(pubmed\/.*\.xml|s2orc\/.*\.jsonl|general\/.*\.jsonl)$/;

/** All files of the sample by path below the output folder, as they will lie on disk. */
export function renderSample(seed: number, scale: Scale): Map<string, Buffer> {
  const world = createWorld(seed, scale);
  const papers = composePapers(world);
  const guidelines = composeGuidelines(world);
  const pubmed = renderPubMed(world, papers);
  const s2orc = renderS2orc(papers);
  const jats = renderJats(papers);
  const site = renderGuidelineSite(guidelines);
  const general = renderGeneral(world);
  const benchmarks = composeBenchmarks(world);
  const both = papers.filter((p) => appearsIn.jats(p) && appearsIn.s2orc(p)).length;

  const files = new Map<string, Buffer>();
  const parts: Iterable<[string, string | Buffer]>[] = [
    pubmed.files,
    jats,
    s2orc.files,
    site.files,
    renderGuidelinePdf(guidelines),
    general.files,
    renderBenchmarks(world),
  ];
  for (const part of parts) {
    for (const [path, content] of part) {
      const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
      if (COMPRESSED.test(path)) files.set(`${path}.gz`, gzipped(bytes));
      else files.set(path, bytes);
    }
  }
  const count = (splits: Record<string, unknown[]>) =>
    Object.fromEntries(Object.entries(splits).map(([split, items]) => [split, items.length]));
  const kinds: MedicalKind[] = ["abstract", "paper", "guideline"];
  // The demo's scale leaves some attributes out.
  const stated = medicalAttributes.filter((a) => world.conditions.some(({ attributes }) => a in attributes));
  const manifest = {
    notice: NOTICE,
    seed,
    scale,
    facts: {
      conditions: world.conditions.length,
      medicalFacts: world.conditions.reduce((sum, c) => sum + Object.keys(c.attributes).length, 0),
      everydayThings: world.things.length,
      everydayFacts: world.things.reduce((sum, e) => sum + Object.keys(e.attributes).length, 0),
    },
    phrasingsPerFact: Object.fromEntries(
      kinds.map((kind) => [kind, Object.fromEntries(stated.map((a) => [a, medicalPhrasings(kind, a).length]))]),
    ),
    sentencesPerFact: Object.fromEntries(
      kinds.map((kind) => [kind, Object.fromEntries(stated.map((a) => [a, exposures[kind][a]]))]),
    ),
    heldOut: {
      conditions: world.conditions.filter((c) => c.partition === "test").map((c) => c.name),
      everydayThings: world.things.filter((t) => t.partition === "test").map((t) => t.name),
    },
    sources: {
      pubmed: pubmed.counts,
      pmc: {
        articles: jats.size,
        withoutLicense: papers.filter((p) => appearsIn.jats(p) && p.license === undefined).length,
        retracted: papers.filter((p) => appearsIn.jats(p) && p.retracted).length,
      },
      s2orc: { lines: s2orc.records, malformed: s2orc.malformed, alsoInPmc: both },
      guidelinesSite: site.counts,
      guidelinesPdf: { files: 1 },
      general: { documents: general.documents, textFiles: general.textFiles },
    },
    benchmarks: { medical: count(benchmarks.medical), general: count(benchmarks.general) },
  };
  files.set("sample-manifest.json", Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  files.set("README.md", Buffer.from(README));
  return files;
}

/** Gzip with a fixed header: no time stamp, no name, operating system "unknown" (zlib writes its own). */
function gzipped(bytes: Buffer): Buffer {
  const result = gzipSync(bytes, { level: 6 });
  result[9] = 255;
  return result;
}

const README = `# Sample world

${NOTICE}

Rendered by a program from tables of textbook facts. The people, journals, hospitals and numbers are invented; the medical
facts are textbook knowledge, shortened for teaching a very small model. Do not use any of it to treat anyone.
\`sample-manifest.json\` lists what is in here and what a reader should drop, and why.
`;

/** Renders into a folder. @returns number of files and bytes written. */
export async function writeSample(out: string, seed: number, scale: Scale): Promise<{ files: number; bytes: number }> {
  const files = renderSample(seed, scale);
  let bytes = 0;
  for (const [path, content] of files) bytes += (await writeFileAtomic(join(out, path), content)).bytes;
  return { files: files.size, bytes };
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { out: { type: "string" }, seed: { type: "string" }, scale: { type: "string" } },
  });
  const seed = Number(values.seed ?? "7");
  const scale = values.scale ?? "full";
  const problems: string[] = [];
  if (values.out === undefined) problems.push("--out is missing: the folder to write");
  if (!Number.isInteger(seed) || seed < 0 || seed > 1e9)
    problems.push(`--seed must be an integer from 0 to 1e9, got ${values.seed}`);
  if (!["full", "small", "all"].includes(scale)) problems.push(`--scale must be full, small or all, got ${scale}`);
  if (problems.length > 0) {
    throw new ConfigError("SAMPLE_BAD_ARGUMENTS", {
      message: problems.join("; "),
      where: "command line",
      remedy: "for example: --out sample-data --seed 7 --scale full",
    });
  }
  const written = await writeSample(values.out!, seed, scale as Scale);
  process.stdout.write(`${written.files} files, ${(written.bytes / 1e6).toFixed(1)} MB in ${values.out}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof MeditronError ? formatError(error) : String(error)}\n`);
    process.exitCode = 1;
  });
}
