import { describe, expect, test } from "vitest";

import { ApiError } from "../src/api/client";
import { readDetails, readErrorOf, readFindings, tabOf, tell } from "../src/pages/editor/refusal";

const FINDING = { code: "path.not_found", message: "there is nothing", fix: "Give the base URL.", severity: "error", field: "llm" };
const refuse = (field: string, details?: unknown) => new ApiError(400, "It was refused.", "Do it.", field, "BAD_REQUEST", { details });

describe("readErrorOf", () => {
  test("says what is wrong with a field, and with parts of it", () => {
    const error = refuse("variables", [{ message: "variables holds a bad name", field: "variables" }, { message: "no number", field: "transferDestinations.0.phoneNumber" }]);
    expect(readErrorOf(error, "variables")).toBe("Variables holds a bad name.");
    expect(readErrorOf(error, "transferDestinations.0")).toBe("No number.");
    expect(readErrorOf(error, "transferDestinations.1")).toBe("");
    expect(readErrorOf(error, "variable")).toBe("");
  });

  test("a refusal without details is its own", () => {
    expect(readErrorOf(refuse("voiceSpeed"), "voiceSpeed")).toBe("It was refused.");
    expect(readErrorOf(new Error("x"), "voiceSpeed")).toBe("");
    expect(readErrorOf(refuse(""), "voiceSpeed")).toBe("");
  });
});

test.each([
  ["voiceSpeed must be 2 or less", "voiceSpeed", "Speed must be 2 or less."],
  ["allowedOrigins.0 is no origin", "allowedOrigins.0", "Pages it may be on › 1 is no origin."],
  ["timeZone is unknown.", "timeZone", "Time zone is unknown."],
  ["llm.model is missing", "llm", "llm.model is missing."],
  ["it is taken", "displayName", "It is taken."],
])("%s, of %s, is told as %s", (message, field, told) => {
  expect(tell({ message, field })).toBe(told);
});

test("readFindings gives what a check found", () => {
  expect(readFindings(refuse("llm", [FINDING]), "llm")).toEqual([{ ...FINDING, evidence: "" }]);
  expect(readFindings(refuse("llm", [{ message: "m", field: "llm" }]), "llm")).toEqual([]);
  expect(readFindings(refuse("llm", [FINDING]), "knowledge")).toEqual([]);
});

test("readDetails survives bodies of other shapes", () => {
  expect(readDetails(refuse("a", "text"))).toHaveLength(1);
  expect(readDetails(refuse("a", [{}]))).toHaveLength(1);
});

test.each([["llm.baseURL", "llm"], ["displayName", "identity"], ["messagePlan.idleMessages", "behaviour"], ["knowledge", "knowledge"], ["transferDestinations.0.when", "actions"], ["allowedOrigins", "deploy"]])(
  "%s stands on %s", (field, tab) => {
    expect(tabOf(field)).toBe(tab);
  },
);
