/* A retrieval server of one's own, asked before the server's own search. */

import { useMutation } from "@tanstack/react-query";

import { askJson, type Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { TextField, Toggle } from "../../../ui/field";
import { Card, Failure, Notice } from "../../../ui/page";
import { showMs } from "../../../ui/times";
import { isMask } from "../changes";
import { useDraft, type Changes } from "../draft";
import { readFindings } from "../refusal";
import styles from "../editor.module.css";
import { FindingList } from "../llm/findings";
import { MapField, NumberField } from "../llm/server";
import { Passages } from "./ask";

type Own = Schemas["Knowledge"];
type Report = Schemas["KnowledgeCheckView"];

export function OwnRetrieval() {
  const { agent, value, set, error, errorOf } = useDraft();
  const refused = readFindings(error, "knowledge");
  const own = value("knowledge") as Own | null;
  const change = (next: Own | null) => set("knowledge", next as Changes["knowledge"]);
  return (
    <Card side title="Your own retrieval">
      <Toggle
        label="Ask a retrieval server of mine" checked={own !== null}
        note="It speaks Dify's external knowledge API. When it fails, the agent's own knowledge answers."
        onChange={(event) => change(event.target.checked ? { baseURL: "" } : null)}
      />
      {own && (
        <>
          <div className={styles.columns}>
            <TextField label="Base URL" type="url" mono required note="/retrieval is added." value={own.baseURL} error={errorOf("knowledge.baseURL")} onChange={(event) => change({ ...own, baseURL: event.target.value })} />
            <TextField label="API key" mono value={own.apiKey ?? ""} error={errorOf("knowledge.apiKey")} onChange={(event) => change({ ...own, apiKey: event.target.value })} />
            <TextField label="Collection" mono placeholder={agent.id} value={own.knowledgeId ?? ""} onChange={(event) => change({ ...own, knowledgeId: event.target.value || null })} />
            <NumberField label="Most passages" min={1} max={20} value={own.topK} onChange={(topK) => change({ ...own, ...(topK && { topK }) })} />
            <NumberField label="Longest wait (ms)" min={50} max={5000} value={own.timeoutMs} onChange={(timeoutMs) => change({ ...own, ...(timeoutMs && { timeoutMs }) })} />
          </div>
          <MapField label="Headers" note="One a line, as Name: value." between=": " value={own.headers ?? {}} error={errorOf("knowledge.headers")} onChange={(headers) => change({ ...own, headers })} />
          {refused.length > 0 && <FindingList findings={refused} />}
          <Test own={own} agentId={agent.id} />
        </>
      )}
    </Card>
  );
}

function Test({ own, agentId }: { own: Own; agentId: string }) {
  const { apiKey, ...rest } = own;
    const check = useMutation({
    mutationFn: async () => await askJson<Report>("/api/v1/knowledge-checks", "POST", { ...rest, ...(apiKey && !isMask(apiKey) && { apiKey }), agentId }),
  });
  const report = check.data;
  return (
    <>
      <div><Button busy={check.isPending} disabled={!own.baseURL} onClick={() => check.mutate()}>Test</Button></div>
      <div aria-live="polite" className={styles.stack}>
        <Failure error={check.error} />
        {report && <Notice kind={report.ok ? "good" : "danger"}><p>{report.ok ? `It works. It took ${showMs(report.totalMs)}.` : "It cannot be used like this."}</p></Notice>}
        {report && report.findings.length > 0 && <FindingList findings={report.findings} />}
        {report && report.passages.length > 0 && <Passages passages={report.passages} />}
      </div>
    </>
  );
}
