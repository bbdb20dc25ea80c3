import type { TrainingCurve } from "../../../src/serve/studio-types.ts";
import { formatCount, formatWhole } from "../format.ts";
import { Card, StateBadge } from "../parts/basics.tsx";
import { number, Table } from "../parts/table.tsx";
import type { Shown } from "./training-panels.tsx";

interface Props {
  list: Shown[];
  /** Of a training: without its run where all are of one. */
  name: (key: string) => string;
}

/** Where each training stands. */
export function Summary({ list, name }: Props) {
  return (
    <Card flush>
      <Table
        columns={[
          "training",
          "state",
          number("step"),
          number("loss, nats a token"),
          "on text held out",
          number("tokens/s"),
          number("parameters"),
          "engine",
        ]}
      >
        {list.map(({ key, curve, color: shade }) => (
          <tr key={key}>
            <td className="strong nowrap">
              <span className="swatch dot inline" style={{ color: `var(${shade})` }} aria-hidden="true" /> {name(key)}
            </td>
            <td>
              <StateBadge state={curve.state} />
            </td>
            <td className="number nowrap">
              {formatWhole(curve.steps)}
              {curve.stepsPlanned && <span className="muted"> / {formatWhole(curve.stepsPlanned)}</span>}
            </td>
            <td className="number strong">{curve.loss.at(-1)?.toFixed(4) ?? "–"}</td>
            <td className="small nowrap">
              {curve.validation.map((set) => (
                <HeldOut key={set.name} set={set} />
              ))}
            </td>
            <td className="number">{formatCount(Math.round(mean(curve.tokensPerSecond.slice(-50))))}</td>
            <td className="number">{curve.parameters === undefined ? "–" : formatCount(curve.parameters)}</td>
            <td className="nowrap">
              {curve.engine ?? "–"} <span className="muted">{curve.precision}</span>
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

function HeldOut({ set }: { set: TrainingCurve["validation"][number] }) {
  const bits = set.bitsPerByte.at(-1);
  return (
    <div>
      <span className="muted">{set.name}</span> {set.loss.at(-1)?.toFixed(4) ?? "–"}
      {bits != null && <span className="muted tiny"> {bits.toFixed(3)} bits/byte</span>}
    </div>
  );
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Every checkpoint of each training, and what the model wrote there. */
export function Checkpoints({ list, name }: Props) {
  const wrote = list.some(({ curve }) => curve.samplesGenerated.length > 0);
  return (
    <Card
      title={wrote ? "Checkpoints and what the model wrote there" : "Checkpoints"}
      actions={
        !wrote && (
          <span className="small muted">
            prompts under <code>samples</code> of a training show what it writes at each
          </span>
        )
      }
    >
      <div className="stack">
        {list.map(({ key, curve }) => (
          <section key={key} className="checkpoint-row" aria-label={`checkpoints of ${name(key)}`}>
            <h3 className="clip">{name(key)}</h3>
            {curve.checkpoints.length === 0 && <p className="muted small">No checkpoint yet.</p>}
            <ul className="checkpoints">
              {curve.checkpoints.map(({ step, seconds, kept }) => (
                <li
                  key={step}
                  className={kept ? "" : "gone"}
                  title={`saved in ${seconds.toFixed(2)} s${kept ? "" : "; removed since, as the recipe says how many are kept"}`}
                >
                  step {formatWhole(step)}
                  {!kept && <span className="sr-only"> (removed since)</span>}
                </li>
              ))}
            </ul>
            {curve.samplesGenerated.map(({ step, samples }) =>
              samples.map(({ prompt, text }) => (
                <blockquote key={`${step} ${prompt}`}>
                  <span className="tiny muted">step {formatWhole(step)}</span>
                  <p>
                    <span className="muted">{prompt}</span>
                    {text}
                  </p>
                </blockquote>
              )),
            )}
          </section>
        ))}
      </div>
    </Card>
  );
}
