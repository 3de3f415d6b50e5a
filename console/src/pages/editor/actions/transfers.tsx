/* People the agent may hand its caller on to. */

import type { Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { TextField } from "../../../ui/field";
import { Card } from "../../../ui/page";
import { useDraft, type Changes } from "../draft";
import editor from "../editor.module.css";
import styles from "./actions.module.css";

type Destination = Schemas["TransferDestination"];

const MOST_DESTINATIONS = 20;
const NEW: Destination = { name: "", phoneNumber: "", when: "" };

export function Transfers() {
  const { value, set } = useDraft();
  const destinations = value("transferDestinations") as Destination[];
  const setAll = (next: Destination[]) => set("transferDestinations", next as Changes["transferDestinations"]);
  return (
    <Card side title="Hand the caller on">
      {destinations.length === 0 && <p>Name people or desks, and when callers are handed on to them. It works on telephone lines, and for programs that say they can do it (<code>canTransfer</code>).</p>}
      {destinations.map((destination, n) => (
        <DestinationFields
          key={n} destination={destination} at={`transferDestinations.${n}`}
          onChange={(next) => setAll(destinations.map((each, at) => (at === n ? next : each)))}
          onRemove={() => setAll(destinations.filter((_, at) => at !== n))}
        />
      ))}
      {destinations.length < MOST_DESTINATIONS && <div><Button onClick={() => setAll([...destinations, NEW])}>Add somebody</Button></div>}
    </Card>
  );
}

interface DestinationProps {
  destination: Destination;
  /** Its place among the fields of the agent. */
  at: string;
  onChange: (destination: Destination) => void;
  onRemove: () => void;
}

function DestinationFields({ destination, at, onChange, onRemove }: DestinationProps) {
  const { errorOf } = useDraft();
  const change = (part: Partial<Destination>) => onChange({ ...destination, ...part });
  return (
    <fieldset className={styles.server} aria-label={destination.name || "New"}>
      <div className={editor.columns}>
        <TextField label="Who" required maxLength={60} placeholder="The front desk" value={destination.name} error={errorOf(`${at}.name`)} onChange={(event) => change({ name: event.target.value })} />
        <TextField label="Telephone number" required mono placeholder="+15550100123" note="With its country code, or a sip: address. The LLM does not see it." value={destination.phoneNumber} error={errorOf(`${at}.phoneNumber`)} onChange={(event) => change({ phoneNumber: event.target.value.trim() })} />
      </div>
      <TextField label="When" required maxLength={500} placeholder="the caller wants to order for more than 20 people" value={destination.when} error={errorOf(`${at}.when`)} onChange={(event) => change({ when: event.target.value })} />
      <TextField label="Said before" maxLength={250} placeholder="The usual sentence" value={destination.message ?? ""} error={errorOf(`${at}.message`)} onChange={(event) => change({ message: event.target.value || null })} />
      <div><Button small kind="danger" onClick={onRemove}>Remove</Button></div>
    </fieldset>
  );
}
