/* The first page: it talks. One agent is ready; beside it, what to do next. */

import { useState } from "react";
import { Link } from "wouter";

import { LinkButton } from "../../ui/button";
import { Curl } from "../../ui/copy";
import { SelectField } from "../../ui/field";
import { Icon } from "../../ui/icons";
import { Card, Empty, Failure, Notice, Page, Waiting } from "../../ui/page";
import { TalkPanel } from "../../ui/talk-panel";
import { useAgents, type Agent } from "../agents/agents";
import styles from "./home.module.css";

export default function Home() {
  const agents = useAgents();
  const [chosen, setChosen] = useState("");
  const agent = agents.data?.find(({ id }) => id === chosen) ?? agents.data?.[0];
  return (
    <Page title="Home" lead="Talk to your agent. Your browser asks for the microphone when you start, not before.">
      <Failure error={agents.error} />
      {agents.isPending && <Waiting what="Loading…" />}
      {agents.data?.length === 0 && (
        <Empty title="No agents yet">
          <p>Make an agent to talk to.</p>
          <LinkButton href="/my-agents" kind="primary">Your agents</LinkButton>
        </Empty>
      )}
      {agent && agents.data && (
        <div className={styles.home}>
          <Card title={agents.data.length > 1 ? "Talk to" : agent.displayName} aside={agents.data.length > 1 && <Choice agents={agents.data} chosen={agent.id} onChoose={setChosen} />}>
            {agent.answeredBy === "built-in-extractive" && (
              <Notice kind="calm"><p>No language model configured: it answers with sentences from what it knows. <Link href={`/my-agents/${agent.id}/llm`}>Connect yours</Link></p></Notice>
            )}
            <div className={styles.talk}><TalkPanel key={agent.id} agentId={agent.id} /></div>
          </Card>
          <Next agent={agent} />
        </div>
      )}
    </Page>
  );
}

function Choice({ agents, chosen, onChoose }: { agents: readonly Agent[]; chosen: string; onChoose: (id: string) => void }) {
  return (
    <SelectField label="Agent" unlabelled value={chosen} onChange={(event) => onChoose(event.target.value)}>
      {agents.map(({ id, displayName }) => <option key={id} value={id}>{displayName}</option>)}
    </SelectField>
  );
}

function Step({ href, name, isDone = false, children }: { href: string; name: string; isDone?: boolean; children: string }) {
  return (
    <li data-done={isDone || undefined}>
      <span className={styles.sign}>{isDone && <><Icon name="check" size={14} /><span className="unseen">Done</span></>}</span>
      <div><Link href={href}>{name}</Link><p>{children}</p></div>
    </li>
  );
}

function Next({ agent }: { agent: Agent }) {
  const at = `/my-agents/${agent.id}`;
  return (
    <div className={styles.next}>
      <Card title="What next">
        <ol className={styles.steps}>
          <Step href={`${at}/llm`} name="Connect your LLM" isDone={agent.llm !== null}>Any OpenAI-compatible server. It is tried with a real question before it is saved.</Step>
          <Step href={`${at}/knowledge`} name="Give it something to know" isDone={Boolean(agent.criticalKnowledge)}>Files, web pages, or a text; then ask about it aloud.</Step>
          <Step href={`${at}/actions`} name="Let it do things" isDone={agent.actions.length + agent.mcpServers.length > 0}>Functions on your servers, MCP tools, or just hanging up.</Step>
          <Step href={`${at}/deploy`} name="Put it where people are">A link, one tag on your page, or a few lines of code.</Step>
          <Step href="/conversations" name="Read what was said">With the sound, and where the time of each turn went.</Step>
        </ol>
      </Card>
      <Curl title="Its settings by REST" path={`/api/v1/agents/${agent.id}`} />
    </div>
  );
}
