import { expect, test } from "vitest";

import { roundUp } from "../src/pages/analytics/scale";

test.each([[480, 600], [1234, 2000], [999, 1000], [1000, 1000], [0.7, 0.8], [0.08, 0.08], [61, 80]])("%d fits below %d", (most, top) => {
  expect(roundUp(most)).toBeCloseTo(top);
});

test.each([[1, 2], [2, 2], [3, 4], [5, 6], [9, 10], [11, 20], [42, 60]])("%d things fit below %d, and its half is a number of things", (most, top) => {
  expect(roundUp(most, true)).toBe(top);
  expect(Number.isInteger(top / 2)).toBe(true);
});
