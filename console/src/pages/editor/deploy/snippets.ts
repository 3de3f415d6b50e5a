/* Code that talks to an agent, as it is to be pasted. Pure: `server` is an origin, such as https://sayso.example. */

export interface Snippet {
  name: string;
  code: string;
  /** What has to be known before. */
  note: string;
}

/** What a page may choose about the talk button; "" and null are the usual. */
export interface Look {
  mode: "both" | "voice" | "text";
  position: string;
  theme: "auto" | "light" | "dark";
  accent: string;
  launcher: string;
  title: string;
}

export const USUAL_LOOK: Look = { mode: "both", position: "bottom-right", theme: "auto", accent: "", launcher: "", title: "" };

/** The attributes that differ from the usual, in the order in which they are written. */
export function listAttributes(look: Look): [string, string][] {
  const all: [string, string, string][] = [
    ["mode", look.mode, USUAL_LOOK.mode], ["position", look.position, USUAL_LOOK.position], ["theme", look.theme, USUAL_LOOK.theme],
    ["accent", look.accent, ""], ["text-launcher", look.launcher.trim(), ""], ["name", look.title.trim(), ""],
  ];
  return all.filter(([, value, usual]) => value !== usual).map(([name, value]) => [name, value]);
}

export function writeWidgetTag(agentId: string, server: string, look: Look = USUAL_LOOK): string {
  const attributes = [["agent-id", agentId], ...listAttributes(look)].map(([name, value]) => `${name}="${escape(value ?? "")}"`);
  const within = attributes.length > 2 ? `\n  ${attributes.join("\n  ")}` : ` ${attributes.join(" ")}`;
  return `<script src="${server}/widget.js" async></script>\n<sayso-talk${within}></sayso-talk>`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", '"': "&quot;", "<": "&lt;" };
const escape = (text: string) => text.replaceAll(/[&"<]/g, (sign) => ESCAPES[sign] ?? sign);

export function listSnippets(agentId: string, server: string): readonly Snippet[] {
  const socket = `${socketOf(server)}/v1/talk/${agentId}`;
  return [
    { name: "Python", note: "Types a question and prints the answer. To speak, send {\"type\": \"audioIn\", \"data\": …} with sound in base64.", code: writePython(socket) },
    { name: "JavaScript", note: "For Node 22 or newer. Keep keys out of pages: those talk by the tag above, or with a ticket.", code: writeJavaScript(socket) },
    { name: "Web SDK", note: "The SDK that PlayAI published knows only PlayAI's addresses. These lines send it here, unchanged otherwise. The page must be on https: or localhost, the agent not private, and the server must have the files that the SDK detects speech with: its operator adds them once (npm run official -w widget). The tag above needs none of this.", code: writeSdk(agentId, server) },
    { name: "Ticket", note: "A secret that is good for this agent alone, and for minutes only. Give it to a page instead of a key.", code: writeTicket(agentId, server) },
  ];
}

const socketOf = (server: string) => server.replace(/^http/, "ws");

const writeJavaScript = (socket: string) => `// SAYSO_API_KEY=… node talk.mjs
const socket = new WebSocket("${socket}");
const send = (message) => socket.send(JSON.stringify(message));

socket.onopen = () => send({ type: "setup", apiKey: process.env.SAYSO_API_KEY, outputFormat: "raw" });
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.type === "init") send({ type: "textIn", data: "What can you do?" });
  if (message.type === "onAgentTranscript") console.log(message.message);
  if (message.type === "audioStreamEnd") socket.close(); // all of the answer's sound has come
  if (message.type === "error") console.error(message.message);
};`;

const writePython = (socket: string) => `# pip install websockets; SAYSO_API_KEY=… python talk.py
import asyncio, json, os
from websockets.asyncio.client import connect

async def main():
    async with connect("${socket}") as socket:
        await socket.send(json.dumps(
            {"type": "setup", "apiKey": os.environ["SAYSO_API_KEY"], "outputFormat": "raw"}))
        async for frame in socket:
            message = json.loads(frame)
            if message["type"] == "init":
                await socket.send(json.dumps({"type": "textIn", "data": "What can you do?"}))
            elif message["type"] == "onAgentTranscript":
                print(message["message"])
            elif message["type"] == "audioStreamEnd":  # all of the answer's sound has come
                break
            elif message["type"] == "error":
                print(message["message"])

asyncio.run(main())`;

const writeSdk = (agentId: string, server: string) => `const SERVER = "${server}";
const here = (address) =>
  String(address).replace(/^(ws|http)s:\\/\\/(api\\.)?play\\.ai(?=\\/|$)/, (_, kind) => SERVER.replace(/^http/, kind));
window.WebSocket = class extends WebSocket {
  constructor(address, protocols) { super(here(address), protocols); }
};
const ask = window.fetch;
window.fetch = (asked, init) => ask(asked instanceof Request ? asked : here(asked), init);

// npm install @play-ai/agent-web-sdk; call this from a click, because of the sound.
const { connectAgent } = await import("@play-ai/agent-web-sdk");
const call = await connectAgent("${agentId}", {
  listeners: { onAgentTranscript: (text) => console.log(text) },
});`;

const writeTicket = (agentId: string, server: string) => `curl -X POST ${server}/api/v1/agents/${agentId}/tickets \\
  -H "Authorization: Bearer $SAYSO_API_KEY"

# It is sent as "apiKey" in setup, or stands in the tag: <sayso-talk ticket="…">.`;

export const writePageEvents = (agentId: string, server: string) => `<script src="${server}/widget.js" async></script>
<sayso-talk id="talk" agent-id="${agentId}"></sayso-talk>
<script>
  const talk = document.getElementById("talk");
  talk.events = [{
    name: "show-menu",
    when: "the caller wants to see what there is to eat",
    data: { course: { type: "enum", values: ["starters", "mains", "desserts"], description: "which part" } },
  }];
  talk.addEventListener("customevent", ({ detail: { name, data } }) => {
    location.hash = data.course;
    talk.tell(\`The page shows the \${data.course}.\`);
  });
</script>`;
