/* Where the agent can be talked to: its page, other people's pages, and code. */

import { useState } from "react";

import { LinkButton } from "../../../ui/button";
import { Code } from "../../../ui/copy";
import { SelectField, TextArea } from "../../../ui/field";
import { Card } from "../../../ui/page";
import { useDraft, type Changes } from "../draft";
import { DraftSelect } from "../fields";
import { listSnippets } from "./snippets";
import { TalkButton } from "./talk-button";

const VISIBILITIES = [
  ["private", "Private: only you, with a key or a ticket"],
  ["unlisted", "Unlisted: whoever has the link"],
  ["public", "Public: everybody"],
] as const;

export default function Deploy() {
  const { agent } = useDraft();
  const link = `${location.origin}/agent/${agent.id}`;
  return (
    <>
      <Card side title="Who may talk to it">
        <DraftSelect name="visibility" label="Visibility" options={VISIBILITIES} />
        <AllowedOrigins />
      </Card>
      <Card side title="Its own page" aside={<LinkButton small href={`/agent/${agent.id}`}>Open</LinkButton>}>
        <Code wrap title="Link" code={link} />
      </Card>
      <TalkButton />
      <FromCode agentId={agent.id} />
      <Card side title="By telephone">
        <p>
          A telephone line is connected over the WebSocket: a bridge sends the caller's sound as <code>audioIn</code> with{" "}
          <code>inputEncoding: "mulaw"</code> and plays <code>audioStream</code>. The <a href="/docs">API reference</a> has the rest.
        </p>
      </Card>
    </>
  );
}

function AllowedOrigins() {
  const { value, set, errorOf } = useDraft();
  return (
    <TextArea
      label="Pages it may be on" mono rows={2} placeholder="https://www.example.com"
      note="One origin a line. Empty: any page. Who has a key or a ticket may talk from anywhere."
      value={value("allowedOrigins").join("\n")} error={errorOf("allowedOrigins")}
      onChange={(event) => set("allowedOrigins", (event.target.value ? event.target.value.split("\n") : []) as Changes["allowedOrigins"])}
    />
  );
}

function FromCode({ agentId }: { agentId: string }) {
  const snippets = listSnippets(agentId, location.origin);
  const [name, setName] = useState(snippets[0]?.name ?? "");
  const shown = snippets.find((each) => each.name === name);
  return (
    <Card side title="From code">
      <SelectField label="Written in" value={name} onChange={(event) => setName(event.target.value)}>
        {snippets.map((each) => <option key={each.name}>{each.name}</option>)}
      </SelectField>
      {shown && <p>{shown.note}</p>}
      {shown && <Code code={shown.code} title={shown.name} />}
    </Card>
  );
}
