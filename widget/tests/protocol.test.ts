import { describe, expect, it } from "vitest";
import { isPage } from "../src/call/pages";
import { asSentence } from "../src/call/sentences";
import { isFromPage, readAddress } from "../src/embed/protocol";

describe("the address of a frame", () => {
  it("unwraps what is encoded twice", () => {
    const events = [{ name: "show", when: "asked" }];
    const search = new URLSearchParams({
      origin: encodeURIComponent("https://shop.test"),
      events: encodeURIComponent(JSON.stringify(events)),
      maxWidth: "360px", maxHeight: "640px", customGreeting: "Hi", prompt: "Be brief.",
    });
    expect(readAddress(`?${search}`)).toEqual({
      origin: "https://shop.test", events, maxWidthPx: 360, maxHeightPx: 640, customGreeting: "Hi", prompt: "Be brief.",
    });
  });

  it("may leave everything out, and nobody is told anything then", () => {
    expect(readAddress("")).toEqual({
      origin: "", maxWidthPx: Infinity, maxHeightPx: Infinity,
      customGreeting: undefined, prompt: undefined, events: undefined,
    });
    expect(readAddress("?origin=nonsense").origin).toBe("");
  });
});

describe("where an agent leads", () => {
  it("is a page, and no script", () => {
    const here = "https://shop.test/cart";
    for (const url of ["https://a.test/", "http://a.test", "/pay", "?step=2", "//b.test"]) expect(isPage(url, here)).toBe(true);
    for (const url of ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "blob:https://a.test/1", "http://["]) {
      expect(isPage(url, here)).toBe(false);
    }
  });
});

describe("messages of the page", () => {
  it("are known by their type", () => {
    expect(isFromPage({ type: "setOrToggleMinimized" })).toBe(true);
    for (const other of [null, 7, "x", {}, { type: "webpackOk" }]) expect(isFromPage(other)).toBe(false);
  });
});

describe("the server's words", () => {
  it("become a sentence", () => {
    expect(asSentence("the LLM is late")).toBe("The LLM is late.");
    expect(asSentence("Really?")).toBe("Really?");
    expect(asSentence(undefined)).toBe("Something went wrong.");
  });
});
