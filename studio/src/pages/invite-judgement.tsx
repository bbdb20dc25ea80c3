import {
  type Criterion,
  criteria,
  type Flag,
  flagNames,
  flags,
  type Judgement,
  likert,
} from "../../../src/serve/review-criteria.ts";

/** Criteria, flags and a comment on one answer. */
export function JudgementForm({
  name,
  criteria: wanted,
  judgement,
  disabled,
  onChange,
}: {
  name: string;
  criteria: Criterion[];
  judgement: Judgement;
  disabled: boolean;
  onChange: (judgement: Judgement) => void;
}) {
  const toggle = (flag: Flag) =>
    onChange({
      ...judgement,
      flags: judgement.flags.includes(flag)
        ? judgement.flags.filter((one) => one !== flag)
        : [...judgement.flags, flag],
    });
  return (
    <fieldset className="judgement" disabled={disabled}>
      <legend className="sr-only">judgement</legend>
      <p className="tiny muted">
        1 {likert[0]} – 5 {likert[4]}
      </p>
      {wanted.map((criterion) => (
        <fieldset key={criterion} className="criterion">
          <legend>
            <span className="strong small">{criterion}</span> <span className="tiny muted">{criteria[criterion]}</span>
          </legend>
          <div className="likert">
            {likert.map((label, i) => (
              <label key={label} title={label}>
                <input
                  type="radio"
                  name={`${name}-${criterion}`}
                  checked={judgement.scores[criterion] === i + 1}
                  onChange={() => onChange({ ...judgement, scores: { ...judgement.scores, [criterion]: i + 1 } })}
                  aria-label={`${i + 1}, ${label}`}
                />
                <span>{i + 1}</span>
              </label>
            ))}
          </div>
        </fieldset>
      ))}
      <fieldset className="criterion flags">
        <legend className="strong small">flag</legend>
        <div className="choices">
          {flagNames.map((flag) => (
            <label key={flag} className="check small" title={flags[flag]}>
              <input type="checkbox" checked={judgement.flags.includes(flag)} onChange={() => toggle(flag)} />
              {flag}
            </label>
          ))}
        </div>
      </fieldset>
      <label className="field">
        <span>comment on this answer</span>
        <textarea
          rows={2}
          value={judgement.comment}
          onChange={(event) => onChange({ ...judgement, comment: event.target.value })}
        />
      </label>
    </fieldset>
  );
}
