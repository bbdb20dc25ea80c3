import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { logToStderr, noLog, openServed, type ServedModel, startServer } from "../../serve/index.ts";
import { createStudio } from "../../serve/studio.ts";
import type { Command } from "../command.ts";

/** Holds the token; a token on the command line would stand in the list of processes. */
const TOKEN_VARIABLE = "MEDITRON_SERVE_TOKEN";

export const studio: Command = {
  name: "studio",
  summary: "open the runs in the browser: corpus, training, evaluation, chat and review",
  description: [
    "Shows the run directories of one folder, live while a run goes on, and serves their models to talk to. Reviews by clinicians",
    "are kept in .studio/review.db beside the runs. Nothing is requested from other machines.",
    `Without a token only this machine can open it. Set ${TOKEN_VARIABLE} to listen elsewhere (--host): reviewers then come in`,
    "by their own invite links, and everything else asks for the token.",
  ].join("\n"),
  positionals: [
    {
      name: "model",
      description: "further models to talk to: [name=]directory, file.gguf, or http://host/v1#model",
      required: false,
      variadic: true,
    },
  ],
  options: {
    runs: { type: "path", description: "folder of all run directories", default: "runs" },
    host: { type: "text", value: "address", description: "address to listen on", default: "127.0.0.1" },
    port: { type: "count", value: "port", description: "port to listen on; 0 takes a free one", default: 8090 },
    "no-open": { type: "flag", description: "print the address, leave the browser alone" },
    verbose: { type: "flag", description: "log every request on stderr" },
    "api-key-variable": { type: "text", value: "name", description: "environment variable with the endpoints' key" },
  },
  examples: [
    { command: "meditron studio", does: "the runs in ./runs" },
    {
      command: "meditron studio --runs /data/runs judge=http://gpu-box:8000/v1#meditron-70b --no-open",
      does: "another folder, with a model of another server to compare with",
    },
  ],
  async run({ positionals, values, signal }) {
    const runs = resolve(values.text("runs")!);
    const app = await createStudio({ runs });
    const models: ServedModel[] = [];
    try {
      for (const word of positionals) {
        // `name=target`, unless the sign belongs to an address or a path.
        const [, id, target] = /^([^=/\\]+)=(.+)$/.exec(word) ?? [undefined, undefined, word];
        models.push(await openServed({ id, target: target!, apiKeyVariable: values.text("api-key-variable") }));
      }
      const server = await startServer({
        models,
        host: values.text("host")!,
        port: values.number("port")!,
        token: process.env[TOKEN_VARIABLE],
        log: values.flag("verbose") ? logToStderr : noLog,
        isPublic: app.isPublic,
        mount: app.mount,
      });
      process.stdout.write(
        values.flag("json")
          ? `${JSON.stringify({ url: server.url, runs })}\n`
          : `Studio of ${runs} at ${server.url} (Ctrl-C stops)\n`,
      );
      if (process.stdout.isTTY && !values.flag("no-open") && !values.flag("json")) openBrowser(server.url);
      await new Promise<void>((stop) => {
        if (signal.aborted) stop();
        signal.addEventListener("abort", () => stop(), { once: true });
      });
      await server.stop();
    } finally {
      await app.close();
      await Promise.all(models.map(async (one) => (one.kind === "local" ? one.model.close() : undefined)));
    }
  },
};

/** The system's way of opening an address. A machine without one (a server) has its address printed. */
function openBrowser(url: string): void {
  const [command, ...words] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  spawn(command!, words, { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}
