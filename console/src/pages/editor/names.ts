/* Fields of an agent in the words of the console. Pure. */

const NAMES: Readonly<Record<string, string>> = {
  displayName: "name", voiceSpeed: "speed", criticalKnowledge: "knowledge", llm: "LLM", mcpServers: "MCP servers",
  messagePlan: "nudges", answerOnlyFromCriticalKnowledge: "answers only from its knowledge", builtInActions: "built-in actions",
  knowledge: "your own retrieval", actions: "functions", recordAudio: "recording", applyTextNormalization: "numbers in words",
  interruptible: "interruptions", endCallMessage: "goodbye", endCallPhrases: "phrases that end the call", allowedOrigins: "pages it may be on",
  transferDestinations: "people to hand on to", silenceTimeoutSeconds: "longest silence", maxDurationSeconds: "longest conversation", ttsModel: "voice model",
};

/** `patience` is itself, `timeZone` is "time zone". */
export const nameField = (field: string): string => NAMES[field] ?? field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** `allowedOrigins.0` is "pages it may be on › 1". */
export const namePath = (path: string): string =>
  path.split(".").map((part) => (/^\d+$/.test(part) ? `${Number(part) + 1}` : nameField(part))).join(" › ");
