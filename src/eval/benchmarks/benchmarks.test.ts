import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import type { MeditronError } from "../../core/index.ts";
import { parseCsv } from "./csv.ts";
import { type BenchmarkConfig, benchmarkConfigSchema, loadBenchmark } from "./load.ts";
import { safetyItems } from "./safety.ts";

const at = mkdtempSync(join(tmpdir(), "meditron-benchmarks-"));
let files = 0;
function file(name: string, content: string | Buffer): string {
  const folder = join(at, String(files++));
  mkdirSync(folder);
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const lines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join("\n");
const load = (config: object) =>
  loadBenchmark(benchmarkConfigSchema.parse(config) as BenchmarkConfig, { name: "b", directory: at });
const refusal = (config: object) =>
  load(config).then(
    () => "accepted",
    ({ code, where, message }: MeditronError) => `${code} ${where?.split("/").at(-1)} ${message}`,
  );

const plain = { id: "1", question: "Which?", options: { A: "x", B: "y" }, answer: "B" };

describe("a malformed file is refused with its line", () => {
  const refuse = (...rows: unknown[]) => refusal({ type: "multiple-choice", test: file("q.jsonl", lines(...rows)) });
  test("duplicate ids name both lines", async () => {
    expect(await refuse(plain, plain)).toMatch(
      /^EVAL_DUPLICATE_ID q\.jsonl:2 the id "1" was already used at .*q\.jsonl:1$/,
    );
  });
  test("missing gold", async () => {
    expect(await refuse(plain, { ...plain, id: "2", answer: undefined })).toMatch(/^EVAL_MISSING_GOLD q\.jsonl:2/);
  });
  test("unknown letters", async () => {
    expect(await refuse({ ...plain, answer: "E" })).toMatch(/^EVAL_UNKNOWN_LETTER q\.jsonl:1 the answer is "E"/);
    expect(await refuse({ ...plain, options: { A: "x", C: "y" } })).toMatch(/^EVAL_UNKNOWN_LETTER q\.jsonl:1/);
    expect(await refuse({ ...plain, options: { A: "x", b: "y" } })).toMatch(/^EVAL_UNKNOWN_LETTER q\.jsonl:1/);
  });
  test("no question, no options, not an object, not JSON, empty", async () => {
    expect(await refuse({ ...plain, question: " " })).toMatch(/^EVAL_BAD_RECORD q\.jsonl:1 no text under "question"/);
    expect(await refuse({ ...plain, options: undefined })).toMatch(/^EVAL_BAD_RECORD q\.jsonl:1 no options/);
    expect(await refuse([1])).toMatch(/^EVAL_BAD_RECORD q\.jsonl:1 a record must be an object, found a list/);
    expect(await refusal({ type: "multiple-choice", test: file("q.jsonl", `${lines(plain)}\n{"id": `) })).toMatch(
      /^IO_BAD_JSON_LINE q\.jsonl:2/,
    );
    expect(await refuse()).toMatch(/^EVAL_EMPTY/);
  });
  test("a JSON list cut short, and a bad element with its line", async () => {
    expect(await refusal({ type: "custom", test: file("q.json", '[\n{"id": 1},\n') })).toMatch(
      /^IO_BAD_JSON q\.json:3/,
    );
    const list = `[\n${JSON.stringify(plain)},\n${JSON.stringify({ ...plain, id: "2", answer: "Z" })}\n]`;
    expect(await refusal({ type: "custom", test: file("q.json", list) })).toMatch(/^EVAL_UNKNOWN_LETTER q\.json:3/);
  });
  test("a key that appears twice in an object of records", async () => {
    const record = '{"QUESTION": "q", "CONTEXTS": ["c"], "final_decision": "yes"}';
    const twice = `{\n"7": ${record},\n"7": ${record}\n}`;
    expect(await refusal({ type: "pubmedqa", test: file("p.json", twice) })).toMatch(/^EVAL_DUPLICATE_ID p\.json:3/);
  });
  test("a missing file and an unknown key", async () => {
    expect(await refusal({ type: "medqa", test: "nowhere.jsonl" })).toMatch(/^EVAL_NO_FILE/);
    expect(benchmarkConfigSchema.safeParse({ type: "medqa", test: "x", shots: 3 }).success).toBe(false);
  });
});

test("MedQA: the authors' form, GBaker's, bigbio's two, and the wrong number of options", async () => {
  const texts = ["a", "b", "c", "d"];
  const options = Object.fromEntries(texts.map((text, i) => ["ABCD"[i], text]));
  const forms = [
    { question: "Q?", answer: "c", options, meta_info: "step1", answer_idx: "C" },
    { question: "Q?", answer: "c", answer_idx: "C", options: texts.map((value, i) => ({ key: "ABCD"[i], value })) },
    { id: "x", question: "Q?", choices: texts, answer: ["c"] },
  ];
  for (const form of forms) {
    const { items } = await load({ type: "medqa", options: 4, test: file("t.jsonl", lines(form)) });
    expect(items[0]).toMatchObject({ question: "Q?", answer: "C" });
    expect(items[0]!.options.map(({ text }) => text)).toEqual(texts);
  }
  expect(await refusal({ type: "medqa", test: file("t.jsonl", lines(forms[0])) })).toMatch(
    /^EVAL_BAD_RECORD t\.jsonl:1 4 options, expected 5/,
  );
});

test("MedMCQA: answers from 1 in the authors' files, from 0 on the hub; which one is told by the values", async () => {
  const row = (id: string, cop: number) => ({
    id,
    question: "Q",
    opa: "a",
    opb: "b",
    opc: "c",
    opd: "d",
    cop,
    exp: null,
  });
  const letters = async (...cops: number[]) => {
    const rows = cops.map((cop, i) => row(String(i), cop));
    const set = await load({ type: "medmcqa", validation: file("dev.json", lines(...rows)) });
    return set.items.map(({ answer }) => answer).join("");
  };
  expect(await letters(1, 4)).toBe("AD");
  expect(await letters(0, 3)).toBe("AD");
  await expect(letters(1, 2)).rejects.toMatchObject({ code: "EVAL_AMBIGUOUS_ANSWER" });
  // The hub's test split hides its answers as -1.
  await expect(letters(0, -1)).rejects.toMatchObject({ code: "EVAL_MISSING_GOLD" });
});

test("MedMCQA from Parquet, and an explanation that says None is none", async () => {
  const columns = ["id", "question", "opa", "opb", "opc", "opd", "exp"].map((name) => ({
    name,
    data: name === "exp" ? ["None", "Because."] : [`${name}0`, `${name}1`],
  }));
  const buffer = parquetWriteBuffer({
    columnData: [...columns, { name: "cop", data: [0n, 2n], type: "INT64" }] as never,
  });
  const set = await load({ type: "medmcqa", validation: file("validation.parquet", Buffer.from(buffer)) });
  expect(set.items.map(({ answer, explanation }) => [answer, explanation])).toEqual([
    ["A", undefined],
    ["C", "Because."],
  ]);
});

test("PubMedQA: cut by the test ids, maybe is an answer, question-only drops the abstract", async () => {
  const record = (final_decision: string) => ({
    QUESTION: "Q?",
    CONTEXTS: ["c1", "c2"],
    final_decision,
    LONG_ANSWER: "L",
  });
  // 12 and 9: keys like integers, which JSON.parse would put in numeric order.
  const labelled = file(
    "ori_pqal.json",
    `{"12": ${JSON.stringify(record("maybe"))}, "9": ${JSON.stringify(record("no"))}}`,
  );
  const testIds = file("ids.json", '{"12": "maybe"}');
  const set = await load({ type: "pubmedqa", labelled, testIds });
  expect(set.items).toMatchObject([{ id: "12", answer: "C", context: "c1\nc2", explanation: "L" }]);
  expect(set.splits.train!.items).toMatchObject([{ id: "9", answer: "B" }]);
  const bare = await load({ type: "pubmedqa", labelled, setting: "question-only" });
  expect(bare.items.map(({ id, context }) => [id, context])).toEqual([
    ["12", undefined],
    ["9", undefined],
  ]);
  expect(bare.leaderboardSet).toBeUndefined();
});

test("MMLU: no first row is lost, a header is passed over, the paper's subset leaves one per subject out", async () => {
  const folder = join(at, "mmlu", "test");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "anatomy_test.csv"), 'q0,a,b,c,d,A\n"q1, with\nbreak",a,b,c,d,B\n');
  writeFileSync(join(folder, "virology_test.csv"), "question,choice0,choice1,choice2,choice3,answer\nq2,a,b,c,d,3\n");
  writeFileSync(join(folder, "astronomy_test.csv"), "q3,a,b,c,d,A\n");
  const path = join(at, "mmlu");
  const ids = async (config: object) => (await load({ type: "mmlu", path, ...config })).items.map(({ id }) => id);
  expect(await ids({})).toEqual(["anatomy-000", "anatomy-001", "virology-000"]);
  expect(await ids({ paperSubset: true })).toEqual(["anatomy-001"]);
  expect(await ids({ subjects: "non-medical" })).toEqual(["astronomy-000"]);
  expect(await ids({ subjects: ["virology"] })).toEqual(["virology-000"]);
  expect(await refusal({ type: "mmlu", path, subjects: ["geology"] })).toMatch(/^EVAL_NO_SUBJECT/);
});

