/* What counts as a change of an agent, and what of it may lie in the browser's store. Pure. */

import type { Schemas } from "../../api/client";

export type Changes = Partial<Schemas["AgentChanges"]>;

/** How a stored secret is shown; sent back unchanged, it stays as it is. */
export const isMask = (value: unknown): value is string => typeof value === "string" && /•|%E2%80%A2/i.test(value);

/** Whether the server would keep both as the same. Inside a value, nothing, an empty text and an
    empty list are one; on its own, an empty text is not: an empty goodbye is silence. */
export function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(settle(left)) === JSON.stringify(settle(right));
}

/** With its names in order, and without what says nothing. */
function settle(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.length ? value.map(settle) : null;
  if (typeof value !== "object") return value;
  const kept = Object.entries(value)
    .map(([name, inner]) => [name, settle(inner)] as const)
    .filter(([, inner]) => inner !== null && inner !== "")
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return kept.length ? Object.fromEntries(kept) : null;
}

/** `before` with one field changed; what is as the server has it is no change. */
export function withChange(before: Changes, name: keyof Changes, value: unknown, shown: unknown): Changes {
  const after: Changes = { ...before, [name]: value };
  if (isSame(value, shown) && isThere(value) === isThere(shown)) delete after[name];
  return after;
}

/** Whether it was begun, though nothing is filled in yet: a server without an address is no missing one. */
function isThere(value: unknown): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** What was changed again while `sent` was under way, and is not saved yet. */
export function withoutSaved(now: Changes, sent: Changes): Changes {
  const left = Object.entries(now).filter(([name, value]) => sent[name as keyof Changes] !== value);
  return Object.fromEntries(left) as Changes;
}

const SEALED = /^(apiKey|headers|defaultHeaders|query)$/;
const CREDENTIALS = /^[a-z][a-z+.-]*:\/\/[^/?#]*@/i;

/** Changes without the keys that were typed in. Where the server has one, its mask stands in. */
export function withoutSecrets(changes: Changes, shown: unknown): Changes {
  return strip(changes, shown, false) as Changes;
}

function strip(value: unknown, shown: unknown, isSealed: boolean): unknown {
  if (Array.isArray(value)) return value.map((each, n) => strip(each, partOf(shown, n), isSealed));
  if (value !== null && typeof value === "object") {
    const kept = Object.entries(value).map(([name, inner]) => [name, strip(inner, partOf(shown, name), isSealed || SEALED.test(name))] as const);
    return Object.fromEntries(kept.filter(([, inner]) => inner !== undefined));
  }
  const isSecret = isSealed || (typeof value === "string" && CREDENTIALS.test(value));
  if (!isSecret || value === null || value === "" || isMask(value) || value === shown) return value;
  return isMask(shown) ? shown : undefined;
}

function partOf(value: unknown, name: string | number): unknown {
  return value !== null && typeof value === "object" ? (value as Record<string | number, unknown>)[name] : undefined;
}

/** What the server says of an LLM and does not take: the model stands in its parameters. */
export function asSent<Llm>(llm: Llm): Llm {
  if (llm === null || typeof llm !== "object") return llm;
  const kept = Object.entries(llm).filter(([name, value]) => value !== null && name !== "model");
  return Object.fromEntries(kept.map(([name, value]) => [name, name === "fallbacks" && Array.isArray(value) ? value.map(asSent) : value])) as Llm;
}
