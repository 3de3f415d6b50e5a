/* Asks the knowledge what the agent would be shown for a question. */

import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { askJson } from "../../../api/client";
import { Button } from "../../../ui/button";
import { TextField } from "../../../ui/field";
import { Form } from "../../../ui/form";
import { Card, Failure } from "../../../ui/page";
import styles from "./knowledge.module.css";

export interface Passage {
  text: string;
  source: string;
  page: number | null;
  url?: string | null;
  /** How well it fits, 0 to 1. */
  score: number;
}

export function AskKnowledge({ agentId }: { agentId: string }) {
  const [query, setQuery] = useState("");
  const asked = useMutation({
    mutationFn: async (words: string) => await askJson<Passage[]>(`/api/v1/agents/${agentId}/knowledge/search`, "POST", { query: words }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    asked.mutate(query);
  };
  return (
    <Card side title="Ask the knowledge">
      <Form row onSubmit={submit}>
        <TextField label="Question" unlabelled placeholder="Ask as a caller would" required maxLength={1000} value={query} onChange={(event) => setQuery(event.target.value)} />
        <Button type="submit" busy={asked.isPending}>Ask</Button>
      </Form>
      <Failure error={asked.error} />
      <div aria-live="polite">
        {asked.data?.length === 0 && <p>Nothing that the agent knows is about that.</p>}
        {asked.data && asked.data.length > 0 && <Passages passages={asked.data} />}
      </div>
    </Card>
  );
}

export function Passages({ passages }: { passages: readonly Passage[] }) {
  return (
    <ol className={styles.passages}>
      {passages.map(({ text, source, page, score }, n) => (
        <li key={n} className={styles.passage}>
          <header><span>{source}{page !== null && `, page ${page}`}</span><span>{score.toFixed(2)}</span></header>
          <p>{text}</p>
        </li>
      ))}
    </ol>
  );
}
