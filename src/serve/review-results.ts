/** What a review set says: win rates, criteria by model, agreement, flags, and the exports. */
import { type Criterion, criterionNames, type Judgement } from "./review-criteria.ts";
import type { Review, ReviewDatabase, ReviewSet, Task } from "./review-database.ts";
import { itemMean, krippendorffAlpha, winRate } from "./review-statistics.ts";
import type { PreferencePair, ReviewExport, ReviewResults } from "./studio-types.ts";

/** A finished review with the answers back under their models' names. */
interface Unblinded {
  task: Task;
  review: Review;
  /** By answer: what was said of it. */
  judgements: { model: string; answer: number; judgement: Judgement }[];
  /** −2 (the first answer much better) … 2; null for a single answer. */
  preference: number | null;
}

function unblind(database: ReviewDatabase, set: ReviewSet): Unblinded[] {
  const tasks = new Map(database.tasks(set.id).map((task) => [task.id, task]));
  return database.reviews(set.id).flatMap((review): Unblinded[] => {
    const task = tasks.get(review.task);
    if (!task || review.state !== "done") return [];
    const { body, swapped } = review;
    if (!task.second)
      return [
        {
          task,
          review,
          judgements: [{ model: task.first.model, answer: task.first.id, judgement: body.left }],
          preference: null,
        },
      ];
    const [first, second] = swapped ? [body.right, body.left] : [body.left, body.right];
    return [
      {
        task,
        review,
        judgements: [
          { model: task.first.model, answer: task.first.id, judgement: first },
          { model: task.second.model, answer: task.second.id, judgement: second },
        ],
        preference: body.preference === null ? null : swapped ? -body.preference : body.preference,
      },
    ];
  });
}

/** 1 where the first answer is preferred, ½ for a tie, 0 otherwise. */
const outcomeOf = (preference: number): number => (preference < 0 ? 1 : preference > 0 ? 0 : 0.5);

export function reviewResults(database: ReviewDatabase, set: ReviewSet): ReviewResults {
  const done = unblind(database, set);
  const models = [
    ...new Set(database.tasks(set.id).flatMap(({ first, second }) => [first.model, ...(second ? [second.model] : [])])),
  ].sort();

  const against = new Map<string, Map<number, number[]>>();
  const note = (key: string, item: number, outcome: number) => {
    const items = against.get(key) ?? new Map<number, number[]>();
    items.set(item, [...(items.get(item) ?? []), outcome]);
    against.set(key, items);
  };
  for (const { task, preference } of done) {
    if (preference === null || !task.second) continue;
    const outcome = outcomeOf(preference);
    note(task.first.model, task.item, outcome);
    note(task.second.model, task.item, 1 - outcome);
    note(JSON.stringify([task.first.model, task.second.model]), task.item, outcome);
    note(JSON.stringify([task.second.model, task.first.model]), task.item, 1 - outcome);
  }
  const rate = (key: string) => winRate(against.get(key) ?? new Map());

  const scores = new Map<string, Map<number, number[]>>();
  const units = new Map<string, Map<number, number[]>>();
  const flags: ReviewResults["flags"] = [];
  const add = (where: Map<string, Map<number, number[]>>, key: string, unit: number, value: number) => {
    const list = where.get(key) ?? new Map<number, number[]>();
    list.set(unit, [...(list.get(unit) ?? []), value]);
    where.set(key, list);
  };
  for (const { task, judgements, review } of done)
    for (const { model, answer, judgement } of judgements) {
      for (const [criterion, value] of Object.entries(judgement.scores)) {
        add(scores, JSON.stringify([model, criterion]), task.item, value);
        // The same answer may stand in several pairs: each judgement of it is one of the same unit.
        add(units, criterion, answer, value);
      }
      for (const flag of judgement.flags)
        flags.push({
          model,
          flag,
          task: task.id,
          item: task.source,
          reviewer: review.reviewer,
          comment: judgement.comment,
        });
    }
  const preferenceUnits = new Map<number, number[]>();
  for (const { task, preference } of done)
    if (preference !== null) preferenceUnits.set(task.id, [...(preferenceUnits.get(task.id) ?? []), preference]);
  const alpha = (list: Map<number, number[]> | undefined, scale: "ordinal" | "nominal") => {
    const value = krippendorffAlpha([...(list?.values() ?? [])], scale);
    const shared = [...(list?.values() ?? [])].filter((values) => values.length > 1).length;
    return { ...(value === undefined ? {} : { alpha: value }), units: shared };
  };
  const outcomes = new Map([...preferenceUnits].map(([task, list]) => [task, list.map(outcomeOf)]));

  return {
    reviews: done.length,
    winRates: set.kind === "pairs" ? models.map((model) => ({ model, ...rate(model) })) : [],
    pairs:
      set.kind === "pairs"
        ? models.flatMap((first, i) =>
            models.slice(i + 1).map((second) => ({ first, second, ...rate(JSON.stringify([first, second])) })),
          )
        : [],
    criteria: set.criteria.map((criterion) => ({
      criterion,
      agreement: alpha(units.get(criterion), "ordinal"),
      models: models.flatMap((model) => {
        const summary = itemMean(scores.get(JSON.stringify([model, criterion])) ?? new Map());
        return summary ? [{ model, ...summary }] : [];
      }),
    })),
    preferenceAgreement: { graded: alpha(preferenceUnits, "ordinal"), outcome: alpha(outcomes, "nominal") },
    flags,
    comments: done.flatMap(({ task, judgements, review }) => [
      ...judgements.flatMap(({ model, judgement }) =>
        judgement.comment.trim() === ""
          ? []
          : [{ model, item: task.source, reviewer: review.reviewer, text: judgement.comment }],
      ),
      ...(review.body.comment.trim() === ""
        ? []
        : [{ item: task.source, reviewer: review.reviewer, text: review.body.comment }]),
    ]),
  };
}

