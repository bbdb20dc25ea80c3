import { useEffect, useState } from "react";
import type { SetDetail } from "../../../src/serve/studio-types.ts";
import { request, sendJson, useApi } from "../api.ts";
import { formatTime, formatWhole } from "../format.ts";
import { Await, Badge, Card, CopyButton, copyText, download, Figure, Figures, PageHead } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { hidden, number, Table } from "../parts/table.tsx";
import { Link } from "../router.tsx";
import { Results } from "./review-results.tsx";

/** One set: reviewers and their links, results, exports. */
export function ReviewSetPage({ id }: { id: string }) {
  const detail = useApi<SetDetail>(`/api/review/sets/${encodeURIComponent(id)}`);
  const { reload } = detail;
  const active = detail.data?.generating.active ?? false;
  useEffect(() => {
    const timer = setInterval(reload, active ? 1500 : 10_000);
    return () => clearInterval(timer);
  }, [reload, active]);
  return (
    <Await of={detail} lines={8}>
      {(set) => (
        <>
          <PageHead
            title={set.name}
            crumbs={
              <>
                <Link href="/review">Review</Link> / {set.id}
              </>
            }
            actions={
              <>
                <ExportButton id={set.id} format="reviews" label="Reviews (JSONL)" />
                {set.kind === "pairs" && <ExportButton id={set.id} format="preferences" label="Preference pairs" />}
                <button
                  type="button"
                  className="button"
                  onClick={async () => {
                    await sendJson("PUT", `/api/review/sets/${set.id}/closed`, { closed: set.closed === null });
                    reload();
                  }}
                >
                  {set.closed === null ? "Close" : "Open again"}
                </button>
              </>
            }
          >
            {set.instructions}
          </PageHead>
          <div className="stack">
            <Figures>
              <Figure label="kind">
                <span className="figure-time">{set.kind === "pairs" ? "blind pairs" : "single answers"}</span>
              </Figure>
              <Figure label="items">{formatWhole(set.counts.items)}</Figure>
              <Figure label="tasks">{formatWhole(set.counts.tasks)}</Figure>
              <Figure label="reviews" note={set.counts.drafts > 0 ? `and ${set.counts.drafts} drafts` : undefined}>
                {formatWhole(set.counts.done)}
              </Figure>
              <Figure label="reviewers">{formatWhole(set.counts.reviewers)}</Figure>
            </Figures>
            {set.generating.missing > 0 && <Generating set={set} reload={reload} />}
            <Reviewers set={set} reload={reload} />
            <Results set={set} />
          </div>
        </>
      )}
    </Await>
  );
}

function ExportButton({ id, format, label }: { id: number; format: "reviews" | "preferences"; label: string }) {
  return (
    <button
      type="button"
      className="button"
      onClick={async () => {
        const response = await request(`/api/review/sets/${id}/export?format=${format}`);
        download(`${format}-${id}.jsonl`, await response.text(), "application/jsonl");
      }}
    >
      <Icon name="download" size={15} /> {label}
    </button>
  );
}

function Generating({ set, reload }: { set: SetDetail; reload: () => void }) {
  const total = set.counts.items * (set.generation?.models.length ?? 1);
  return (
    <div className={`notice ${set.generating.problem ? "bad" : ""}`} role="status">
      <Icon name={set.generating.problem ? "warning" : "info"} />
      <div className="grow stack tight">
        <span>
          {formatWhole(set.counts.answers)} of {formatWhole(total)} answers are written
          {set.generating.active ? "; the set can be reviewed meanwhile." : "."} {set.generating.problem}
        </span>
        <span className="bar" aria-hidden="true">
          <i style={{ width: `${(100 * set.counts.answers) / total}%` }} />
        </span>
      </div>
      {!set.generating.active && (
        <button
          type="button"
          className="button"
          onClick={async () => {
            await sendJson("POST", `/api/review/sets/${set.id}/answers`, {});
            reload();
          }}
        >
          Go on writing
        </button>
      )}
    </div>
  );
}

function Reviewers({ set, reload }: { set: SetDetail; reload: () => void }) {
  const [name, setName] = useState("");
  const [link, setLink] = useState<{ name: string; url: string }>();
  const linkOf = (secret: string) => `${location.origin}/invite#${secret}`;
  const show = async (who: string, secret: string) => {
    const url = linkOf(secret);
    setLink({ name: who, url });
    await copyText(url);
    reload();
  };
  return (
    <Card title="Reviewers" flush>
      <div className="padded stack">
        <form
          className="row"
          onSubmit={async (event) => {
            event.preventDefault();
            const { secret } = await sendJson<{ secret: string }>("POST", `/api/review/sets/${set.id}/reviewers`, {
              name,
            });
            setName("");
            await show(name, secret);
          }}
        >
          <label className="grow">
            <span className="sr-only">name of a clinician</span>
            <input
              type="text"
              className="wide"
              value={name}
              maxLength={120}
              placeholder="name of a clinician"
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <button type="submit" className="button primary" disabled={name.trim() === ""}>
            <Icon name="link" size={16} /> Invite
          </button>
        </form>
        {link && (
          <div className="notice" role="status">
            <Icon name="link" />
            <div className="grow stack tight">
              <span>
                The link of <strong>{link.name}</strong>, copied. It is shown this once: whoever has it reviews under
                this name.
              </span>
              <code className="invite-link">{link.url}</code>
            </div>
            <CopyButton text={link.url} />
          </div>
        )}
      </div>
      {set.reviewers.length > 0 && (
        <Table columns={["reviewer", number("done"), number("drafts"), "last saved", hidden("actions")]}>
          {set.reviewers.map((reviewer) => (
            <tr key={reviewer.id}>
              <td className="strong">
                {reviewer.name} {reviewer.revoked && <Badge tone="warn">withdrawn</Badge>}
              </td>
              <td className="number">
                {reviewer.done} <span className="muted">of {set.counts.tasks}</span>
              </td>
              <td className="number">{reviewer.drafts}</td>
              <td>{formatTime(reviewer.last ?? undefined)}</td>
              <td className="number nowrap">
                <button
                  type="button"
                  className="button quiet"
                  onClick={async () =>
                    show(
                      reviewer.name,
                      (
                        await sendJson<{ secret: string }>(
                          "POST",
                          `/api/review/sets/${set.id}/reviewers/${reviewer.id}/link`,
                          {},
                        )
                      ).secret,
                    )
                  }
                >
                  New link
                </button>
                {!reviewer.revoked && (
                  <button
                    type="button"
                    className="button quiet danger"
                    onClick={async () => {
                      await request(`/api/review/sets/${set.id}/reviewers/${reviewer.id}`, { method: "DELETE" });
                      reload();
                    }}
                  >
                    Withdraw
                  </button>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
