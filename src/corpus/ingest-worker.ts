/** The thread behind `ingest-pool.ts`: reads one source after the other, as asked. */
import { parentPort } from "node:worker_threads";
import { MeditronError } from "../core/errors.ts";
import { ingest } from "./ingest.ts";
import type { IngestReply, IngestRequest } from "./ingest-pool.ts";

const port = parentPort!;
const reply = (message: IngestReply) => port.postMessage(message);

port.on("message", async ({ source, config, items, directory, key }: IngestRequest) => {
  try {
    const onDocuments = (documents: number) => reply({ documents });
    reply({ staged: await ingest(source, config, { directory, key, onDocuments, benchmarkItems: items }) });
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (error instanceof MeditronError) {
      const { code, where, remedy, fields } = error;
      reply({ error: { name, code, message, details: { message, where, remedy, fields } } });
    } else reply({ error: { name, message, stack } });
  }
});
