import { expect, test, vi } from "vitest";
import { type Command, parseCommand, renderHelp } from "./command.ts";
import { commands } from "./commands/index.ts";
import { main, renderOverview } from "./main.ts";

test("the overview", () => expect(renderOverview()).toMatchSnapshot());

test.each(commands.map((command): [string, Command] => [command.name, command]))("meditron %s --help", (_, command) => {
  expect(renderHelp(command)).toMatchSnapshot();
});

test("every example is a command line that its command accepts", () => {
  for (const command of commands)
    for (const { command: line } of command.examples) {
      expect(line.startsWith(`meditron ${command.name}`), line).toBe(true);
      const words = [...line.slice(`meditron ${command.name}`.length).matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)];
      parseCommand(
        command,
        words.map(([, double, single, plain]) => double ?? single ?? plain!),
      );
    }
});

/** Exit code and stderr of a command line. */
async function attempt(...words: string[]): Promise<[number, string]> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    return [await main(words), written.join("")];
  } finally {
    spy.mockRestore();
  }
}

test("mistakes in the command line say what was meant, and exit with 2", async () => {
  expect(await attempt("rnu")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron: there is no command "rnu"
      → did you mean "meditron run"?
    ",
    ]
  `);
  expect(await attempt("corpus")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron: "corpus" needs one more word
      → meditron corpus build · meditron corpus inspect · meditron corpus fetch
    ",
    ]
  `);
  expect(await attempt("run", "a.yaml", "--sett", "x=1")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron run: unknown option --sett
      → did you mean --set? (meditron run --help)
    ",
    ]
  `);
  expect(await attempt("run")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron run: <recipe> is missing: a YAML file; recipes/demo.yaml is the one to read first
      → meditron run --help
    ",
    ]
  `);
  expect(await attempt("run", "a.yaml", "b.yaml")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron run: unexpected "b.yaml"
      → meditron run --help
    ",
    ]
  `);
  expect(await attempt("tokenize", "x.jsonl", "--tokenizer", "t.json")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron tokenize: --out is missing: writes prefix.bin, prefix.idx, prefix.tokens.json
      → meditron tokenize --help
    ",
    ]
  `);
  expect(await attempt("generate", "--model", "m", "--max-tokens", "many")).toMatchInlineSnapshot(`
    [
      2,
      "CLI_USAGE at meditron generate: --max-tokens needs a whole number, not "many"
      → meditron generate --help
    ",
    ]
  `);
});

test("an expected failure exits with 1 and shows no stack", async () => {
  const [code, text] = await attempt("run", "/nowhere/recipe.yaml");
  expect(code).toBe(1);
  expect(text).toMatchInlineSnapshot(`
    "IO_NOT_FOUND at /nowhere/recipe.yaml: no such file or folder (reading the recipe)
      → check the path
    "
  `);
});
