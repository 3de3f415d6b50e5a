import { expect, test } from "vitest";

import type { Agent } from "../src/pages/agents/agents";
import { exportAgent, readAgentFile } from "../src/pages/agents/exchange";

const AGENT = {
  id: "a-1", displayName: "Ada", greeting: null, actions: ["f-1"], answeredBy: "llm", llmIssues: [], warnings: [], interruptible: false, endCallPhrases: [],
  llm: { type: "openai-compatible", baseURL: "https://llm.example/v1", apiKey: "••••1234", model: "m", baseParams: { model: "m", defaultHeaders: { Accept: "a/b", "X-Key": "••••" } }, fallbacks: [{ type: "built-in", apiKey: null }] },
  mcpServers: [{ name: "s", url: "https://mcp.example", headers: { Authorization: "••••" }, tools: ["t"] }],
} as unknown as Agent;

test("a file has what can be set, and no secrets", () => {
  expect(exportAgent(AGENT)).toEqual({
    displayName: "Ada", interruptible: false, endCallPhrases: [],
    llm: { type: "openai-compatible", baseURL: "https://llm.example/v1", baseParams: { model: "m", defaultHeaders: { Accept: "a/b" } }, fallbacks: [{ type: "built-in" }] },
    mcpServers: [{ name: "s", url: "https://mcp.example", tools: ["t"] }],
  });
});

test("what was exported can be imported", () => {
  expect(readAgentFile(JSON.stringify(exportAgent(AGENT)))).toEqual(exportAgent(AGENT));
});

test.each([["{", "no JSON"], ["[]", "no displayName"], ["null", "no displayName"], ["3", "no displayName"]])("%s is refused with a sentence", (text, said) => {
  expect(() => readAgentFile(text)).toThrow(said);
});
