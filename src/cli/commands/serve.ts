import { ConfigError } from "../../core/index.ts";
import { chatTemplates } from "../../eval/index.ts";
import {
  checkAccess,
  defaultLimits,
  logToStderr,
  noLog,
  openServed,
  type ServedModel,
  startServer,
} from "../../serve/index.ts";
import type { Command } from "../command.ts";

/** Holds the token; a token on the command line would stand in the list of processes. */
const TOKEN_VARIABLE = "MEDITRON_SERVE_TOKEN";

export const serve: Command = {
  name: "serve",
  summary: "answer OpenAI-compatible requests from a model",
  description: [
    "Serves /v1/models, /v1/completions and /v1/chat/completions. Each model is a Hugging Face directory, a .gguf file, or an endpoint",
    "written as http://host:8000/v1#model; put name= before it to give it another name.",
    `Without a token the server answers this machine only. Set ${TOKEN_VARIABLE} to listen elsewhere (--host).`,
    "Not medical advice, whatever the model says: /v1/models/<name>/card holds the safety advisory.",
  ].join("\n"),
  positionals: [{ name: "model", description: "what to serve", variadic: true }],
  options: {
    host: { type: "text", value: "address", description: "address to listen on", default: "127.0.0.1" },
    port: { type: "count", value: "port", description: "port to listen on; 0 takes a free one", default: 8080 },
    chat: { type: "text", description: `layout of messages, in place of the model's own: ${chatTemplates.join(", ")}` },
    precision: { type: "text", value: "f32|bf16", description: "numbers of a model directory" },
    slots: { type: "count", value: "n", description: "sequences computed side by side", default: 16 },
    threads: {
      type: "count",
      value: "n",
      description: "threads that compute; default all cores but one, which answers requests",
    },
    context: { type: "count", value: "tokens", description: "longest prompt and answer together" },
    queue: {
      type: "count",
      value: "n",
      description: "requests under way or waiting; more get 429",
      default: defaultLimits.inFlight,
    },
    "requests-per-minute": {
      type: "count",
      value: "n",
      description: "from one address; 0 for no limit",
      default: defaultLimits.requestsPerMinute,
    },
    "max-tokens": { type: "count", value: "tokens", description: "longest answer", default: defaultLimits.maxTokens },
    timeout: {
      type: "count",
      value: "seconds",
      description: "longest time for one answer",
      default: defaultLimits.timeoutMs / 1000,
    },
    "api-key-variable": { type: "text", value: "name", description: "environment variable with the endpoints' key" },
  },
  examples: [
    {
      command: "meditron serve runs/demo/train/finetuned/checkpoints/step-0000200",
      does: "serve a model that was finetuned here",
    },
    {
      command: "meditron serve small=model.gguf big=http://gpu-box:8000/v1#meditron-70b --port 9000",
      does: "a GGUF file and another server's model behind one address",
    },
  ],
  async run({ positionals, values, signal }) {
    const chat = chatTemplates.find((one) => one === values.text("chat"));
    const precision = values.text("precision");
    if (values.text("chat") !== undefined && !chat) throw usage("chat", values.text("chat"), chatTemplates.join(", "));
    if (precision !== undefined && precision !== "f32" && precision !== "bf16")
      throw usage("precision", precision, "f32, bf16");
    const host = values.text("host")!;
    const token = process.env[TOKEN_VARIABLE];
    checkAccess(host, token);
    const models: ServedModel[] = [];
    try {
      for (const word of positionals) {
        // `name=target`, unless the sign belongs to an address or a path.
        const [, id, target] = /^([^=/\\]+)=(.+)$/.exec(word) ?? [undefined, undefined, word];
        const one = await openServed({
          id,
          target: target!,
          chat,
          precision,
          slots: values.number("slots"),
          contextTokens: values.number("context"),
          threads: values.number("threads"),
          apiKeyVariable: values.text("api-key-variable"),
        });
        models.push(one);
        if (models.filter((other) => other.id === one.id).length > 1)
          throw usage("model", one.id, "give each model a name of its own: name=path");
      }
      const server = await startServer({
        models,
        host,
        port: values.number("port")!,
        token,
        log: values.flag("quiet") ? noLog : logToStderr,
        limits: {
          inFlight: values.number("queue")!,
          requestsPerMinute: values.number("requests-per-minute")!,
          maxTokens: values.number("max-tokens")!,
          timeoutMs: values.number("timeout")! * 1000,
        },
      });
      const names = models.map(({ id }) => id);
      process.stdout.write(
        values.flag("json")
          ? `${JSON.stringify({ url: server.url, models: names })}\n`
          : `serving ${names.join(", ")} at ${server.url}/v1 (Ctrl-C stops)\n`,
      );
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await server.stop();
    } finally {
      await Promise.all(models.map(async (one) => (one.kind === "local" ? one.model.close() : undefined)));
    }
  },
};

function usage(option: string, given: string | undefined, remedy: string): ConfigError {
  return new ConfigError("CLI_USAGE", {
    message: `--${option} "${given}" is not possible`,
    where: "meditron serve",
    remedy,
  });
}
