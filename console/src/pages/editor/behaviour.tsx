/* How the agent behaves: what it says first, what it is told, when it answers and when it hangs up. */

import { useState } from "react";

import { TextArea, TextField, Toggle } from "../../ui/field";
import { Card } from "../../ui/page";
import { isSame } from "./changes";
import { useDraft, type Changes } from "./draft";
import styles from "./editor.module.css";
import { DraftArea, DraftNumber, DraftSelect, DraftText, DraftToggle } from "./fields";
import { readVariables, writeVariables, type Variables } from "./variables";

const PATIENCE = [
  ["eager", "Eager: answers soonest, now and then into a thought"],
  ["normal", "Normal"],
  ["patient", "Patient: for people who think aloud, spell and dictate"],
] as const;

export default function Behaviour() {
  return (
    <>
      <Card side title="What it says">
        <DraftArea name="greeting" label="Greeting" rows={2} maxLength={250} note="Said first. Empty: the agent waits for the caller." />
        <DraftArea name="prompt" label="Prompt" rows={10} maxLength={10_000} note={<>What it is told about itself and its task. <code>{"{{name}}"}</code> is filled in from the variables.</>} />
      </Card>
      <Card side title="Turns">
        <div className={styles.columns}>
          <DraftSelect name="patience" label="Patience" options={PATIENCE} empty="The server's usual" />
          <DraftToggle name="interruptible" label="The caller may interrupt" note="If not, every reply is heard to its end." />
        </div>
      </Card>
      <Card side title="When nobody speaks">
        <Silence />
        <div className={styles.columns}>
          <DraftNumber name="silenceTimeoutSeconds" label="Hang up after silence (seconds)" min={5} max={3600} placeholder="No such limit" />
          <DraftNumber name="maxDurationSeconds" label="Longest conversation (seconds)" min={10} max={43_200} placeholder="The server's usual" />
        </div>
      </Card>
      <Card side title="The end of a call">
        <Goodbye />
        <Phrases />
      </Card>
      <Card side title="Variables">
        <VariableLines />
      </Card>
      <Card side title="Recording">
        <DraftToggle name="recordAudio" label="Record conversations" note="Where the operator records at all. In many places callers must be told: say so in the greeting." />
      </Card>
    </>
  );
}

type Plan = NonNullable<Changes["messagePlan"]>;

function Silence() {
  const { value, set, errorOf } = useDraft();
  const plan = value("messagePlan") as Plan | null;
  const change = (part: Plan) => {
    const kept = Object.fromEntries(Object.entries({ ...plan, ...part }).filter(([, each]) => each !== null)) as Plan;
    set("messagePlan", Object.keys(kept).length ? kept : null);
  };
  const toNumber = (text: string) => (text === "" ? null : Number(text));
  return (
    <>
      <TextArea
        label="Nudges" rows={3} note="One a line, said in turn. Empty: the usual ones." placeholder={"Are you still there?\nTake your time."}
        value={plan?.idleMessages?.join("\n") ?? ""} error={errorOf("messagePlan")}
        onChange={(event) => change({ idleMessages: event.target.value ? event.target.value.split("\n") : null })}
      />
      <div className={styles.columns}>
        <TextField
          label="Silence before each (seconds)" type="number" min={0} max={3600} placeholder="The server's usual" note="0: never."
          value={plan?.idleTimeoutSeconds ?? ""} onChange={(event) => change({ idleTimeoutSeconds: toNumber(event.target.value) })}
        />
        <TextField
          label="How many, before the goodbye" type="number" min={0} max={10} placeholder="The server's usual"
          value={plan?.idleMessageMaxSpokenCount ?? ""} onChange={(event) => change({ idleMessageMaxSpokenCount: toNumber(event.target.value) })}
        />
      </div>
    </>
  );
}

/** Nothing is the usual sentence, an empty text is silence. */
function Goodbye() {
  const { value, set } = useDraft();
  const isSilent = value("endCallMessage") === "";
  return (
    <>
      {!isSilent && <DraftText name="endCallMessage" label="Goodbye" maxLength={250} placeholder="The usual sentence" />}
      <Toggle label="Hang up without a word" checked={isSilent} onChange={(event) => set("endCallMessage", event.target.checked ? "" : null)} />
    </>
  );
}

function VariableLines() {
  const { value, set, errorOf } = useDraft();
  const variables = value("variables") as Variables;
  const [text, setText] = useState(() => writeVariables(variables));
  // Whoever discards what was typed, or restores a version, sees that.
  const shown = isSame(readVariables(text), variables) ? text : writeVariables(variables);
  const change = (next: string) => {
    setText(next);
    set("variables", readVariables(next) as NonNullable<Changes["variables"]>);
  };
  return (
    <TextArea
      label="Names and values" mono rows={3} placeholder={"shop = Nonna's Pizza\ndeliveryMinutes = 45"} value={shown} error={errorOf("variables")}
      note={<>One a line. <code>{"{{shop}}"}</code> in the agent's texts stands for the value, where a conversation brings none of its own.</>}
      onChange={(event) => change(event.target.value)}
    />
  );
}

function Phrases() {
  const { value, set, errorOf } = useDraft();
  return (
    <TextArea
      label="Phrases that end the call" rows={3} note="One a line. Once the agent has said one of them, it hangs up."
      value={value("endCallPhrases").join("\n")} error={errorOf("endCallPhrases")}
      onChange={(event) => set("endCallPhrases", event.target.value ? event.target.value.split("\n") : [])}
    />
  );
}
