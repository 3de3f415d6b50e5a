import { expect, test } from "vitest";

import { nameStep, nameTurn, readLatency, readSteps } from "../src/pages/conversations/waterfall";

const TIMINGS = { endpoint_s: 0.2, transcript_s: 0.1, llm_first_token_s: 0.5, first_sound_sent_s: 0.7, text_complete_s: 0.9, played_s: 3, sound_length_s: 2, chunks: 3, note: "x", Bad_s: 1 };

test("each step begins where the one before it ended, and what was heard is last", () => {
  expect(readSteps(TIMINGS)).toEqual([
    { name: "transcript", beginsS: 0, endsS: 0.1 }, { name: "endpoint", beginsS: 0.1, endsS: 0.2 }, { name: "llm_first_token", beginsS: 0.2, endsS: 0.5 },
    { name: "first_sound_sent", beginsS: 0.5, endsS: 0.7 }, { name: "text_complete", beginsS: 0.7, endsS: 0.9 }, { name: "heard", beginsS: 0.7, endsS: 3 },
  ]);
});

test("a turn without sound has no step that was heard", () => {
  expect(readSteps({ endpoint_s: 0.2 })).toEqual([{ name: "endpoint", beginsS: 0, endsS: 0.2 }]);
  expect(readSteps({})).toEqual([]);
});

test("the latency is that of the first sound", () => {
  expect(readLatency(TIMINGS)).toBe(0.7);
  expect(readLatency({})).toBe(null);
});

test("what nobody asked for has a name instead of a number, and answers nothing", () => {
  const greeting = { ...TIMINGS, line: "greeting" };
  expect([nameTurn(1, greeting), readLatency(greeting)]).toEqual(["Greeting", null]);
  expect(nameTurn(3, { line: "nudge" })).toBe("Nudge");
  expect(nameTurn(4, { line: "some later line" })).toBe("some later line");
  expect(nameTurn(2, TIMINGS)).toBe("Turn 2");
});

test("steps have names, later servers' too", () => {
  expect([nameStep("endpoint"), nameStep("some_later_step")]).toEqual(["End of turn", "some later step"]);
});
