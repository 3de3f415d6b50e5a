import { expect, test } from "vitest";

import { findPlaces } from "../src/pages/functions/places";

test.each([
  ["https://a.example/visits/{id}", ["id"]],
  ["https://a.example/{city}/{city}?day={day}", ["city", "day"]],
  ["https://a.example/{{callerId}}/{id}", ["id"]],
  ["https://a.example/visits", []],
  ["{", []],
])("%s waits for %j", (address, places) => {
  expect(findPlaces(address, [])).toEqual(places);
});

test("a parameter fills the place of its name, in the address only", () => {
  const address = "https://a.example/{city}/{day}";
  const parameters = [{ name: "city", parameterPosition: "url" }, { name: "day", parameterPosition: "body" }];
  expect(findPlaces(address, parameters)).toEqual(["day"]);
});
