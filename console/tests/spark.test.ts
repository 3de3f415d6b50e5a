import { describe, expect, test } from "vitest";

import { dotSpark, traceSpark } from "../src/pages/editor/llm/spark";

describe("traceSpark", () => {
  test("goes from 0 at the bottom to the most at the top", () => {
    expect(traceSpark([0, 50, 100])).toBe("M0 20L50 10L100 0");
  });

  test("steps over a day without a value", () => {
    expect(traceSpark([100, null, 50])).toBe("M0 0L100 10");
  });

  test("is nothing for nothing", () => {
    expect(traceSpark([])).toBe("");
    expect(traceSpark([null, null])).toBe("");
  });
});

test("dotSpark marks each value, a lone one and one of 0, too", () => {
  expect(dotSpark([null, 200])).toBe("M100 0h0");
  expect(dotSpark([0])).toBe("M0 20h0");
});