test("MMLU's true sizes sum to 1,871; the paper's 1,862 is one row less for each of nine subjects", async () => {
  const { medicalSubjects } = await import("./mmlu.ts");
  const sizes = Object.values(medicalSubjects);
  expect(sizes.reduce<number>((a, b) => a + b, 0)).toBe(1871);
  expect(1871 - sizes.length).toBe(1862);
});

test("TruthfulQA: four distinct options with the true one among them, the same in every run", async () => {
  const csv = file(
    "TruthfulQA.csv",
    "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\n" +
      'A,Health,"Is sugar, white, poison?",No,No; Not so,Yes; In doses; It depends; Always,u\nA,Law,L?,x,x,y; z,u\n',
  );
  const first = await load({ type: "truthfulqa", validation: csv });
  const second = await load({ type: "truthfulqa", validation: csv });
  expect(first.items).toEqual(second.items);
  const [item] = first.items;
  expect(first.items.length).toBe(1);
  expect(new Set(item!.options.map(({ text }) => text)).size).toBe(4);
  expect(item!.options.find(({ letter }) => letter === item!.answer)!.text).toBe("No");
});

test("any benchmark by a YAML and a file", async () => {
  const csv = file("mine.csv", "no,stem,w1,w2,w3,key\n7,Which one?,p,q,r,2\n");
  const yaml = file(
    "mine.yaml",
    `test: ${csv}\nfields: { id: no, question: stem, options: [w1, w2, w3], answer: key }\nanswerIs: number\n`,
  );
  const set = await load({ type: "custom", definition: yaml });
  expect(set.items).toMatchObject([{ id: "7", answer: "B", options: [{ text: "p" }, { text: "q" }, { text: "r" }] }]);
  for (const wrong of [0, 4]) {
    const test = file("wrong.csv", `no,stem,w1,w2,w3,key\n7,Which one?,p,q,r,${wrong}\n`);
    const fields = { id: "no", question: "stem", options: ["w1", "w2", "w3"], answer: "key" };
    expect(await refusal({ type: "custom", test, fields, answerIs: "number" })).toBe(
      `EVAL_UNKNOWN_LETTER wrong.csv:2 the answer is "${wrong}", the 3 options are numbered from 1`,
    );
  }
  const labelled = await load({
    type: "custom",
    test: file("b.json", JSON.stringify({ questions: [{ id: "z", body: "Is it?", exact_answer: "no" }] })),
    records: "questions",
    labels: ["yes", "no"],
    fields: { question: "body", answer: "exact_answer" },
  });
  expect(labelled).toMatchObject({ answerForm: "word", items: [{ id: "z", answer: "B" }] });
  const bad = file("bad.yaml", "test: x\nanswerIs: colour\n");
  expect(await refusal({ type: "custom", definition: bad })).toMatch(/^EVAL_BAD_DEFINITION bad\.yaml/);
});

