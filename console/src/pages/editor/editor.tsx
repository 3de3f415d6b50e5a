/* One agent: a tab for each part of it, and a bar with what is not saved yet. */

import { lazy, Suspense, useEffect, useRef, useState, type ComponentType, type ReactNode } from "react";
import { Link, Redirect } from "wouter";

import { Boundary } from "../../ui/boundary";
import { Button, LinkButton } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { Icon } from "../../ui/icons";
import { Badge, Card, Failure, Notice, Page, Waiting } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import { TalkPanel } from "../../ui/talk-panel";
import { useAgent, VISIBILITY } from "../agents/agents";
import { DraftProvider, useDraft } from "./draft";
import styles from "./editor.module.css";
import { readDetails, tabOf, tell } from "./refusal";
import { SaveBar } from "./save-bar";

type Load = () => Promise<{ default: ComponentType }>;

const PARTS: Readonly<Record<string, readonly [string, Load]>> = {
  identity: ["Identity", () => import("./identity")],
  behaviour: ["Behaviour", () => import("./behaviour")],
  llm: ["LLM", () => import("./llm/llm")],
  knowledge: ["Knowledge", () => import("./knowledge/knowledge")],
  actions: ["Actions", () => import("./actions/actions")],
  deploy: ["Deploy", () => import("./deploy/deploy")],
  versions: ["Versions", () => import("./versions/tab")],
};
const TABS = Object.fromEntries(Object.entries(PARTS).map(([path, [name, load]]) => [path, [name, lazy(load)] as const]));

export default function Editor({ id, tab }: { id: string; tab: string }) {
  const agent = useAgent(id);
  useEffect(() => void PARTS[tab]?.[1]().catch(() => {}), [tab]); // beside the agent; what fails is tried again
  if (!TABS[tab]) return <Redirect to={`/my-agents/${id}/identity`} replace />;
  if (agent.isPending) return <Waiting what="Loading the agent…" />;
  if (agent.error) return <Page title="Agent"><Failure error={agent.error} /></Page>;
  return <DraftProvider key={id} agent={agent.data}><Opened tab={tab} /></DraftProvider>;
}

/** Why nothing was saved, and where to look. */
function SaveFailure({ error, tab }: { error: unknown; tab: string }) {
  const { agent } = useDraft();
  const details = readDetails(error);
  if (!details.length) return <Failure error={error} />;
  const isBelow = (field: string) => tab === "llm" && tabOf(field) === "llm"; // with the check's evidence
  const elsewhere = [...new Set(details.map(({ field }) => tabOf(field)))].filter((each) => each !== tab);
  return (
    <Notice>
      <p>Nothing was saved.{details.some(({ field }) => isBelow(field)) && " What the check of your LLM found stands below."}</p>
      {details.filter(({ code, field }) => !code || !isBelow(field)).map((detail) => <p key={detail.message}>{tell(detail)} {detail.fix}</p>)}
      {elsewhere.map((each) => <p key={each}>Look at <Link href={`/my-agents/${agent.id}/${each}`}>{TABS[each]?.[0]}</Link>.</p>)}
    </Notice>
  );
}

/** Stands where it is seen: who saves may have scrolled far down. */
function InSight({ of, children }: { of: unknown; children: ReactNode }) {
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => void shown.current?.scrollIntoView({ block: "center" }), [of]); // what it gives is no way to undo it
  return <div ref={shown}>{children}</div>;
}

function Opened({ tab }: { tab: string }) {
  const { agent, value, error, changes } = useDraft();
  const [talks, setTalks] = useState(false);
  const Shown = TABS[tab]?.[1];
  const tabs = Object.entries(TABS).map(([path, [name]]) => ({ name, href: `/my-agents/${agent.id}/${path}`, isCurrent: path === tab }));
  return (
    <Page
      title={value("displayName") || "No name"}
      lead={<><code>{agent.id}</code> <CopyButton text={agent.id} bare label="Copy the id" /> <Badge>{VISIBILITY[agent.visibility]}</Badge></>}
      actions={(
        <>
          <LinkButton href={`/agent/${agent.id}`}>Talk page</LinkButton>
          <Button kind={talks ? "plain" : "primary"} aria-expanded={talks} onClick={() => setTalks(!talks)}>
            <Icon name={talks ? "cross" : "talk"} />{talks ? "Close" : "Talk"}
          </Button>
        </>
      )}
    >
      <Tabs label="Parts of the agent" tabs={tabs} />
      <div className={styles.editor} data-talks={talks || undefined}>
        <div className={styles.tab}>
          {error != null && <InSight of={error}><SaveFailure error={error} tab={tab} /></InSight>}
          <Boundary at={tab}><Suspense fallback={<Waiting what="Loading…" />}>{Shown && <Shown />}</Suspense></Boundary>
          <SaveBar />
        </div>
        {talks && (
          <div className={styles.panel}>
            <Card title="Talk">
              {Object.keys(changes).length > 0 && <Notice kind="warning"><p>You talk to the agent as it was saved.</p></Notice>}
              <TalkPanel agentId={agent.id} />
            </Card>
          </div>
        )}
      </div>
    </Page>
  );
}
