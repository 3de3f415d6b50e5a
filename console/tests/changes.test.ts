import { describe, expect, test } from "vitest";

import { asSent, isMask, isSame, withChange, withoutSaved, withoutSecrets, type Changes } from "../src/pages/editor/changes";

describe("isSame", () => {
  test.each([
    [null, undefined], [[], null], [{}, null], [{ a: null }, null], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [{ a: "" }, {}], [{ a: [] }, { b: null }], ["x", "x"],
  ])("%j and %j are kept as one", (left, right) => {
    expect(isSame(left, right)).toBe(true);
  });

  test.each([[0, null], [false, null], [false, true], ["", null], [[1, 2], [2, 1]], [{ a: 0 }, {}], [{ a: "x" }, { a: "y" }]])("%j and %j are not", (left, right) => {
    expect(isSame(left, right)).toBe(false);
  });
});

describe("withChange", () => {
  test("keeps what differs from the server's", () => {
    expect(withChange({}, "displayName", "Ada", "Bob")).toEqual({ displayName: "Ada" });
  });

  test("forgets what was put back", () => {
    expect(withChange({ displayName: "Ada", prompt: "p" }, "displayName", "Bob", "Bob")).toEqual({ prompt: "p" });
  });

  test("an empty goodbye is a choice of its own", () => {
    expect(withChange({}, "endCallMessage", "", null)).toEqual({ endCallMessage: "" });
  });

  test("a server that was begun is a change before it has an address", () => {
    const begun = { knowledge: { baseURL: "" } } as Changes;
    expect(withChange({}, "knowledge", begun.knowledge, null)).toEqual(begun);
    expect(withChange(begun, "knowledge", null, null)).toEqual({});
    expect(withChange({}, "variables", {}, null)).toEqual({});
  });

  test("an LLM is the same whatever the server says of it besides", () => {
    const shown = { type: "openai-compatible", baseURL: "http://a", apiKey: null, model: "m", baseParams: { model: "m" }, fallbacks: [], tell: "off" };
    expect(withChange({ llm: null }, "llm", asSent(shown), asSent(shown))).toEqual({});
  });
});

test("withoutSaved keeps what was typed while it was being saved", () => {
  const sent: Changes = { displayName: "A", variables: { a: 1 } };
  expect(withoutSaved({ ...sent, displayName: "Ab" }, sent)).toEqual({ displayName: "Ab" });
  expect(withoutSaved(sent, sent)).toEqual({});
});

test("asSent leaves away nulls and the model, in fallbacks too", () => {
  expect(asSent({ baseURL: "u", model: "m", apiKey: null, fallbacks: [{ type: "built-in", model: null }] })).toEqual({ baseURL: "u", fallbacks: [{ type: "built-in" }] });
  expect(asSent(null)).toBe(null);
});

test("isMask knows masks, percent-encoded ones too", () => {
  expect(["••••1234", "Bearer ••••", "%E2%80%A2%E2%80%A2"].map(isMask)).toEqual([true, true, true]);
  expect(["sk-1", "", null, 3].map(isMask)).toEqual([false, false, false, false]);
});

describe("withoutSecrets", () => {
  const llm = (rest: object) => ({ llm: { type: "openai-compatible", baseURL: "http://a/v1", ...rest } }) as Changes;

  test("a key that was typed in is not stored", () => {
    expect(withoutSecrets(llm({ apiKey: "sk-secret" }), {})).toEqual(llm({}));
  });

  test("the mask of the stored key stands in for it, so that saving does not remove that", () => {
    expect(withoutSecrets(llm({ apiKey: "sk-secret" }), { llm: { apiKey: "••••1234" } })).toEqual(llm({ apiKey: "••••1234" }));
  });

  test("a mask stays, and so does a key that was cleared", () => {
    expect(withoutSecrets(llm({ apiKey: "••••1234" }), {})).toEqual(llm({ apiKey: "••••1234" }));
    expect(withoutSecrets(llm({ apiKey: "" }), { llm: { apiKey: "••••" } })).toEqual(llm({ apiKey: "" }));
  });

  test("headers and query keep what the server itself shows", () => {
    const typed = llm({ baseParams: { defaultHeaders: { "X-Key": "secret", Accept: "a/b" }, query: { code: "secret" }, model: "m" } });
    const shown = { llm: { baseParams: { defaultHeaders: { Accept: "a/b" } } } };
    expect(withoutSecrets(typed, shown)).toEqual(llm({ baseParams: { defaultHeaders: { Accept: "a/b" }, query: {}, model: "m" } }));
  });

  test("lists are gone through", () => {
    const typed = { mcpServers: [{ name: "a", url: "https://a", tools: ["t"], headers: { Authorization: "Bearer x" } }] } as Changes;
    expect(JSON.stringify(withoutSecrets(typed, {}))).not.toContain("Bearer");
    expect(withoutSecrets(typed, {}).mcpServers).toHaveLength(1);
  });

  test("a password in an address is a secret", () => {
    expect(JSON.stringify(withoutSecrets({ llm: { type: "openai-compatible", baseURL: "https://me:pass@a/v1" } } as Changes, {}))).not.toContain("pass");
  });

  test("all else stays", () => {
    const changes: Changes = { displayName: "A", voiceSpeed: null, endCallPhrases: ["bye"], interruptible: false };
    expect(withoutSecrets(changes, {})).toEqual(changes);
  });
});
