import { useState } from "react";
import { type Criterion, criterionNames } from "../../../src/serve/review-criteria.ts";
import type { EvaluationOverview, ModelEntry, RunSummary, SetOverview } from "../../../src/serve/studio-types.ts";
import { sendJson, useApi } from "../api.ts";
import { Segments } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { nameOf } from "../parts/item-view.tsx";
import { navigate } from "../router.tsx";

type SourceType = "safety-library" | "evaluations" | "records";

/** Where a set's answers come from, and what is asked about them. */
export function NewSet({ onClose }: { onClose: () => void }) {
  const models = useApi<ModelEntry[]>("/api/models");
  const runs = useApi<RunSummary[]>("/api/runs");
  const names = runs.data?.map(({ name }) => name).join(",");
  const evaluations = useApi<EvaluationOverview>(
    names ? `/api/evaluation?${new URLSearchParams({ runs: names })}` : undefined,
  );
  const [type, setType] = useState<SourceType>("safety-library");
  const [name, setName] = useState("Safety and bias");
  const [instructions, setInstructions] = useState(
    "Judge each answer as if a patient or a colleague had received it. You see neither who wrote it nor what others said.",
  );
  const [chosen, setChosen] = useState<string[]>([]);
  const [wanted, setWanted] = useState<Criterion[]>(criterionNames);
  const [limit, setLimit] = useState(50);
  const [maxTokens, setMaxTokens] = useState(400);
  const [records, setRecords] = useState("");
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const options =
    type === "safety-library"
      ? (models.data?.map(({ id }) => id) ?? [])
      : (evaluations.data?.evaluations
          .filter(({ label }) => /greedy|chain-of-thought|self-consistency/.test(label))
          .map(nameOf) ?? []);

  const create = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const source =
        type === "safety-library"
          ? { type, models: chosen, maxTokens }
          : type === "evaluations"
            ? { type, of: chosen, limit }
            : {
                type,
                records: records
                  .split("\n")
                  .filter((line) => line.trim() !== "")
                  .map((line, i) => {
                    try {
                      return JSON.parse(line) as unknown;
                    } catch {
                      throw new Error(`line ${i + 1} is not JSON`);
                    }
                  }),
              };
      const set = await sendJson<SetOverview>("POST", "/api/review/sets", {
        name,
        instructions,
        criteria: wanted,
        source,
      });
      navigate(`/review/${set.id}`);
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };

  return (
    <section className="card new-set" aria-label="new review set">
      <form
        className="stack padded"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <div className="row between">
          <h2>New review set</h2>
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
        <Segments
          label="where the answers come from"
          value={type}
          onChange={(value) => {
            setType(value);
            setChosen([]);
            setName(value === "safety-library" ? "Safety and bias" : "");
          }}
          options={[
            ["safety-library", "safety and bias prompts"],
            ["evaluations", "answers of evaluations"],
            ["records", "own records"],
          ]}
        />
        <div className="grid-2">
          <label className="field">
            <span>name</span>
            <input
              type="text"
              required
              maxLength={120}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          {type === "evaluations" && (
            <label className="field">
              <span>items, at most</span>
              <input
                type="number"
                min={1}
                max={5000}
                value={limit}
                onChange={(event) => setLimit(Number(event.target.value))}
              />
            </label>
          )}
          {type === "safety-library" && (
            <label className="field">
              <span>longest answer, tokens</span>
              <input
                type="number"
                min={1}
                max={4096}
                value={maxTokens}
                onChange={(event) => setMaxTokens(Number(event.target.value))}
              />
            </label>
          )}
        </div>
        <label className="field">
          <span>instructions for reviewers</span>
          <textarea
            rows={3}
            maxLength={4000}
            value={instructions}
            onChange={(event) => setInstructions(event.target.value)}
          />
        </label>
        {type === "records" ? (
          <label className="field">
            <span>
              records, one JSON object a line:{" "}
              {'{ "prompt": …, "answers": [{ "model": …, "text": … }], "reference"?: …, "subject"?: … }'}
            </span>
            <textarea rows={6} className="mono" value={records} onChange={(event) => setRecords(event.target.value)} />
          </label>
        ) : (
          <fieldset className="stack tight">
            <legend className="label">
              {type === "safety-library"
                ? "models that answer the prompts: one gives single answers, more give blind pairs"
                : "evaluations that were answered in words: one gives single answers, more give blind pairs"}
            </legend>
            {options.length === 0 && <p className="muted small">None yet.</p>}
            <div className="choices">
              {options.map((option) => (
                <label key={option} className="check">
                  <input
                    type="checkbox"
                    checked={chosen.includes(option)}
                    onChange={() =>
                      setChosen((before) =>
                        before.includes(option) ? before.filter((one) => one !== option) : [...before, option],
                      )
                    }
                  />
                  {option}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <fieldset className="stack tight">
          <legend className="label">criteria</legend>
          <div className="choices">
            {criterionNames.map((criterion) => (
              <label key={criterion} className="check">
                <input
                  type="checkbox"
                  checked={wanted.includes(criterion)}
                  onChange={() =>
                    setWanted((before) =>
                      criterionNames.filter((one) =>
                        one === criterion ? !before.includes(one) : before.includes(one),
                      ),
                    )
                  }
                />
                {criterion}
              </label>
            ))}
          </div>
        </fieldset>
        {problem && (
          <div className="notice bad" role="alert">
            <Icon name="warning" />
            {problem}
          </div>
        )}
        <div className="row">
          <button
            type="submit"
            className="button primary"
            disabled={busy || name.trim() === "" || (type === "records" ? records.trim() === "" : chosen.length === 0)}
          >
            {busy ? "Making it …" : "Make the set"}
          </button>
        </div>
      </form>
    </section>
  );
}
