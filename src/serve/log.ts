/** One JSON line for each request on stderr. Prompts and answers stay out: they may hold what a patient said. */

export interface RequestRecord {
  id: string;
  method: string;
  /** The route's pattern, not the address: addresses carry names and invitations. */
  route: string;
  status: number;
  ms: number;
  client: string;
  model?: string;
  promptTokens?: number;
  completionTokens?: number;
  /** Error code of ours, or the name of an unexpected error. */
  error?: string;
}

export type Log = (event: string, fields: object) => void;

export const logToStderr: Log = (event, fields) => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
};

export const noLog: Log = () => {};
