/* What the agent knows: its own text, files, web pages, and a retrieval server of one's own. */

import { useRef, useState, type DragEvent, type FormEvent } from "react";

import { Button } from "../../../ui/button";
import { Curl } from "../../../ui/copy";
import { TextField, Toggle } from "../../../ui/field";
import { Form } from "../../../ui/form";
import { Card, Failure } from "../../../ui/page";
import { showBytes, showCount } from "../../../ui/times";
import { useDraft } from "../draft";
import { DraftArea, DraftToggle } from "../fields";
import { AskKnowledge } from "./ask";
import styles from "./knowledge.module.css";
import { OwnRetrieval } from "./own-retrieval";
import { SourceList } from "./source-list";
import { addPage, refresh, remove, replace, upload, useSourceChanges, useSources, type FileSource, type PageSource } from "./sources";

const ACCEPTED = ".pdf,.docx,.html,.htm,.md,.markdown,.txt,.csv";
const FILES = "critical-knowledge-files";
const PAGES = "knowledge-pages";

export default function Knowledge() {
  const { agent } = useDraft();
  return (
    <>
      <Card side title="Text">
        <DraftArea name="criticalKnowledge" label="What it always knows" rows={8} maxLength={20_000} note="Facts, prices, opening hours. Long texts are searched, as files are." />
        <DraftToggle name="answerOnlyFromCriticalKnowledge" label="Answer only from its knowledge" note="The LLM is not asked what nothing in it is about. On a busy server it may be, and is told not to guess." />
      </Card>
      <Files agentId={agent.id} />
      <Pages agentId={agent.id} />
      <AskKnowledge agentId={agent.id} />
      <OwnRetrieval />
    </>
  );
}

/** Only a PDF has pages; elsewhere they are sections or rows. */
function describe(file: FileSource): string {
  const pages = file.type === "pdf" && file.pages > 0 ? [showCount(file.pages, "page")] : [];
  return [file.type.toUpperCase(), showBytes(file.size), ...pages].join(" · ");
}

function Files({ agentId }: { agentId: string }) {
  const files = useSources<FileSource>(agentId, FILES);
  const change = useSourceChanges(agentId, FILES);
  const input = useRef<HTMLInputElement>(null);
  const replacing = useRef<string | null>(null);
  const [isOver, setOver] = useState(false);
  const take = async (chosen: Iterable<File>) => {
    const replaced = replacing.current;
    replacing.current = null;
    for (const file of chosen) {
      await change.mutateAsync(replaced ? replace(replaced, file) : upload(file)).catch(() => undefined); // shown as `change.error`
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take([...event.dataTransfer.files]);
  };
  const choose = (id: string | null) => {
    replacing.current = id;
    input.current?.click();
  };
  return (
    <Card side title="Files">
      <div className={styles.drop} data-over={isOver || undefined} onDrop={drop} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}>
        <p>Drop PDF, Word, HTML, Markdown, text or CSV files here.</p>
        <input
          ref={input} type="file" accept={ACCEPTED} multiple hidden aria-label="Files"
          onChange={(event) => {
            void take([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
        <Button busy={change.isPending} onClick={() => choose(null)}>Choose files</Button>
      </div>
      <Failure error={change.error ?? files.error} />
      {files.data?.length === 0 && <Curl method="POST" path={`/api/v1/agents/${agentId}/${FILES}`} form="file=@manual.pdf" />}
      {files.data && files.data.length > 0 && (
        <SourceList
          label="Files" sources={files.data} about={describe}
          items={(file) => [
            { label: "Download", icon: "download", onChoose: () => location.assign(file.url) },
            { label: "Replace", icon: "again", onChoose: () => choose(file.id) },
            { label: "Delete", icon: "trash", danger: true, onChoose: () => change.mutate(remove(file.id)) },
          ]}
        />
      )}
    </Card>
  );
}

function Pages({ agentId }: { agentId: string }) {
  const pages = useSources<PageSource>(agentId, PAGES);
  const change = useSourceChanges(agentId, PAGES);
  const [url, setUrl] = useState("");
  const [crawl, setCrawl] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(addPage({ url, crawl }), { onSuccess: () => setUrl("") });
  };
  return (
    <Card side title="Web pages">
      <Form row onSubmit={submit}>
        <TextField label="Address" type="url" mono required placeholder="https://www.example.com/help" value={url} onChange={(event) => setUrl(event.target.value)} />
        <Toggle label="The whole site" checked={crawl} onChange={(event) => setCrawl(event.target.checked)} />
        <Button type="submit" busy={change.isPending}>Add</Button>
      </Form>
      <Failure error={change.error ?? pages.error} />
      {pages.data?.length === 0 && <Curl method="POST" path={`/api/v1/agents/${agentId}/${PAGES}`} body={{ url: "https://www.example.com/help" }} />}
      {pages.data && pages.data.length > 0 && (
        <SourceList
          label="Web pages" sources={pages.data} about={(page) => (page.crawl ? `Site · ${showCount(page.pages, "page")}` : "Page")}
          items={(page) => [
            { label: "Read again", icon: "again", onChoose: () => change.mutate(refresh(page.id)) },
            { label: "Delete", icon: "trash", danger: true, onChoose: () => change.mutate(remove(page.id)) },
          ]}
        />
      )}
    </Card>
  );
}
