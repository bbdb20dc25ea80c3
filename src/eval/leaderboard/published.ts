/**
 * Published scores, in percent, each under (model, set, shots, mode, harness, source): the same model scores differently by harness, so
 * a number never travels without its source. Averages stand as printed; a test recomputes every one of them.
 *
 * Sources: MEDITRON (Chen et al. 2023, arXiv:2311.16079) tables 4-8 and 11-13 and figures 1 and 3; the model cards and pages named.
 * Numbers that we only recall, without a page at hand, are left out.
 */

export type Mode =
  | "in-context"
  | "top-token"
  | "chain-of-thought"
  | "self-consistency"
  | "best"
  | "likelihood"
  | "unstated";

export interface PublishedScore {
  model: string;
  set: string;
  /** Percent, as printed. */
  score: number;
  /** Sample standard deviation over seeds, where printed. */
  deviation?: number;
  /** Absent where the source does not say. */
  shots?: number;
  mode: Mode;
  /** What the model was before it was asked: pretrained only, finetuned on the set's training split, instruction-tuned by others; or people. */
  training: "pretrained" | "finetuned" | "instruction-tuned" | "human";
  /** Program and prompts that produced the number. */
  harness: string;
  source: string;
}

export interface PublishedAverage {
  model: string;
  source: string;
  printed: number;
  sets: readonly string[];
  scores: readonly number[];
}

type Row = readonly [
  model: string,
  scores: readonly (number | null)[],
  average?: number,
  deviations?: readonly number[],
];
interface Table {
  source: string;
  harness: string;
  sets: readonly string[];
  mode: Mode;
  training: PublishedScore["training"];
  shots?: number;
  rows: readonly Row[];
}

/** Questions that the published numbers of a set were measured on; the paper lost a row in each of MMLU's nine subjects. */
export const publishedItems: Readonly<Record<string, readonly number[]>> = {
  "MMLU-Medical": [1871, 1862],
  PubMedQA: [500],
  MedMCQA: [4183],
  MedQA: [1273],
  "MedQA-4": [1273],
  TruthfulQA: [99],
};

const five = ["MMLU-Medical", "PubMedQA", "MedMCQA", "MedQA", "MedQA-4"] as const;
const four = five.slice(0, 4);
const subjects = [
  "anatomy",
  "college_biology",
  "college_medicine",
  "professional_medicine",
  "medical_genetics",
  "virology",
  "clinical_knowledge",
  "high_school_biology",
  "nutrition",
].map((subject) => `MMLU/${subject}`);
const truthful = ["Health", "Nutrition", "Psychology", "Science"].map((category) => `TruthfulQA/${category}`);
const paper = { harness: "epfLLM/meditron" } as const;
const card = (source: string) => ({ harness: "own", source }) as const;

