import { expect, test } from "vitest";

import { readPairs, writePairs } from "../src/pages/editor/llm/pairs";
import { readVariables, writeVariables, type Variables } from "../src/pages/editor/variables";

test("variables are read by their kinds", () => {
  expect(readVariables('shop = Nonna\'s = Pizza\nminutes=45\nopen = true\nzip = "01234"\nhouse = 007\nbig = 1e9\nempty =\n= x\nhalf')).toEqual({
    shop: "Nonna's = Pizza", minutes: 45, open: true, zip: "01234", house: "007", big: "1e9", empty: "",
  });
});

test.each<Variables>([{}, { a: "45", b: 45, c: "true", d: false, e: "", f: -1.5, g: "“x”", h: 'say "hi"' }])("%j is the same after writing and reading", (variables) => {
  expect(readVariables(writeVariables(variables))).toEqual(variables);
});

test("pairs: what is half typed is not there yet", () => {
  expect(readPairs("Authorization: Bearer a:b\nX-Half\n: x\nX-Empty:", ": ")).toEqual({ Authorization: "Bearer a:b", "X-Empty": "" });
  expect(readPairs("a=1&2\nb = 3", "=")).toEqual({ a: "1&2", b: "3" });
  expect(writePairs({ A: "1", B: null }, ": ")).toBe("A: 1\nB: ");
});
