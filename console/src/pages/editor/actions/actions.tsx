/* What the agent can do beside talking. */

import { useState } from "react";

import { Button } from "../../../ui/button";
import { Toggle } from "../../../ui/field";
import { Card, Failure } from "../../../ui/page";
import { FunctionDialog } from "../../functions/function-dialog";
import { useFunctions, type ExternalFunction } from "../../functions/functions";
import { TryDialog } from "../../functions/try-dialog";
import { useDraft, type Changes } from "../draft";
import { DraftText } from "../fields";
import styles from "./actions.module.css";
import { McpServers } from "./mcp";
import { PageEvents } from "./page-events";
import { Transfers } from "./transfers";

const BUILT_IN = [
  ["end-call", "End the call", "Says goodbye and hangs up when the caller is done."],
  ["current-time", "Tell the time", "Knows the time and the date, in any time zone."],
  ["leave-message", "Take a message", "Writes down what the caller wants to leave for you."],
  ["switch-language", "Switch the language", "Where the speech engines of this server know more than one."],
] as const;

export default function Actions() {
  return (
    <>
      <BuiltIn />
      <Functions />
      <McpServers />
      <Transfers />
      <PageEvents />
    </>
  );
}

function BuiltIn() {
  const { value, set } = useDraft();
  const chosen = value("builtInActions") as readonly string[];
  const choose = (name: string, isChosen: boolean) =>
    set("builtInActions", (isChosen ? [...chosen, name] : chosen.filter((each) => each !== name)) as Changes["builtInActions"]);
  return (
    <Card side title="Built in">
      <div className={styles.choices}>
        {BUILT_IN.map(([name, label, note]) => (
          <Toggle key={name} label={label} note={note} checked={chosen.includes(name)} onChange={(event) => choose(name, event.target.checked)} />
        ))}
      </div>
      {chosen.includes("current-time") && <DraftText name="timeZone" label="Time zone" placeholder="UTC" note="By its IANA name, such as Europe/Vienna." />}
    </Card>
  );
}

function Functions() {
  const { value, set } = useDraft();
  const functions = useFunctions();
  const [isAdding, setAdding] = useState(false);
  const [tried, setTried] = useState<ExternalFunction | null>(null);
  const chosen = value("actions");
  const choose = (id: string, isChosen: boolean) => set("actions", isChosen ? [...chosen, id] : chosen.filter((each) => each !== id));
  return (
    <Card side title="External functions" aside={<Button small onClick={() => setAdding(true)}>New function</Button>}>
      <Failure error={functions.error} />
      {functions.data?.length === 0 && <p>No functions yet. A function is an HTTP endpoint of yours that the agent's LLM may call: look something up, book a visit.</p>}
      <div className={styles.choices}>
        {functions.data?.map((each) => (
          <div key={each.id} className={styles.choice}>
            <Toggle label={each.name} note={each.description} checked={chosen.includes(each.id)} onChange={(event) => choose(each.id, event.target.checked)} />
            <Button small aria-label={`Try it: ${each.name}`} onClick={() => setTried(each)}>Try it</Button>
          </div>
        ))}
      </div>
      {isAdding && <FunctionDialog edited={null} onClose={() => setAdding(false)} onSaved={({ id }) => choose(id, true)} />}
      {tried && <TryDialog tried={tried} onClose={() => setTried(null)} />}
    </Card>
  );
}
