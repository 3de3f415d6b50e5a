/* What answers: an LLM of one's own, tried before it is believed, and who stands in for it. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, take, type Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { SelectField, TextField } from "../../../ui/field";
import { Card, Notice } from "../../../ui/page";
import { showAgo, showMs } from "../../../ui/times";
import { asSent, isMask, isSame } from "../changes";
import { useDraft, type Changes } from "../draft";
import { readFindings } from "../refusal";
import styles from "../editor.module.css";
import { useLlmCheck, type Finding } from "./check";
import { CheckResult, FindingList } from "./findings";
import { FirstWords } from "./first-words";
import { Presets } from "./presets";
import { NumberField, ServerFields, type Server } from "./server";

type Own = Schemas["OpenAiCompatible"];
type Fallback = NonNullable<Own["fallbacks"]>[number];

const EMPTY: Own = { type: "openai-compatible", baseURL: "" };
const MOST_FALLBACKS = 3;

export default function Llm() {
  const { agent, value, set, error, errorOf } = useDraft();
  const refused = readFindings(error, "llm");
  const own = asOwn(value("llm"));
  const change = (llm: Own | null) => set("llm", llm as Changes["llm"]);
  const [begun, setBegun] = useState(0);
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => void (begun && fields.current?.querySelector("input")?.focus()), [begun]); // the button is gone
  const begin = (baseURL: string) => {
    change({ ...EMPTY, ...own, baseURL });
    setBegun(begun + 1);
  };
  const isFound = (field: string) => refused.some((finding) => finding.field === `llm.${field}`);
  return (
    <>
      <Card side title="Who answers">
        <SelectField label="Language model" value={own ? "own" : "built-in"} onChange={(event) => change(event.target.value === "own" ? EMPTY : null)}>
          <option value="built-in">The server's own answers</option>
          <option value="own">An OpenAI-compatible server of yours</option>
        </SelectField>
        {!own && agent.answeredBy === "built-in-extractive" && (
          <Notice kind="warning"><p>No language model configured: it answers out of its knowledge only, with sentences picked from there. With an LLM it talks freely and calls functions.</p></Notice>
        )}
        {!own && <div><Button kind="primary" onClick={() => begin("")}>Connect a server</Button></div>}
        {!own?.baseURL && <Presets onChoose={begin} />}
        {own && <div ref={fields} className={styles.fields}><ServerFields key={agent.id} server={own} onChange={(server) => change({ ...own, ...server })} errorOf={(field) => (isFound(field) ? "What was found stands below." : errorOf(`llm.${field}`))} /></div>}
        {refused.length > 0 && <Refused findings={refused} />}
        {own && <Test llm={own} onUseUrl={(baseURL) => change({ ...own, baseURL })} />}
      </Card>
      {agent.llm && <LastCheck id={agent.id} />}
      {own && <Fallbacks llm={own} onChange={change} />}
    </>
  );
}

function asOwn(llm: unknown): Own | null {
  return llm && (llm as Own).type === "openai-compatible" ? asSent(llm as Own) : null;
}

/** Why it was not saved, as the check found it. */
function Refused({ findings }: { findings: readonly Finding[] }) {
  return (
    <div role="alert" className={styles.stack}>
      <p>It was asked before it was saved, and nothing was saved:</p>
      <FindingList findings={findings} />
    </div>
  );
}

function Test({ llm, onUseUrl }: { llm: Own; onUseUrl: (url: string) => void }) {
  const { agent } = useDraft();
  const { check, start } = useLlmCheck();
  const { fallbacks: _fallbacks, failureMessage: _failure, hedgeAfterMs: _hedge, ...server } = llm;
  const [tested, setTested] = useState<unknown>(null);
  const asked = { ...server, agentId: agent.id, ...(isMask(server.apiKey) && { apiKey: undefined }) };
  const test = () => {
    setTested(asked);
    void start(asked);
  };
  return (
    <>
      <div><Button kind="primary" busy={check.isRunning} disabled={!llm.baseURL} onClick={test}>{check.isRunning ? "Testing…" : "Test"}</Button></div>
      {isSame(asked, tested) && <CheckResult check={check} onUseUrl={onUseUrl} />}
    </>
  );
}

/** What the server found when the LLM was last saved. */
function LastCheck({ id }: { id: string }) {
  const { agent } = useDraft();
  const last = useQuery({
    queryKey: ["agents", id, "llm-check"],
    queryFn: () => take(api.GET("/api/v1/agents/{agentId}/llm-check", { params: { path: { agentId: id } } })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? RUNNING_MS : false),
  });
  if (!last.data) return null;
  const { ok, checkedAt, firstTokenMs, state } = last.data;
  return (
    <Card side title="Last check" aside={<span>{checkedAt && showAgo(checkedAt)}{state === "running" && " · still looking"}</span>}>
      <p>{ok ? "It worked." : "It did not work."} {firstTokenMs !== null && `First words after ${showMs(firstTokenMs)}.`}</p>
      <FirstWords agentId={id} />
      {agent.llmIssues.length > 0 && <FindingList findings={agent.llmIssues} />}
    </Card>
  );
}

const RUNNING_MS = 2000;

function Fallbacks({ llm, onChange }: { llm: Own; onChange: (llm: Own) => void }) {
  const { errorOf } = useDraft();
  const fallbacks = llm.fallbacks ?? [];
  const setAll = (next: Fallback[]) => onChange({ ...llm, ...(next.length ? { fallbacks: next } : { fallbacks: null }) });
  const setOne = (n: number, next: Fallback) => setAll(fallbacks.map((each, at) => (at === n ? next : each)));
  return (
    <Card side title="When it fails">
      {fallbacks.map((fallback, n) => (
        <fieldset key={n} className={`${styles.fields} ${styles.boxed}`}>
          <legend className="unseen">{n + 1}. {fallback.type === "built-in" ? "The server's own answers" : "Another server"}</legend>
          <h3 aria-hidden="true">{n + 1}. {fallback.type === "built-in" ? "The server's own answers" : "Another server"}</h3>
          {fallback.type !== "built-in" && <ServerFields server={fallback as Server} onChange={(server) => setOne(n, server as Fallback)} errorOf={(field) => errorOf(`llm.fallbacks.${n}.${field}`)} />}
          <div><Button small kind="danger" onClick={() => setAll(fallbacks.filter((_, at) => at !== n))}>Remove</Button></div>
        </fieldset>
      ))}
      {fallbacks.length < MOST_FALLBACKS && (
        <div className={styles.buttons}>
          <Button onClick={() => setAll([...fallbacks, { type: "openai-compatible", baseURL: "" }])}>Add a fallback server</Button>
          <Button onClick={() => setAll([...fallbacks, { type: "built-in" }])}>Add the server's own answers</Button>
        </div>
      )}
      <div className={styles.columns}>
        <NumberField label="Ask the first fallback as well after (ms)" min={100} max={60_000} value={llm.hedgeAfterMs} onChange={(hedgeAfterMs) => onChange({ ...llm, hedgeAfterMs })} />
        <TextField label="Said when nobody could answer" maxLength={250} placeholder="The usual sentence" value={llm.failureMessage ?? ""} onChange={(event) => onChange({ ...llm, failureMessage: event.target.value || null })} />
      </div>
    </Card>
  );
}
