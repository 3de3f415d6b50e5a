/* Files or pages, each with how far it is and what went wrong. */

import { Badge } from "../../../ui/page";
import { MoreMenu, type MenuItem } from "../../../ui/menu";
import { showAgo, showCount } from "../../../ui/times";
import styles from "./knowledge.module.css";
import { isUnderWay, type Source } from "./sources";

const STATES = { queued: "Queued", reading: "Reading", embedding: "Embedding", ready: "Ready", failed: "Failed" } as const;
const KINDS = { queued: undefined, reading: "accent", embedding: "accent", ready: "good", failed: "danger" } as const;

interface SourceListProps<Listed extends Source> {
  label: string;
  sources: readonly Listed[];
  /** What is said of one beside its state. */
  about: (source: Listed) => string;
  items: (source: Listed) => readonly MenuItem[];
}

export function SourceList<Listed extends Source>({ label, sources, about, items }: SourceListProps<Listed>) {
  return (
    <ul className={styles.sources} aria-label={label}>
      {sources.map((source) => (
        <li key={source.id} className={styles.source}>
          <div>
            <p className={styles.name}>{source.name}</p>
            <p className={styles.about}>
              <State source={source} />
              {about(source)} · {showCount(source.passages, "passage")} · {showAgo(source.updatedAt)}
            </p>
          </div>
          <MoreMenu label={`More about ${source.name}`} items={items(source)} />
          {isUnderWay(source) && <Progress source={source} />}
          {source.reason && <p className={styles.why}>{source.reason}{source.searchable && " What it said before can still be found."}</p>}
          {source.notes.map((note) => <p key={note} className={styles.notes}>{note}</p>)}
        </li>
      ))}
    </ul>
  );
}

function State({ source }: { source: Source }) {
  const kind = KINDS[source.state];
  return <Badge {...(kind && { kind })}>{STATES[source.state]}</Badge>;
}

function Progress({ source: { name, progress } }: { source: Source }) {
  const known = progress.total > 0 ? { value: progress.done, max: progress.total } : {};
  return <progress aria-label={`Progress of ${name}`} {...known} />;
}
