/* Each version that was saved: what changed in it, how it differs from the agent now, and back to it. */

import { useState } from "react";

import { Button } from "../../../ui/button";
import { Curl } from "../../../ui/copy";
import { SelectField } from "../../../ui/field";
import { Badge, Card, Empty, Failure, Notice, Waiting } from "../../../ui/page";
import { showAgo, showMoment } from "../../../ui/times";
import { useSay } from "../../../ui/toast";
import { useDraft } from "../draft";
import { nameField } from "../names";
import { diffAgents, type FieldDiff } from "./diff";
import { useRestore, useVersion, useVersions, type Version } from "./versions";
import styles from "./versions.module.css";

type Against = "before" | "now";

export default function Versions() {
  const { agent } = useDraft();
  const versions = useVersions(agent);
  const [chosen, setChosen] = useState<number | null>(null);
  if (versions.isPending) return <Waiting what="Loading the versions…" />;
  if (versions.error) return <Failure error={versions.error} />;
  const listed = versions.data;
  const at = Math.max(0, listed.findIndex(({ number }) => number === chosen));
  const shown = listed[at];
  if (!shown || listed.length < 2) {
    return (
      <Empty title="No earlier versions yet">
        <p>Each change that you save makes a version. Here you see what changed, and can go back. By REST, too:</p>
        <Curl title="List the versions" path={`/api/v1/agents/${agent.id}/versions`} />
      </Empty>
    );
  }
  return (
    <div className={styles.versions}>
      <Card flush>
        <ol className={styles.list} aria-label="Versions">
          {listed.map((version, n) => <Item key={version.number} version={version} isNow={n === 0} isShown={n === at} onChoose={() => setChosen(version.number)} />)}
        </ol>
      </Card>
      <Shown key={shown.number} version={shown} now={listed[0] ?? shown} before={listed[at + 1]} onRestored={() => setChosen(null)} />
    </div>
  );
}

function Item({ version, isNow, isShown, onChoose }: { version: Version; isNow: boolean; isShown: boolean; onChoose: () => void }) {
  const { number, savedAt, changed } = version;
  return (
    <li>
      <button type="button" className={styles.version} aria-current={isShown || undefined} onClick={onChoose}>
        <span className={styles.name}>Version {number} {isNow ? <Badge kind="accent">Now</Badge> : <span className={styles.when} title={showMoment(savedAt)}>{showAgo(savedAt)}</span>}</span>
        <span className={styles.changed}>{changed.length ? changed.map(nameField).join(", ") : "The first"}</span>
      </button>
    </li>
  );
}

function Shown({ version, now, before, onRestored }: { version: Version; now: Version; before: Version | undefined; onRestored: () => void }) {
  const { agent, changes } = useDraft();
  const isNow = version.number === now.number;
  const [against, setAgainst] = useState<Against>(before ? "before" : "now");
  const other = against === "now" ? now : before;
  const its = useVersion(agent.id, version.number);
  const others = useVersion(agent.id, other?.number);
  const [from, to] = against === "now" ? [its.data, others.data] : [others.data, its.data];
  return (
    <Card title={`Version ${version.number}`} aside={<span>{showMoment(version.savedAt)}</span>}>
      {!isNow && (
        <SelectField label="Show" value={against} onChange={(event) => setAgainst(event.target.value as Against)}>
          {before && <option value="before">What changed in it</option>}
          <option value="now">What changed since then</option>
        </SelectField>
      )}
      <Failure error={its.error ?? others.error} />
      {from && to ? <Fields diffs={diffAgents(from, to)} /> : !its.error && !others.error && <Waiting what="Comparing…" />}
      {!isNow && <Restore version={version} isDirty={Object.keys(changes).length > 0} onRestored={onRestored} />}
      {!isNow && <Curl title="Go back by REST" method="POST" path={`/api/v1/agents/${agent.id}/versions/${version.number}/restore`} />}
    </Card>
  );
}

function Restore({ version: { number }, isDirty, onRestored }: { version: Version; isDirty: boolean; onRestored: () => void }) {
  const { agent } = useDraft();
  const restore = useRestore(agent.id);
  const say = useSay();
  const go = () => restore.mutate(number, {
    onSuccess: () => {
      say(`The agent is as it was in version ${number}. That is a version of its own: nothing is lost.`);
      onRestored();
    },
  });
  return (
    <>
      {isDirty && <Notice kind="warning"><p>Save or discard what is not saved yet; then you can go back.</p></Notice>}
      <Failure error={restore.error} />
      <div>
        <Button kind="primary" busy={restore.isPending} disabled={isDirty} onClick={go}>
          Go back to this version
        </Button>
      </div>
    </>
  );
}

const SIGNS = { gone: "−", new: "+", same: "", cut: "" } as const;
const SAID = { gone: "Before: ", new: "After: ", same: "", cut: "" } as const;

function Fields({ diffs }: { diffs: readonly FieldDiff[] }) {
  if (!diffs.length) return <p>Nothing differs.</p>;
  return (
    <div className={styles.fields}>
      {diffs.map(({ field, lines }) => (
        <section key={field} className={styles.field}>
          <h3>{nameField(field).replace(/^./, (letter) => letter.toUpperCase())}</h3>
          <div className={styles.lines}>
            {lines.map(({ kind, text }, n) => (
              <div key={n} className={styles.line} data-kind={kind}>
                <span aria-hidden="true">{SIGNS[kind]}</span>
                <span>{SAID[kind] && <span className="unseen">{SAID[kind]}</span>}{text || " "}</span>
              </div>
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}
