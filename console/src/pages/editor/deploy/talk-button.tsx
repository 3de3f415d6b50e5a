/* The tag that puts a talk button on other people's pages: chosen, seen at once, copied. */

import { useEffect, useRef, useState } from "react";

import { Button } from "../../../ui/button";
import { Code } from "../../../ui/copy";
import { SelectField, TextField } from "../../../ui/field";
import { Card } from "../../../ui/page";
import { askForTicket } from "../../../ui/talk-panel";
import { useDraft } from "../draft";
import editor from "../editor.module.css";
import { listAttributes, USUAL_LOOK, writeWidgetTag, type Look } from "./snippets";
import styles from "./talk-button.module.css";

const MODES = [["both", "By voice and by text"], ["voice", "By voice"], ["text", "By text"]] as const;
const POSITIONS = [
  ["bottom-right", "Bottom right"], ["bottom-left", "Bottom left"], ["bottom-center", "Bottom, in the middle"],
  ["top-right", "Top right"], ["top-left", "Top left"], ["inline", "In the page, where the tag stands"],
] as const;
const THEMES = [["auto", "As the visitor's system has it"], ["light", "Light"], ["dark", "Dark"]] as const;
const USUAL_ACCENT = "#0b6e5f";

export function TalkButton() {
  const { agent } = useDraft();
  const [look, setLook] = useState(USUAL_LOOK);
  const change = (part: Partial<Look>) => setLook({ ...look, ...part });
  const choice = <Name extends "mode" | "position" | "theme">(name: Name, label: string, options: readonly (readonly [string, string])[]) => (
    <SelectField label={label} value={look[name]} onChange={(event) => change({ [name]: event.target.value })}>
      {options.map(([id, words]) => <option key={id} value={id}>{words}</option>)}
    </SelectField>
  );
  return (
    <Card title="On another page">
      <p>One tag puts a talk button on any page. Choose how it looks; it can be tried here, and what you say to it is a real conversation.</p>
      <div className={styles.chooser}>
        <div className={editor.fields}>
          <div className={editor.columns}>
            {choice("mode", "Visitors talk", MODES)}
            {choice("position", "Place", POSITIONS)}
            {choice("theme", "Light or dark", THEMES)}
            <div className={editor.beside}>
              <TextField label="Colour" type="color" value={look.accent || USUAL_ACCENT} onChange={(event) => change({ accent: event.target.value })} />
              {look.accent && <Button onClick={() => change({ accent: "" })}>Usual</Button>}
            </div>
            <TextField label="On the button" maxLength={60} placeholder="Talk to us" value={look.launcher} onChange={(event) => change({ launcher: event.target.value })} />
            <TextField label="Above the talk" maxLength={60} placeholder="Talk to us" value={look.title} onChange={(event) => change({ title: event.target.value })} />
          </div>
          <Code wrap title="HTML" code={writeWidgetTag(agent.id, location.origin, look)} />
          {agent.visibility === "private" && <p>The agent is private: such a page needs a ticket as well, as the attribute <code>ticket</code>; see below, “Ticket”.</p>}
        </div>
        <Preview agentId={agent.id} isOpen={agent.visibility !== "private"} look={look} />
      </div>
    </Card>
  );
}

/** The element itself, in a box that stands for the page. */
function Preview({ agentId, isOpen, look }: { agentId: string; isOpen: boolean; look: Look }) {
  const host = useRef<HTMLDivElement>(null);
  const attributes = JSON.stringify(listAttributes(look));
  useEffect(() => {
    loadWidget();
    const talk = document.createElement("sayso-talk");
    talk.setAttribute("agent-id", agentId);
    for (const [name, value] of JSON.parse(attributes) as [string, string][]) talk.setAttribute(name, value);
    if (!isOpen) Object.assign(talk, { getTicket: () => askForTicket(agentId) });
    host.current?.replaceChildren(talk);
    return () => talk.remove();
  }, [agentId, attributes, isOpen]);
  return (
    <figure className={styles.preview} aria-label="Preview">
      <figcaption className={styles.caption}>Your page</figcaption>
      <div className={styles.page} ref={host} />
    </figure>
  );
}

/** The same script that other pages take; it defines the element once. */
function loadWidget(): void {
  if (document.querySelector("script[data-widget]")) return;
  const script = document.createElement("script");
  script.src = "/widget.js";
  script.dataset["widget"] = "";
  document.head.append(script);
}
