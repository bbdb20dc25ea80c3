/** All commands, in the order in which someone meets them. */
import type { Command } from "../command.ts";
import { corpusBuild, corpusInspect } from "./corpus.ts";
import { corpusFetch } from "./corpus-fetch.ts";
import { doctor } from "./doctor.ts";
import { evaluation } from "./eval.ts";
import { exportModel } from "./export.ts";
import { generate } from "./generate.ts";
import { launch } from "./launch.ts";
import { plan } from "./plan.ts";
import { planCorpus } from "./plan-corpus.ts";
import { report } from "./report.ts";
import { demo, run } from "./run.ts";
import { serve } from "./serve.ts";
import { studio } from "./studio.ts";
import { tokenize } from "./tokenize.ts";
import { train } from "./train.ts";

export const commands: Command[] = [
  demo,
  run,
  plan,
  planCorpus,
  report,
  corpusBuild,
  corpusInspect,
  corpusFetch,
  tokenize,
  train,
  launch,
  evaluation,
  generate,
  exportModel,
  serve,
  studio,
  doctor,
];