/** Every finished review, one a line, under the models' names. Reviewers are numbers: their names stay in the database. */
export function* exportReviews(database: ReviewDatabase, set: ReviewSet): Generator<ReviewExport> {
  for (const { task, review, judgements, preference } of unblind(database, set))
    yield {
      set: set.name,
      item: task.source,
      subject: task.subject,
      prompt: task.prompt,
      reviewer: review.reviewer,
      updated: review.updated,
      shown: task.second ? (review.swapped ? "second-first" : "first-second") : "single",
      preference,
      preferred:
        preference === null ? null : preference === 0 ? "tie" : preference < 0 ? task.first.model : task.second!.model,
      answers: judgements.map(({ model, judgement }, i) => ({
        model,
        text: i === 0 ? task.first.text : task.second!.text,
        scores: ordered(judgement.scores),
        flags: judgement.flags,
        comment: judgement.comment,
      })),
      comment: review.body.comment,
    };
}

const ordered = (scores: Judgement["scores"]): Partial<Record<Criterion, number>> =>
  Object.fromEntries(criterionNames.flatMap((name) => (scores[name] === undefined ? [] : [[name, scores[name]]])));

/** Preference pairs for training (DPO and its kin): the answer that most reviewers prefer, and the other. Ties give none. */
export function* exportPreferences(database: ReviewDatabase, set: ReviewSet): Generator<PreferencePair> {
  const byTask = new Map<number, { task: Task; preferences: number[] }>();
  for (const { task, preference } of unblind(database, set)) {
    if (preference === null || !task.second) continue;
    const entry = byTask.get(task.id) ?? { task, preferences: [] };
    entry.preferences.push(preference);
    byTask.set(task.id, entry);
  }
  for (const { task, preferences } of byTask.values()) {
    const first = preferences.filter((preference) => preference < 0).length;
    const second = preferences.filter((preference) => preference > 0).length;
    if (first === second) continue;
    const [chosen, rejected] = first > second ? [task.first, task.second!] : [task.second!, task.first];
    yield {
      prompt: task.prompt,
      chosen: chosen.text,
      rejected: rejected.text,
      chosen_model: chosen.model,
      rejected_model: rejected.model,
      votes_chosen: Math.max(first, second),
      votes_rejected: Math.min(first, second),
      votes_tie: preferences.length - first - second,
      // Mean strength of the preference, 0 to 2.
      margin: Math.abs(preferences.reduce((sum, value) => sum + value, 0) / preferences.length),
      set: set.name,
      item: task.source,
    };
  }
}
