import { expect, test } from "vitest";

import { showAgo, showBytes, showCount, showLength, showMs } from "../src/ui/times";

test.each([[0, "0:00"], [59.6, "1:00"], [83.4, "1:23"], [-3, "0:00"], [3601, "60:01"]])("%d s is %s", (seconds, shown) => {
  expect(showLength(seconds)).toBe(shown);
});

test.each([[0, "0 ms"], [480.4, "480 ms"], [999.6, "1.00 s"], [1234, "1.23 s"]])("%d ms is %s", (ms, shown) => {
  expect(showMs(ms)).toBe(shown);
});

test.each([[0, "0 bytes"], [999, "999 bytes"], [1500, "2 kB"], [999_600, "1.0 MB"], [2_340_000, "2.3 MB"]])("%d bytes are %s", (bytes, shown) => {
  expect(showBytes(bytes)).toBe(shown);
});

test.each([[0, "0 pages"], [1, "1 page"], [52, "52 pages"]])("%d is %s", (count, shown) => {
  expect(showCount(count, "page")).toBe(shown);
});

test("showAgo counts in the largest unit that fits", () => {
  const now = Date.parse("2026-05-04T12:00:00Z");
  const ago = (iso: string) => showAgo(iso, now);
  expect([ago("2026-05-04T11:57:00Z"), ago("2026-05-04T10:00:00Z"), ago("2026-05-03T11:00:00Z")]).toEqual(["3 minutes ago", "2 hours ago", "yesterday"]);
  expect(ago("2026-05-04T12:00:00Z")).toBe("now");
  expect(ago("2026-04-01T12:00:00Z")).toContain("2026");
  expect(ago("2026-05-04T11:00:20Z")).toBe("1 hour ago");
});

