import { describe, expect, test } from "vitest";

import { diffAgents, diffLines, linesOf } from "../src/pages/editor/versions/diff";

const show = (lines: readonly { kind: string; text: string }[]) => lines.map(({ kind, text }) => `${{ same: " ", gone: "-", new: "+", cut: "~" }[kind]}${text}`);

describe("diffLines", () => {
  test("keeps what both have", () => {
    expect(show(diffLines(["a", "b", "c"], ["a", "x", "c"]))).toEqual([" a", "-b", "+x", " c"]);
  });

  test.each([[[], []], [["a"], []], [[], ["a"]], [["a", "b", "a"], ["b", "a", "b"]], [["x", "a"], ["a", "y", "x"]]])("%j and %j can be told from it", (before, after) => {
    const lines = diffLines(before, after);
    expect(lines.filter(({ kind }) => kind !== "new").map(({ text }) => text)).toEqual(before);
    expect(lines.filter(({ kind }) => kind !== "gone").map(({ text }) => text)).toEqual(after);
  });

  test("very long texts are replaced as a whole", () => {
    const [before, after] = [Array.from({ length: 2000 }, (_, n) => `a${n}`), Array.from({ length: 2000 }, (_, n) => `b${n}`)];
    expect(diffLines(before, after)).toHaveLength(4000);
  });
});

test("linesOf says values in words", () => {
  expect(linesOf({ baseURL: "u", apiKey: null, baseParams: { model: "m" }, tools: ["a", "b"], fallbacks: [{ type: "built-in" }] })).toEqual([
    "baseURL: u", "baseParams.model: m", "tools: a", "tools: b", "fallbacks 1.type: built-in",
  ]);
  expect([linesOf(true), linesOf(false), linesOf(1.5), linesOf("a\nb"), linesOf(""), linesOf(null), linesOf(["x", "y"])]).toEqual([["yes"], ["no"], ["1.5"], ["a", "b"], [], [], ["x", "y"]]);
});

describe("diffAgents", () => {
  test("only the fields that differ, and nothing that the server says besides", () => {
    const diffs = diffAgents({ id: "1", displayName: "A", prompt: "p", warnings: [] }, { id: "2", displayName: "B", prompt: "p", warnings: [{ field: "x" }] });
    expect(diffs.map(({ field }) => field)).toEqual(["displayName"]);
    expect(show(diffs[0]?.lines ?? [])).toEqual(["-A", "+B"]);
  });

  test("of what stayed, only the lines beside", () => {
    const [diff] = diffAgents({ prompt: "1\n2\n3\n4\n5\n6" }, { prompt: "1\n2\n3\n4\n5\nsix" });
    expect(show(diff?.lines ?? [])).toEqual(["~…", " 5", "-6", "+six"]);
  });

  test("a goodbye without a word is none that is missing", () => {
    const [diff] = diffAgents({ endCallMessage: null }, { endCallMessage: "" });
    expect(show(diff?.lines ?? [])).toEqual(["+(without a word)"]);
  });

  test("nothing and empty are one", () => {
    expect(diffAgents({ greeting: null, endCallPhrases: [] }, { greeting: "", endCallPhrases: null })).toEqual([]);
  });
});
