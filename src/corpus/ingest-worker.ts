/** The thread behind `ingest-pool.ts`: scans and reads parts of sources, one after the other, as asked. */
import { parentPort, workerData } from "node:worker_threads";
import { MeditronError } from "../core/errors.ts";
import { ingest } from "./ingest.ts";
import type { IngestReply, IngestRequest, IngestSettings } from "./ingest-pool.ts";
import { scanPubMed } from "./sources/pubmed.ts";

const { config, items } = workerData as IngestSettings;
const port = parentPort!;
const reply = (message: IngestReply) => port.postMessage(message);

port.on("message", async (request: IngestRequest) => {
  try {
    if ("scan" in request) return reply({ scan: await scanPubMed(request.scan) });
    const { source, part, directory, key } = request.ingest;
    const onDocuments = (documents: number) => reply({ documents });
    reply({ staged: await ingest(source, config, { directory, key, part, onDocuments, benchmarkItems: items }) });
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (error instanceof MeditronError) {
      const { code, where, remedy, fields } = error;
      reply({ error: { name, code, message, details: { message, where, remedy, fields } } });
    } else reply({ error: { name, message, stack } });
  }
});
