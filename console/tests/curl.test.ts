import { execFileSync } from "node:child_process";

import { describe, expect, test } from "vitest";

import { writeCurl, type Request } from "../src/ui/curl";

const SERVER = "https://sayso.example";

/** What a shell makes of it: the words that curl is given. */
function words(request: Request): string[] {
  const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${writeCurl(request, SERVER)}`;
  return execFileSync("sh", ["-c", script], { env: { SAYSO_API_KEY: "ak-1" } }).toString().split("\0").slice(0, -1);
}

describe("writeCurl", () => {
  test("a request to read needs no method", () => {
    expect(words({ path: "/api/v1/agents" })).toEqual([`${SERVER}/api/v1/agents`, "-H", "Authorization: Bearer ak-1"]);
  });

  test("a query survives the shell", () => {
    expect(words({ path: "/api/v1/analytics?bucket=day&agentId=a" })[0]).toBe(`${SERVER}/api/v1/analytics?bucket=day&agentId=a`);
  });

  test.each(["The city's name", `"quoted" $HOME \`date\` \\ !`, "two\nlines", "ü–“”"])("a body with %j arrives as it is", (text) => {
    const sent = words({ method: "POST", path: "/x", body: { text } });
    expect(sent.slice(0, 2)).toEqual(["-X", "POST"]);
    expect(JSON.parse(sent.at(-1) ?? "")).toEqual({ text });
  });

  test("a form instead of a body", () => {
    expect(words({ method: "POST", path: "/x", form: "file=@it's.pdf" }).slice(-2)).toEqual(["-F", "file=@it's.pdf"]);
  });
});
