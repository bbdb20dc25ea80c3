import { expect, test } from "vitest";
import { projectCorpus } from "./projection.ts";

test("a plan counts what is asked for: more cores read faster, more records take longer", async () => {
  const probe = { citations: 30, articles: 4, guidelines: 8, replay: 8 };
  const size = { citations: 1e6, articles: 1e4, guidelines: 0, replay: 0, tokens: 3e8 };
  const plan = await projectCorpus(size, 4, probe);
  // Invented records pass cleaning and filters: the probe measures whole documents.
  for (const kind of plan.kinds) expect(kind.textBytes).toBeGreaterThan(1000);
  const [citations, articles, guidelines] = plan.kinds;
  expect([citations!.documents, articles!.documents, guidelines!.documents]).toEqual([1e6, 1e4, 0]);
  expect(plan.readHours).toBeCloseTo(
    (1e6 * citations!.readMicroseconds + 1e4 * articles!.readMicroseconds) / 4 / 3.6e9,
    9,
  );
  expect(plan.hours).toBeCloseTo(plan.readHours + plan.deduplicateHours + plan.writeHours, 9);
  expect(plan.tokenBytes).toBe(6e8);
  // 300M tokens are about 1.2 GB of text, of which zstd leaves a third or so.
  expect(plan.shardBytes).toBeGreaterThan(2e8);
  expect(plan.shardBytes).toBeLessThan(1.2e9);
});