export const tables: readonly Table[] = [
  {
    ...paper,
    source: "Meditron table 4",
    sets: five,
    mode: "in-context",
    training: "pretrained",
    shots: 3,
    rows: [
      ["MPT-7B", [23.5, 43.9, 32.1, 22.5, 27.6], 29.9, [0.93, 21.9, 0.91, 0.59, 1.57]],
      ["Falcon-7B", [26.1, 52.8, 27.3, 19.6, 25.3], 30.2, [0.51, 44.2, 1.53, 1.86, 1.63]],
      ["Llama-2-7B", [41.4, 49.1, 37.9, 29.1, 35.4], 38.6, [0.24, 51.1, 1.16, 0.9, 4.27]],
      ["PMC-Llama-7B", [26.2, 57.0, 27.4, 21.6, 27.8], 32.0, [1.27, 20.6, 5.91, 0.32, 0.86]],
      ["Meditron-7B", [42.3, 69.3, 36.3, 28.7, 37.4], 42.8, [2.37, 15.1, 1.38, 0.81, 3.27]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 4",
    sets: five,
    mode: "in-context",
    training: "pretrained",
    shots: 5,
    rows: [
      ["Llama-2-70B", [71.3, 72.8, 52.4, 49.0, 58.4], 60.8, [0.87, 7.34, 0.21, 0.85, 0.95]],
      ["Meditron-70B", [71.5, 79.8, 53.3, 52.0, 59.8], 63.3, [0.67, 0.46, 0.51, 1.21, 0.24]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 5",
    sets: five,
    mode: "top-token",
    training: "instruction-tuned",
    shots: 0,
    rows: [
      ["Mistral-7B-Instruct", [55.8, 17.8, 40.2, 32.4, 41.1], 37.5],
      ["Zephyr-7B-beta", [63.3, 46.0, 43.0, 42.8, 48.5], 48.7],
      ["Clinical-Camel-70B", [65.7, 67.0, 46.7, 50.8, 56.8], 57.4],
      ["Med42-70B", [74.5, 61.2, 59.2, 59.1, 63.9], 63.6],
    ],
  },
  {
    ...paper,
    source: "Meditron table 5",
    sets: five,
    mode: "top-token",
    training: "finetuned",
    shots: 0,
    rows: [
      ["PMC-Llama-7B", [59.7, 59.2, 57.6, 42.4, 49.2], 53.6],
      ["Llama-2-7B", [56.3, 61.8, 54.4, 44.0, 49.6], 53.2],
      ["Meditron-7B", [55.6, 74.4, 59.2, 47.9, 52.0], 57.5],
      ["Llama-2-70B", [74.7, 78.0, 62.7, 59.2, 61.3], 67.2],
      ["Meditron-70B", [73.6, 80.0, 65.1, 60.7, 65.4], 69.0],
    ],
  },
  {
    ...paper,
    source: "Meditron table 5",
    sets: five,
    mode: "chain-of-thought",
    training: "finetuned",
    shots: 0,
    rows: [
      ["Llama-2-70B", [76.7, 79.8, 62.1, 60.8, 63.9], 68.7],
      ["Meditron-70B", [74.9, 81.0, 63.2, 61.5, 67.8], 69.7],
    ],
  },
  {
    ...paper,
    source: "Meditron table 5",
    sets: five,
    mode: "self-consistency",
    training: "finetuned",
    shots: 0,
    rows: [
      ["Llama-2-70B", [77.9, 80.0, 62.6, 61.5, 63.8], 69.2],
      ["Meditron-70B", [77.6, 81.6, 66.0, 64.4, 70.2], 72.0],
    ],
  },
  {
    ...paper,
    source: "Meditron table 6",
    sets: five,
    mode: "in-context",
    training: "pretrained",
    shots: 5,
    rows: [
      ["Meditron-70B, step 0 (Llama-2-70B)", [71.3, 72.8, 52.4, 49.0, 58.4], 60.8, [0.87, 7.34, 0.21, 0.85, 0.95]],
      ["Meditron-70B, step 5000", [70.2, 79.2, 51.0, 48.4, 57.3], 61.2, [1.13, 3.81, 0.48, 0.86, 1.21]],
      ["Meditron-70B, step 10000", [70.0, 77.8, 52.3, 49.8, 57.0], 61.4, [0.85, 4.96, 0.91, 0.71, 1.06]],
      ["Meditron-70B, step 15000", [70.8, 78.9, 51.3, 48.9, 57.7], 61.5, [0.42, 5.02, 0.95, 0.79, 0.79]],
      ["Meditron-70B, step 23000", [71.5, 79.8, 53.3, 52.0, 59.8], 63.3, [0.67, 0.46, 0.51, 1.21, 0.24]],
    ],
  },
  {
    ...paper,
    source: "Meditron tables 7 and 8",
    sets: four,
    mode: "top-token",
    training: "finetuned",
    shots: 0,
    rows: [
      ["PMC-Llama-7B", [56.4, 59.2, 57.6, 42.4], 53.9],
      ["Llama-2-7B", [53.7, 61.8, 54.4, 44.0], 53.5],
      ["7B on PMC", [55.6, 62.8, 54.5, 45.4], 54.6],
      ["7B on PMC + replay", [56.4, 63.2, 58.1, 46.9], 56.2],
      ["7B on PMC upsampled", [55.2, 61.6, 57.2, 44.9], 54.7],
      ["7B on PMC + replay + code 10B", [55.8, 58.0, 47.2, 35.1], 49.0],
      ["7B on PMC + replay + code 2B", [54.1, 64.2, 58.0, 45.8], 55.5],
      ["7B on GAP + replay", [54.2, 74.4, 59.2, 47.9], 58.9],
    ],
  },
  {
    ...paper,
    source: "Meditron table 11",
    sets: four,
    mode: "top-token",
    training: "finetuned",
    shots: 0,
    rows: [
      ["Meditron-7B, final learning rate 1e-6", [56.4, 72.6, 57.7, 47.8], 58.6],
      ["Meditron-7B, final learning rate 1.6e-4", [54.2, 74.4, 59.2, 47.9], 58.9],
    ],
  },
  {
    ...paper,
    source: "Meditron table 12",
    sets: subjects,
    mode: "top-token",
    training: "instruction-tuned",
    shots: 0,
    rows: [
      ["Mistral-7B-Instruct", [44.0, 58.7, 52.3, 55.7, 56.6, 41.2, 57.9, 63.1, 60.0]],
      ["Zephyr-7B-beta", [56.0, 66.4, 60.5, 64.9, 68.7, 45.5, 64.0, 73.8, 63.3]],
      ["Clinical-Camel-70B", [56.0, 69.2, 56.3, 71.6, 62.6, 50.9, 65.1, 73.5, 69.8]],
      ["Med42-70B", [64.2, 82.5, 69.8, 77.8, 79.8, 52.7, 74.6, 83.8, 75.7]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 12",
    sets: subjects,
    mode: "top-token",
    training: "finetuned",
    shots: 0,
    rows: [
      ["PMC-Llama-7B", [55.2, 57.3, 55.8, 57.6, 69.7, 45.5, 63.3, 63.7, 64.3]],
      ["Llama-2-7B", [48.5, 53.1, 50.0, 53.5, 71.8, 41.2, 59.8, 62.5, 61.3]],
      ["Meditron-7B", [49.3, 53.8, 44.8, 55.4, 64.6, 38.2, 57.2, 62.5, 63.6]],
      ["Llama-2-70B", [59.7, 82.5, 66.8, 74.5, 77.8, 57.0, 76.1, 86.7, 77.7]],
      ["Meditron-70B", [62.7, 82.5, 62.8, 77.9, 77.8, 50.0, 72.3, 86.4, 76.4]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 12",
    sets: subjects,
    mode: "chain-of-thought",
    training: "finetuned",
    shots: 0,
    rows: [
      ["Llama-2-70B", [68.6, 82.5, 70.9, 80.8, 79.8, 55.5, 78.0, 84.4, 78.7]],
      ["Meditron-70B", [68.7, 79.0, 67.4, 77.9, 77.8, 57.0, 76.5, 81.6, 77.4]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 12",
    sets: subjects,
    mode: "self-consistency",
    training: "finetuned",
    shots: 0,
    rows: [
      ["Llama-2-70B", [70.9, 90.9, 72.1, 82.3, 81.1, 53.9, 76.5, 87.7, 78.4]],
      ["Meditron-70B", [69.4, 86.7, 68.0, 82.3, 85.9, 56.4, 75.5, 85.1, 82.3]],
    ],
  },
  {
    ...paper,
    source: "Meditron table 13",
    sets: truthful,
    mode: "top-token",
    training: "pretrained",
    shots: 1,
    rows: [
      ["PMC-Llama-7B", [3.6, 6.3, 0.0, 0.0], 2.5],
      ["Llama-2-7B", [16.4, 12.5, 10.5, 11.1], 12.6],
      ["Meditron-7B", [27.3, 31.3, 21.1, 33.3], 28.3],
    ],
  },
  {
    ...paper,
    source: "Meditron table 13",
    sets: truthful,
    mode: "top-token",
    training: "pretrained",
    shots: 0,
    rows: [
      ["Med42-70B", [83.6, 62.5, 52.6, 33.3], 58.0],
      ["Llama-2-70B", [69.1, 68.8, 36.8, 44.4], 54.8],
      ["Meditron-70B", [81.8, 77.9, 47.4, 77.8], 71.2],
    ],
  },
  {
    harness: "as cited there",
    source: "Meditron figure 3",
    sets: five,
    mode: "best",
    training: "instruction-tuned",
    rows: [
      ["GPT-3.5", [null, 60.2, 51.0, 47.1, 53.6]],
      ["GPT-4", [null, 74.4, 72.4, 78.6, 82.3]],
      ["Med-PaLM", [null, 79.0, 57.6, null, 67.6]],
      ["Med-PaLM 2", [null, 81.8, 72.3, null, 86.5]],
    ],
  },
  {
    harness: "as cited there",
    source: "Meditron figure 1",
    sets: ["MedQA-4"],
    mode: "best",
    training: "instruction-tuned",
    rows: [
      ["GPT-3.5", [60.2]],
      ["Med-PaLM", [67.2]],
      ["GPT-4", [82.3]],
      ["Med-PaLM 2", [86.2]],
      ["Med42-70B", [63.9]],
      ["Clinical-Camel-70B", [56.8]],
    ],
  },
  {
    harness: "as cited there",
    source: "Meditron figure 1",
    sets: ["MedQA-4"],
    mode: "best",
    training: "finetuned",
    rows: [
      ["Llama-2-70B", [63.8]],
      ["PMC-Llama-7B", [49.2]],
      ["BioMedLM", [50.3]],
      ["DRAGON", [47.5]],
      ["BioLinkBERT", [45.1]],
      ["PubMedBERT", [38.1]],
      ["GPT-Neo", [33.3]],
    ],
  },
  {
    ...card("Med-PaLM 2 paper, arXiv:2305.09617"),
    sets: ["MedQA-4"],
    mode: "best",
    training: "instruction-tuned",
    rows: [
      ["Med-PaLM", [67.2]],
      ["Med-PaLM 2", [86.5]],
    ],
  },
  {
    ...card("PMC-LLaMA README"),
    sets: ["MedQA", "MedMCQA", "PubMedQA"],
    mode: "unstated",
    training: "human",
    rows: [
      ["people, pass mark", [50.0, null, null]],
      ["people, expert", [87.0, 90.0, 78.0]],
    ],
  },
  {
    harness: "as cited there (Tian 2023)",
    source: "Meditron table 5",
    sets: ["MedQA"],
    mode: "unstated",
    training: "human",
    rows: [["people, pass mark", [60.0]]],
  },
  {
    ...card("ClinicalCamel card"),
    sets: ["USMLE sample"],
    mode: "in-context",
    training: "instruction-tuned",
    shots: 5,
    rows: [
      ["Clinical-Camel-70B", [64.3]],
      ["GPT-3.5", [58.5]],
      ["GPT-4", [86.6]],
    ],
  },
  {
    harness: "lm-evaluation-harness, chat template, full-answer likelihood",
    source: "Med42-v2 card",
    sets: ["USMLE sample", "MMLU-Pro"],
    mode: "likelihood",
    training: "instruction-tuned",
    shots: 0,
    rows: [
      ["Med42-v2-8B", [67.04, 54.3]],
      ["Med42-v2-70B", [83.8, null]],
      ["OpenBioLLM-70B", [79.01, null]],
      ["Llama-3-70B-Instruct", [83.57, null]],
    ],
  },
  {
    ...card("Google model card"),
    sets: ["MedXpertQA", "AfriMed-QA"],
    mode: "unstated",
    training: "instruction-tuned",
    rows: [
      ["MedGemma-27B text", [26.7, 84.0]],
      ["MedGemma-27B multimodal", [23.7, null]],
    ],
  },
  {
    harness: "lm-evaluation-harness",
    source: "openlifescienceai/results on the hub",
    sets: ["MedMCQA"],
    mode: "likelihood",
    training: "pretrained",
    rows: [["Llama-3-8B", [57.7]]],
  },
  {
    ...card("ClinicalCamel card"),
    sets: five,
    mode: "in-context",
    training: "instruction-tuned",
    shots: 5,
    rows: [
      ["GPT-4", [null, null, null, null, 81.4]],
      ["Clinical-Camel-70B", [null, 77.9, 54.2, null, 60.7]],
      ["Med-PaLM 2", [87.77, 79.2, 71.3, null, 79.7]],
    ],
  },
  {
    ...card("ClinicalCamel card"),
    sets: [
      "anatomy",
      "clinical_knowledge",
      "college_biology",
      "college_medicine",
      "medical_genetics",
      "professional_medicine",
    ].map((subject) => `MMLU/${subject}`),
    mode: "in-context",
    training: "instruction-tuned",
    shots: 5,
    rows: [
      ["Clinical-Camel-70B", [65.2, 72.8, 81.2, 68.2, 69.0, 75.0]],
      ["GPT-3.5", [60.7, 68.7, 72.9, 63.6, 68.0, 69.8]],
      ["GPT-4", [80.0, 86.4, 93.8, 76.3, 92.0, 93.8]],
      ["Med-PaLM 2", [77.8, 88.3, 94.4, 80.9, 90.0, 95.2]],
    ],
  },
  {
    harness: "lm-evaluation-harness, chat template, full-answer likelihood",
    source: "Med42-v2 card",
    sets: five,
    mode: "likelihood",
    training: "instruction-tuned",
    shots: 0,
    rows: [
      ["GPT-3.5", [66.63, null, 50.1, null, 50.8]],
      ["GPT-4", [87.0, null, 69.5, null, 78.9]],
      ["Med42-70B", [76.72, null, 60.9, null, 61.5]],
      ["Med42-v2-8B", [75.76, null, 61.34, null, 62.84]],
      ["Med42-v2-70B", [87.12, null, 73.2, null, 79.1]],
      ["OpenBioLLM-70B", [90.4, null, 73.18, null, 76.9]],
      ["Llama-3-70B-Instruct", [85.99, null, 72.03, null, 78.88]],
    ],
  },
  {
    ...card("PMC-LLaMA README"),
    sets: five,
    mode: "unstated",
    training: "finetuned",
    rows: [["PMC-Llama-7B", [null, 69.53, 50.54, null, 44.7]]],
  },
  {
    ...card("Google model card"),
    sets: five,
    mode: "unstated",
    training: "instruction-tuned",
    rows: [
      ["MedGemma-27B text", [87.0, 76.8, 74.2, null, 87.7]],
      ["MedGemma-27B multimodal", [86.2, 77.2, 70.2, null, 85.3]],
      ["MedGemma-4B", [70.0, 73.4, 55.7, null, 64.4]],
      ["MedGemma-1.5-4B", [69.6, 68.2, 59.8, null, 69.1]],
    ],
  },
  {
    harness: "lm-evaluation-harness",
    source: "lm-evaluation-harness pull request 1198",
    sets: ["MedMCQA", "MedQA-4", "MMLU/anatomy"],
    mode: "likelihood",
    training: "pretrained",
    shots: 0,
    rows: [["Llama-2-7B", [34.4, 32.0, 43.0]]],
  },
];

export const publishedScores: readonly PublishedScore[] = tables.flatMap(({ rows, sets, shots, ...facts }) =>
  rows.flatMap(([model, scores, , deviations]) =>
    scores.flatMap((score, i) =>
      score === null
        ? []
        : [
            {
              model,
              set: sets[i]!,
              score,
              ...(deviations ? { deviation: deviations[i]! } : {}),
              ...(shots === undefined ? {} : { shots }),
              mode: facts.mode,
              training: facts.training,
              harness: facts.harness,
              source: facts.source,
            },
          ],
    ),
  ),
);

export const publishedAverages: readonly PublishedAverage[] = tables.flatMap(({ rows, sets, source }) =>
  rows.flatMap(([model, scores, printed]) =>
    printed === undefined ? [] : [{ model, source, printed, sets, scores: scores as readonly number[] }],
  ),
);
