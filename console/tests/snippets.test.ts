import { expect, test } from "vitest";

import { listAttributes, listSnippets, USUAL_LOOK, writePageEvents, writeWidgetTag } from "../src/pages/editor/deploy/snippets";

const SERVER = "https://sayso.example";

test("the usual look needs no attributes", () => {
  expect(writeWidgetTag("a-1", SERVER)).toBe(`<script src="${SERVER}/widget.js" async></script>\n<sayso-talk agent-id="a-1"></sayso-talk>`);
});

test("only what was chosen is written", () => {
  const look = { ...USUAL_LOOK, mode: "text", position: "bottom-left", accent: "#ff0000", launcher: " ", title: "Ask" } as const;
  expect(listAttributes(look)).toEqual([["mode", "text"], ["position", "bottom-left"], ["accent", "#ff0000"], ["name", "Ask"]]);
});

test("texts cannot leave their attribute", () => {
  expect(writeWidgetTag("a", SERVER, { ...USUAL_LOOK, launcher: '"><script>&' })).toContain('text-launcher="&quot;>&lt;script>&amp;"');
});

test("sockets are as safe as the page", () => {
  const code = (server: string) => listSnippets("a-1", server).map((each) => each.code).join("\n");
  expect(code(SERVER)).toContain("wss://sayso.example/v1/talk/a-1");
  expect(code("http://localhost:8400")).toContain('"ws://localhost:8400/v1/talk/a-1"');
});

test("the SDK's addresses are led here, and no others", () => {
  const [, line = ""] = /const here = ([^;]*;)/.exec(listSnippets("a", "http://localhost:8400").find(({ name }) => name === "Web SDK")?.code ?? "") ?? [];
  const here = new Function("SERVER", `return ${line}`)("http://localhost:8400") as (address: string) => string;
  expect(here("wss://api.play.ai/v1/agents/a/start-conversation")).toBe("ws://localhost:8400/v1/agents/a/start-conversation");
  expect(here("https://play.ai/silero_vad.onnx")).toBe("http://localhost:8400/silero_vad.onnx");
  expect(here("https://play.aim.example/x")).toBe("https://play.aim.example/x");
});

test("the page events' script can be read", () => {
  const script = /<script>([\s\S]*)<\/script>/.exec(writePageEvents("a", SERVER).split("\n").slice(2).join("\n"))?.[1] ?? "";
  expect(() => new Function(script)).not.toThrow();
});
