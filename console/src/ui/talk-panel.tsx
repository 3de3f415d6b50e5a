/* Talks to an agent beside whatever else is on the page: the widget's own panel, in our colours. */

import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { Panel } from "sayso-widget/panel";
import panelCss from "sayso-widget/panel.css?inline";
import { WORDS } from "sayso-widget/words";

import { askJson } from "../api/client";
import styles from "./talk-panel.module.css";

interface TalkPanelProps {
  agentId: string;
  /** A conversation began, or is over: what lists them may look again. */
  onChange?: () => void;
}

export function TalkPanel({ agentId, onChange }: TalkPanelProps) {
  const host = useRef<HTMLDivElement>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  const [over, setOver] = useState<string | null>(null);
  useEffect(() => {
    const shadow = host.current?.shadowRoot ?? host.current?.attachShadow({ mode: "open" });
    if (!shadow) return undefined;
    shadow.adoptedStyleSheets = [sheet];
    const call = document.createElement("div");
    call.className = "call";
    const around = document.createElement("div");
    around.className = "sayso around";
    around.append(call);
    shadow.replaceChildren(around);
    let conversation: string | null = null;
    const panel = new Panel(call, {
      words: WORDS,
      mode: "both",
      connect: () => ({ server: new URL("/", location.href), agentId, getTicket: () => askForTicket(agentId) }),
      connected: (id) => {
        conversation = id;
        changed.current?.();
      },
      state: (state) => {
        if (state !== "ended") setOver(null);
      },
      ended: () => {
        setOver(conversation);
        conversation = null;
        changed.current?.();
      },
    });
    return () => panel.hangUp();
  }, [agentId]);
  return (
    <div className={styles.whole}>
      <div ref={host} className={styles.panel} />
      {over && <p className={styles.over}><Link href={`/conversations/${over}`}>See this conversation</Link></p>}
    </div>
  );
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(`${panelCss}
  .sayso { color-scheme: inherit; }
  .around, .call { height: 100%; }
  .around { container-type: inline-size; }
  .call { display: grid; grid-template-columns: minmax(0, 1fr); grid-template-rows: auto minmax(0, 1fr) auto; gap: var(--gap); }
  .call:not(.calling, :has(li)) { grid-template-rows: minmax(0, 1fr) auto auto; }
  .stage { padding-inline: 0; border-width: 0 0 1px; border-radius: 0; background: none; }
`);

/** A secret to talk to this agent with, for minutes. */
export async function askForTicket(agentId: string): Promise<string> {
  const made = await askJson<{ ticket: string }>(`/api/v1/agents/${agentId}/tickets`, "POST", {});
  return made.ticket;
}
