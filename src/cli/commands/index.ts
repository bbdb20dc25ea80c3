/** All commands, in the order in which someone meets them. */
import type { Command } from "../command.ts";
import { corpusBuild, corpusInspect } from "./corpus.ts";
import { doctor } from "./doctor.ts";
import { plan } from "./plan.ts";
import { demo, run } from "./run.ts";
import { tokenize } from "./tokenize.ts";

export const commands: Command[] = [demo, run, plan, corpusBuild, corpusInspect, tokenize, doctor];
