/* Calls a function for real, with values one gives, and shows what was sent and what came. */

import { useState, type FormEvent } from "react";

import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Form } from "../../ui/form";
import { Failure, Notice } from "../../ui/page";
import { showMs } from "../../ui/times";
import { useTrial, type ExternalFunction, type Trial } from "./functions";
import styles from "./functions.module.css";

export function TryDialog({ tried, onClose }: { tried: ExternalFunction; onClose: () => void }) {
  const trial = useTrial(tried.id);
  const [given, setGiven] = useState<Record<string, string>>({});
  const asked = tried.parameters.filter(({ type }) => type !== "const");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const values = asked.filter(({ name }) => given[name]).map(({ name, type }) => [name, typed(given[name] ?? "", type)]);
    trial.mutate(Object.fromEntries(values) as Record<string, unknown>);
  };
  return (
    <Dialog wide title={`Try “${tried.name}”`} isOpen onClose={onClose} foot={<Button onClick={onClose}>Close</Button>}>
      <Form onSubmit={submit}>
        <p>This is a real call of {tried.endpointUrl}.</p>
        {asked.map(({ name, description }) => (
          <TextField key={name} label={name} note={description} value={given[name] ?? ""} onChange={(event) => setGiven({ ...given, [name]: event.target.value })} />
        ))}
        <div><Button type="submit" kind="primary" busy={trial.isPending}>Call it</Button></div>
      </Form>
      <div aria-live="polite" className={styles.stack}>
        <Failure error={trial.error} />
        {trial.data && <Outcome trial={trial.data} />}
      </div>
    </Dialog>
  );
}

function typed(text: string, type: string): unknown {
  if (type === "number") return Number(text);
  return type === "boolean" ? /^(true|yes|1)$/i.test(text) : text;
}

function Outcome({ trial: { ok, finding, status, ms, tries, sent, result } }: { trial: Trial }) {
  const how = [status !== null && `status ${status}`, showMs(ms), tries > 1 && `${tries} tries`].filter(Boolean).join(", ");
  return (
    <>
      <Notice kind={ok ? "good" : "danger"}><p>{ok ? "It worked" : "It failed"}: {how}{finding && ` (${finding})`}</p></Notice>
      <h3>What the LLM is told</h3>
      <pre className={styles.sent} tabIndex={0}>{result}</pre>
      {sent && (
        <>
          <h3>What was sent</h3>
          <pre className={styles.sent} tabIndex={0}>{`${sent.method} ${sent.url}\n${Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${sent.body ?? ""}`.trimEnd()}</pre>
        </>
      )}
    </>
  );
}
