/* Agents as JSON files: what can be taken to another server, without secrets. */

import { asSent, isMask } from "../editor/changes";
import type { Agent, NewAgent } from "./agents";

/** What belongs to one server: what it says of an agent, and the ids of functions there. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  "id", "actions", "answeredBy", "llmIssues", "knowledgeIssues", "warnings", "criticalKnowledgeFiles", "phoneNumbers", "avatarPhotoUrl",
]);

/** The agent as the REST API takes it; secrets are masked there, and are left away. */
export function exportAgent(agent: Agent): Record<string, unknown> {
  const kept = Object.entries(agent).filter(([name, value]) => !OF_THE_SERVER.has(name) && value !== null);
  return withoutKeys({ ...Object.fromEntries(kept), ...(agent.llm && { llm: asSent(agent.llm) }) }) as Record<string, unknown>;
}

const SECRET = /^(apiKey|headers)$/;

function withoutKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutKeys);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([name, inner]) => !SECRET.test(name) && inner !== null && !isMask(inner));
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutKeys(inner)]));
}

/** Reads an exported agent. Throws an Error with a sentence. */
export function readAgentFile(text: string): NewAgent {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("This file is no JSON.");
  }
  if (read === null || typeof read !== "object" || !("displayName" in read)) {
    throw new Error("This file is no agent: it has no displayName.");
  }
  const kept = Object.entries(read).filter(([name]) => !OF_THE_SERVER.has(name));
  return Object.fromEntries(kept) as NewAgent;
}
