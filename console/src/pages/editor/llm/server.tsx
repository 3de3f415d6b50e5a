/* One LLM server: where it is, its key, its model and what else is sent. */

import { useState } from "react";

import type { Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { SelectField, TextArea, TextField } from "../../../ui/field";
import { isMask, isSame } from "../changes";
import { readPairs, writePairs } from "./pairs";
import styles from "../editor.module.css";

export type Server = Schemas["LlmServer"];
type Params = NonNullable<Server["baseParams"]>;
type Timeouts = NonNullable<Server["timeouts"]>;

const TELL = [
  ["off", "Not at all"],
  ["headers", "By headers: X-Conversation-Id, X-Agent-Id, X-Caller-Id"],
  ["body", "In the body: user and metadata"],
] as const;
const TIMEOUTS = [
  ["connectMs", "To connect (ms)"],
  ["firstTokenMs", "To the first word (ms)"],
  ["betweenTokensMs", "Between words (ms)"],
] as const;

interface ServerFieldsProps {
  server: Server;
  onChange: (server: Server) => void;
  errorOf: (field: string) => string;
}

export function ServerFields({ server, onChange, errorOf }: ServerFieldsProps) {
  const params = server.baseParams ?? {};
  const timeouts = server.timeouts ?? {};
  const setParam = (part: Params) => onChange({ ...server, baseParams: tidy({ ...params, ...part }) });
  const setTimeouts = (part: Timeouts) => onChange({ ...server, timeouts: tidy({ ...timeouts, ...part }) });
  return (
    <>
      <TextField
        label="Base URL" type="url" mono required placeholder="https://llm.example.com/v1"
        note="Called at this address with /chat/completions after it."
        value={server.baseURL} error={errorOf("baseURL")} onChange={(event) => onChange({ ...server, baseURL: event.target.value })}
      />
      <div className={styles.columns}>
        <KeyField value={server.apiKey ?? ""} error={errorOf("apiKey")} onChange={(apiKey) => onChange({ ...server, apiKey })} />
        <TextField label="Model" mono value={params.model ?? ""} error={errorOf("baseParams.model")} onChange={(event) => setParam({ model: event.target.value || null })} />
      </div>
      <details>
        <summary>Parameters, headers and timeouts</summary>
        <div className={styles.inner}>
          <div className={styles.columns}>
            <NumberField label="Temperature" step={0.1} min={0} max={1} value={params.temperature} onChange={(temperature) => setParam({ temperature })} />
            <NumberField label="Longest answer (tokens)" min={1} value={params.maxTokens} onChange={(maxTokens) => setParam({ maxTokens })} />
          </div>
          <MapField label="Headers" note="One a line, as Name: value. A masked value stays as it is." between=": " value={params.defaultHeaders ?? {}} error={errorOf("baseParams.defaultHeaders")} onChange={(defaultHeaders) => setParam({ defaultHeaders })} />
          <MapField label="Query parameters" note="One a line, as name=value." between="=" value={params.query ?? {}} error={errorOf("baseParams.query")} onChange={(query) => setParam({ query })} />
          <div className={styles.columns}>
            {TIMEOUTS.map(([name, label]) => (
              <NumberField key={name} label={label} min={100} max={60_000} step={100} value={timeouts[name]} onChange={(ms) => setTimeouts({ [name]: ms })} />
            ))}
          </div>
          <SelectField label="How it is told which conversation it answers in" value={server.tell ?? "off"} onChange={(event) => onChange({ ...server, tell: event.target.value as NonNullable<Server["tell"]> })}>
            {TELL.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
          </SelectField>
        </div>
      </details>
    </>
  );
}

/** A stored key is shown as a mask; sent back unchanged, it stays. */
function KeyField({ value, error, onChange }: { value: string; error: string; onChange: (key: string) => void }) {
  const [isShown, setShown] = useState(false);
  const masked = isMask(value);
  return (
    <div className={styles.beside}>
      <TextField
        label="API key" mono type={isShown || masked ? "text" : "password"} autoComplete="off" placeholder="None" value={value} error={error}
        onFocus={(event) => masked && event.target.select()} onChange={(event) => onChange(event.target.value)}
      />
      {value && !masked && <Button aria-pressed={isShown} onClick={() => setShown(!isShown)}>{isShown ? "Hide" : "Show"}</Button>}
      {masked && <Button onClick={() => onChange("")}>Remove</Button>}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: number | null | undefined;
  onChange: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: number;
}

export function NumberField({ label, value, onChange, ...bounds }: NumberFieldProps) {
  return (
    <TextField
      {...bounds} label={label} type="number" placeholder="Its usual" value={value ?? ""}
      onChange={(event) => onChange(event.target.value === "" ? null : event.target.valueAsNumber)}
    />
  );
}

interface MapFieldProps {
  label: string;
  note: string;
  between: string;
  value: Readonly<Record<string, string | null>>;
  error: string;
  onChange: (value: Record<string, string> | null) => void;
}

/** Names and values, one a line; what is half typed stays as it is. */
export function MapField({ label, note, between, value, error, onChange }: MapFieldProps) {
  const [text, setText] = useState(() => writePairs(value, between));
  // Whoever discards what was typed sees that.
  const shown = isSame(readPairs(text, between), value) ? text : writePairs(value, between);
  const change = (next: string) => {
    setText(next);
    const pairs = readPairs(next, between);
    onChange(Object.keys(pairs).length ? pairs : null);
  };
  return <TextArea label={label} note={note} mono rows={2} value={shown} error={error} onChange={(event) => change(event.target.value)} />;
}


/** Without what is empty; null if nothing is left. */
function tidy<Part extends object>(part: Part): Part | null {
  const kept = Object.entries(part).filter(([, value]) => value !== null && value !== undefined);
  return kept.length ? (Object.fromEntries(kept) as Part) : null;
}