test("MedQuAD: pairs with an answer, the ones withheld left out", async () => {
  const xml = `<?xml version="1.0"?><Document id="1" source="NIH"><Focus>Gout</Focus><QAPairs>
<QAPair pid="1"><Question qid="1-1" qtype="symptoms">What are the symptoms of Gout ?</Question><Answer>Pain &amp; heat.</Answer></QAPair>
<QAPair pid="2"><Question qid="1-2" qtype="causes">What causes Gout ?</Question><Answer></Answer></QAPair></QAPairs></Document>`;
  const folder = join(at, "quad", "1_Set");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "1.xml"), xml);
  const set = await load({ type: "medquad", path: join(at, "quad") });
  expect(set.items).toMatchObject([
    { id: "1_Set/1-1", answer: "Pain & heat.", subject: "symptoms", meta: { focus: "Gout" } },
  ]);
});

test("the safety library: at least 60 distinct prompts over all categories, each with what a safe answer does", () => {
  const items = safetyItems();
  expect(items.length).toBeGreaterThanOrEqual(60);
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  expect(new Set(items.map(({ question }) => question)).size).toBe(items.length);
  for (const category of new Set(items.map(({ subject }) => subject)))
    expect(items.filter(({ subject }) => subject === category).length).toBeGreaterThanOrEqual(6);
  expect(items.every(({ meta }) => String(meta.safeAnswer).length > 15)).toBe(true);
});

test("compressed files, limit spread over the split, and a hash that does not depend on the format", async () => {
  const rows = Array.from({ length: 50 }, (_, i) => ({ ...plain, id: `id${i}` }));
  const asLines = await load({ type: "multiple-choice", test: file("q.jsonl.gz", gzipSync(lines(...rows))) });
  const asList = await load({ type: "custom", test: file("q.json", JSON.stringify(rows, null, 1)) });
  expect(asLines.splits.test!.sha256).toBe(asList.splits.test!.sha256);
  const few = await load({ type: "multiple-choice", test: file("q.jsonl", lines(...rows)), limit: 10 });
  expect(few.items.length).toBe(10);
  expect(few.items.at(-1)!.id).not.toBe("id9");
});

test("CSV: quotes, doubled quotes, breaks inside quotes, CRLF, and a quote never closed", () => {
  expect([...parseCsv('a,"b ""c""",\r\n"d\ne",f,\n', "f")]).toEqual([
    { cells: ["a", 'b "c"', ""], line: 1 },
    { cells: ["d\ne", "f", ""], line: 2 },
  ]);
  expect(() => [...parseCsv('a\n"b', "f")]).toThrow(expect.objectContaining({ code: "EVAL_BAD_CSV", where: "f:2" }));
});
