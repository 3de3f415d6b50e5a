/* All agents of the account, however they were made. */

import { useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import { copyText } from "../../ui/copy";
import { Button, LinkButton } from "../../ui/button";
import { Curl } from "../../ui/copy";
import { TextField } from "../../ui/field";
import { Icon } from "../../ui/icons";
import { MoreMenu } from "../../ui/menu";
import { Badge, Empty, Failure, Page, Waiting } from "../../ui/page";
import { saveJson } from "../../ui/save";
import { useSay } from "../../ui/toast";
import { useAgents, useDelete, useDuplicate, useNewAgent, useUndelete, VISIBILITY, type Agent } from "./agents";
import { Avatar } from "./avatar";
import { exportAgent, readAgentFile } from "./exchange";
import styles from "./my-agents.module.css";

const NEW_AGENT = {
  displayName: "New agent",
  greeting: "Hello! How can I help you?",
  prompt: "You are a friendly assistant. Answer briefly.",
} as const;

export default function MyAgents() {
  const agents = useAgents();
  const make = useNewAgent();
  const [, go] = useLocation();
  const [search, setSearch] = useState("");
  const create = () => make.mutate(NEW_AGENT, { onSuccess: (agent) => go(`/my-agents/${agent.id}/identity`) });
  const found = (agents.data ?? []).filter((agent) => isFound(agent, search));
  return (
    <Page
      title="Agents"
      actions={<><ImportButton />{agents.data?.length !== 0 && <Button kind="primary" busy={make.isPending} onClick={create}><Icon name="plus" />New agent</Button>}</>}
    >
      <Failure error={agents.error ?? make.error} />
      {agents.isPending && <Waiting what="Loading the agents…" />}
      {agents.data?.length === 0 && (
        <Empty title="No agents yet">
          <p>An agent is a voice with a prompt, and with an LLM of your own or none. Make one here, or by REST:</p>
          <Button kind="primary" busy={make.isPending} onClick={create}><Icon name="plus" />New agent</Button>
          <Curl method="POST" path="/api/v1/agents" body={NEW_AGENT} />
        </Empty>
      )}
      {agents.data && agents.data.length > 0 && (
        <>
          <div className={styles.search}>
            <TextField label="Search agents" unlabelled type="search" placeholder="Search by name, id or prompt" value={search} onChange={(event) => setSearch(event.target.value)} />
          </div>
          {found.length ? <ul className={styles.list}>{found.map((agent) => <Row key={agent.id} agent={agent} />)}</ul> : <Empty title="No such agent"><p role="status">None has “{search}” in its name, id or texts.</p><Button onClick={() => setSearch("")}>Show all</Button></Empty>}
        </>
      )}
    </Page>
  );
}

function isFound(agent: Agent, search: string): boolean {
  const texts = [agent.displayName, agent.id, agent.description, agent.prompt ?? "", agent.llm?.baseURL ?? ""];
  return texts.join("\n").toLowerCase().includes(search.trim().toLowerCase());
}

const ANSWERED_BY = { "llm": "Your LLM", "built-in-llm": "Built-in LLM", "built-in-extractive": "No language model" } as const;

function Row({ agent }: { agent: Agent }) {
  const say = useSay();
  const [, go] = useLocation();
  const remove = useDelete();
  const bringBack = useUndelete();
  const duplicate = useDuplicate();
  const fail = (error: Error) => say(error.message);
  const items = [
    { label: "Edit", icon: "edit", onChoose: () => go(`/my-agents/${agent.id}/identity`) },
    { label: "Copy the id", icon: "copy", onChoose: () => void copyText(agent.id).then(() => say("The id is copied."), fail) },
    { label: "Conversations", icon: "conversations", onChoose: () => go(`/conversations?agentId=${agent.id}`) },
    { label: "Duplicate", icon: "duplicate", onChoose: () => duplicate.mutate(agent.id, { onSuccess: (made) => say(`“${made.displayName}” is made.`), onError: fail }) },
    { label: "Export as JSON", icon: "download", onChoose: () => saveJson(exportAgent(agent), `${agent.id}.json`) },
    {
      label: "Delete", icon: "trash", danger: true, onChoose: () => remove.mutate(agent.id, {
        onSuccess: () => say(`“${agent.displayName}” is deleted.`, { undo: () => bringBack.mutate(agent.id, { onError: fail }) }),
        onError: fail,
      }),
    },
  ] as const;
  return (
    <li className={styles.agent}>
      <Avatar name={agent.displayName} url={agent.avatarPhotoUrl} />
      <div className={styles.who}>
        <Link href={`/my-agents/${agent.id}/identity`}>{agent.displayName || "No name"}</Link>
        <p>{agent.description || agent.prompt || agent.id}</p>
        <div className={styles.badges}>
          <Badge>{VISIBILITY[agent.visibility]}</Badge>
          <Badge {...(agent.answeredBy === "built-in-extractive" ? { kind: "warning" } : {})}>{ANSWERED_BY[agent.answeredBy]}</Badge>
          {agent.llmIssues.length > 0 && <Badge kind="warning">{agent.llmIssues.length === 1 ? "1 finding" : `${agent.llmIssues.length} findings`} about its LLM</Badge>}
        </div>
      </div>
      <div className={styles.do}>
        <LinkButton href={`/agent/${agent.id}`}><Icon name="talk" />Talk</LinkButton>
        <MoreMenu label={`More about ${agent.displayName}`} items={items} />
      </div>
    </li>
  );
}

function ImportButton() {
  const make = useNewAgent();
  const say = useSay();
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    try {
      const made = await make.mutateAsync(readAgentFile(await file.text()));
      say(`“${made.displayName}” is imported. Keys and functions are not in such files: give it its own.`);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <input ref={input} type="file" accept="application/json,.json" hidden onChange={(event) => {
        void read(event.target.files?.[0]);
        event.target.value = "";
      }} />
      <Button busy={make.isPending} onClick={() => input.current?.click()}>Import</Button>
    </>
  );
}
