/** Another OpenAI-compatible server behind ours: requests go on as they came, answers come back as they are written. */
import { ConfigError } from "../core/index.ts";
import { HttpProblem } from "./problem.ts";

export interface Gateway {
  /** Address up to and including `/v1`. */
  baseUrl: string;
  /** The model's name there. */
  model: string;
  /** Environment variable that holds the key. */
  apiKeyVariable?: string | undefined;
}

/** Headers of the answer that mean the same to our client. */
const PASSED_HEADERS = ["content-type", "retry-after"];

/**
 * Sends a request's body on under the model's name there.
 * @throws {HttpProblem} 502 when nobody answers.
 */
export async function forward(gateway: Gateway, path: string, body: object, signal: AbortSignal): Promise<Response> {
  const key = gateway.apiKeyVariable === undefined ? undefined : process.env[gateway.apiKeyVariable];
  let answer: Response;
  try {
    answer = await fetch(`${gateway.baseUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ ...body, model: gateway.model }),
      signal,
      redirect: "error",
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new HttpProblem(502, "upstream_unavailable", "the server behind this model does not answer", {
      retryAfter: 5,
    });
  }
  // A key that is wrong there is our operator's fault, not our client's.
  if (answer.status === 401 || answer.status === 403) {
    await answer.body?.cancel();
    throw new HttpProblem(502, "upstream_refused", "the server behind this model refuses our key");
  }
  const headers = new Headers();
  for (const name of PASSED_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}

/** `http://host:8000/v1#model` of the command line. @throws {ConfigError} SERVE_ENDPOINT for an address without a model. */
export function parseGateway(target: string, apiKeyVariable?: string): Gateway {
  const [address = "", model] = target.split("#", 2);
  if (!URL.canParse(address) || !model)
    throw new ConfigError("SERVE_ENDPOINT", {
      message: `"${target}" names no endpoint and model`,
      where: "meditron serve",
      remedy: "write it as http://host:8000/v1#model-name",
    });
  return { baseUrl: address.replace(/\/+$/, ""), model, apiKeyVariable };
}
