/** The Studio's refusals. */
import { HttpProblem } from "./problem.ts";

/** What was asked for is not there. */
export const notFound = (what: string): HttpProblem => new HttpProblem(404, "not_found", `there is no ${what}`);

/** A parameter or body that is not what the route takes. */
export const badRequest = (message: string): HttpProblem => new HttpProblem(400, "bad_request", message);

/** Somebody saved the same thing in between. */
export const conflict = (message: string): HttpProblem => new HttpProblem(409, "conflict", message);

/** An invite that is unknown or withdrawn. */
export const notInvited = (): HttpProblem =>
  new HttpProblem(
    403,
    "not_invited",
    "this invite link is not valid, or was withdrawn: ask whoever sent it for a new one",
  );
