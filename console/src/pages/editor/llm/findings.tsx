/* What a check found: stage by stage, each finding with what to do about it. */

import { Button } from "../../../ui/button";
import { Badge, Failure, Notice } from "../../../ui/page";
import { showMs } from "../../../ui/times";
import type { Check, Finding, Stage } from "./check";
import styles from "./findings.module.css";

const KINDS = { ok: "good", warning: "warning", failed: "danger", skipped: undefined } as const;
/** The stages in the order in which they are gone through. A later server may know more. */
const STAGES: Readonly<Record<string, string>> = {
  url: "Address", outbound: "May be called", dns: "Name", connect: "Connection", tls: "Encryption", http: "Answer", content: "Its form",
  first_token: "First words", cadence: "Pace", end: "End", answer: "Sense", conversation: "A second turn",
};
const STATES: Readonly<Record<string, string>> = { ok: "good", warning: "warning", failed: "failed", skipped: "skipped" };
const SEVERITY = { error: "Error", warning: "Warning", note: "Note" } as const;

interface CheckResultProps {
  check: Check;
  /** Takes the URL that was found to work. */
  onUseUrl: (url: string) => void;
}

export function CheckResult({ check, onUseUrl }: CheckResultProps) {
  const { report, findings, stages, isRunning, error } = check;
  return (
    <div aria-live="polite" aria-busy={isRunning} className={styles.result}>
      <Failure error={error} />
      {isRunning && <Notice kind="calm"><p>A real question is being asked…</p></Notice>}
      {report && <Verdict report={report} />}
      {report?.suggestion && (
        <Notice kind="warning">
          <p>Another address works: <code>{report.suggestion}</code></p>
          <div><Button small onClick={() => onUseUrl(report.suggestion ?? "")}>Use the proposed URL</Button></div>
        </Notice>
      )}
      {stages.length > 0 && <Stages stages={stages} />}
      {findings.length > 0 && <FindingList findings={findings} />}
      {report?.answer && <p className={styles.answer}>It said: “{report.answer}”</p>}
    </div>
  );
}

function Verdict({ report }: { report: NonNullable<Check["report"]> }) {
  const first = report.firstTokenMs === null ? "" : ` Its first words came after ${showMs(report.firstTokenMs)}.`;
  return report.ok
    ? <Notice kind="good"><p>It works.{first}</p></Notice>
    : <Notice><p>It cannot be used like this.</p></Notice>; // the findings say why
}

function Stages({ stages }: { stages: readonly Stage[] }) {
  return (
    <ul className={styles.stages} aria-label="Stages of the check">
      {stages.map(({ name, state, ms }) => {
        const kind = KINDS[state];
        return <li key={name}><Badge {...(kind && { kind })}>{STAGES[name] ?? name}: {ms !== null && state === "ok" ? showMs(ms) : STATES[state]}</Badge></li>;
      })}
    </ul>
  );
}

export function FindingList({ findings }: { findings: readonly Finding[] }) {
  return <ul className={styles.findings}>{findings.map((finding, n) => <FindingItem key={n} finding={finding} />)}</ul>;
}

function FindingItem({ finding }: { finding: Finding }) {
  const { code, message, fix, severity, evidence } = finding;
  return (
    <li className={[styles.finding, severity !== "note" && styles[severity]].filter(Boolean).join(" ")}>
      <p>{SEVERITY[severity]}: {message}</p>
      {fix && <p className={styles.fix}>{fix}</p>}
      {evidence && !message.includes(evidence) && <code className={styles.evidence}>{evidence}</code>}
      <p><code>{code}</code></p>
    </li>
  );
}
