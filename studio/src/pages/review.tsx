import { useState } from "react";
import type { SetOverview } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { formatAgo, plural } from "../format.ts";
import { Await, Badge, Card, Empty, PageHead } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { Link } from "../router.tsx";
import { NewSet } from "./review-new.tsx";

/** Review sets: what clinicians judge, who was invited, and what came out. */
export function ReviewPage() {
  const sets = useApi<SetOverview[]>("/api/review/sets");
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHead
        title="Review"
        actions={
          <button type="button" className="button primary" onClick={() => setCreating(true)}>
            <Icon name="plus" size={16} /> New review set
          </button>
        }
      >
        Clinicians compare answers blind, in random order, on the criteria of EPFL's MOOVE.
      </PageHead>
      {creating && <NewSet onClose={() => setCreating(false)} />}
      <Await of={sets}>
        {(list) =>
          list.length === 0 ? (
            <Card>
              <Empty title="No review set yet" icon="review">
                The safety and bias prompts are a ready one: choose the models that shall answer them. Answers of an
                evaluation, or records of your own, make another.
              </Empty>
            </Card>
          ) : (
            <ul className="run-list">
              {list.map((set) => (
                <li key={set.id} className="card">
                  <Link className="run-link" href={`/review/${set.id}`}>
                    <span className="row">
                      <span className="strong">{set.name}</span>
                      <Badge>{set.kind === "pairs" ? "blind pairs" : "single answers"}</Badge>
                      {set.closed && <Badge tone="warn">closed</Badge>}
                      {set.generating.active && (
                        <Badge tone="info" icon="dot">
                          writing answers
                        </Badge>
                      )}
                    </span>
                    <span className="small muted">
                      {plural(set.counts.tasks, "task")} · {plural(set.counts.reviewers, "reviewer")} · made{" "}
                      {formatAgo(set.created)}
                    </span>
                  </Link>
                  <div className="run-figures">
                    <span className="small nowrap">{plural(set.counts.done, "review")}</span>
                    {set.counts.drafts > 0 && (
                      <span className="small muted nowrap">{plural(set.counts.drafts, "draft")}</span>
                    )}
                    <Icon name="forward" size={16} />
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </>
  );
}
