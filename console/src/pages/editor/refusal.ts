/* Why an agent was not saved, by field. Pure. */

import { ApiError, asSentence, callField } from "../../api/client";
import type { Finding } from "./llm/check";
import { namePath } from "./names";

/** One sentence of a refusal; a finding of a check has a code and a way to cure it. */
interface Detail extends Partial<Finding> {
  message: string;
  field: string;
}

const TABS: Readonly<Record<string, string>> = {
  displayName: "identity", description: "identity", voice: "identity", voiceSpeed: "identity", language: "identity",
  llm: "llm", knowledge: "knowledge", criticalKnowledge: "knowledge", answerOnlyFromCriticalKnowledge: "knowledge",
  actions: "actions", builtInActions: "actions", mcpServers: "actions", timeZone: "actions", transferDestinations: "actions",
  visibility: "deploy", allowedOrigins: "deploy",
};

/** The tab on which a field stands. */
export const tabOf = (field: string): string => TABS[field.split(".")[0] ?? ""] ?? "behaviour";

/** All that was refused; a refusal of one thing is its own only detail. */
export function readDetails(error: unknown): readonly Detail[] {
  if (!(error instanceof ApiError)) return [];
  const listed = (error.body as { details?: unknown } | null)?.details;
  const details = Array.isArray(listed) ? (listed as Detail[]).filter(({ message, field }) => message && field) : [];
  if (details.length) return details;
  return error.field ? [{ message: error.message, field: error.field, fix: error.hint }] : [];
}

/** Its sentence in the words of the console: where it begins with a field, with what the page calls that. */
export function tell({ message, field }: Detail): string {
  return asSentence(callField(message, field, namePath(field)));
}

/** What was said against a field, or a part of it; "" for nothing. */
export function readErrorOf(error: unknown, name: string): string {
  const about = readDetails(error).find(({ field }) => field === name || field.startsWith(`${name}.`));
  return about ? tell(about) : "";
}

/** What a check found when the field was to be saved. */
export function readFindings(error: unknown, name: string): readonly Finding[] {
  return readDetails(error)
    .filter((detail) => detail.code && (detail.field === name || detail.field.startsWith(`${name}.`)))
    .map(({ code, message, fix, severity, evidence, field }) => ({ code: code ?? "", message, fix: fix ?? "", severity: severity ?? "error", evidence: evidence ?? "", field }));
}
