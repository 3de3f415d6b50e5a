import { expect, test } from "vitest";

import { ApiError } from "../src/api/client";
import { readElse, readFieldError } from "../src/pages/functions/refused";

const refused = new ApiError(400, "EndpointUrl must be a URL.", "Begin with https://.", "endpointUrl");

test("a field is called by its label, and told what to do", () => {
  expect(readFieldError(refused, "endpointUrl")).toBe("Address must be a URL. Begin with https://.");
  expect(readFieldError(refused, "name")).toBe("");
});

test("what does not begin with the name of the field stays as it is", () => {
  expect(readFieldError(new ApiError(400, "It is taken.", "", "name"), "name")).toBe("It is taken.");
});

test("the head of the form says only what no field says", () => {
  const elsewhere = new ApiError(400, "Parameters.0.name is empty.", "", "parameters.0.name");
  const lost = new Error("lost");
  expect([readElse(refused), readElse(elsewhere), readElse(lost), readElse(null)]).toEqual([null, elsewhere, lost, null]);
});
