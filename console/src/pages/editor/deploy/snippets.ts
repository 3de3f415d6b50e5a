/* Code that talks to an agent, as it is to be pasted. */

export interface Snippet {
  name: string;
  code: string;
}

export function writeWidgetTag(agentId: string): string {
  return `<script src="${location.origin}/widget.js" async></script>
<sayso-talk agent-id="${agentId}"></sayso-talk>`;
}

export function listSnippets(agentId: string): readonly Snippet[] {
  const socket = `${location.origin.replace(/^http/, "ws")}/v1/talk/${agentId}`;
  return [
    { name: "JavaScript", code: writeJavaScript(socket) },
    { name: "Python", code: writePython(socket) },
    { name: "Web SDK", code: writeSdk(agentId) },
    { name: "curl: a ticket for a browser", code: writeTicket(agentId) },
  ];
}

const writeJavaScript = (socket: string) => `// Types to the agent; send {type: "audioIn", data: <base64>} to speak.
const socket = new WebSocket("${socket}");
socket.onopen = () => socket.send(JSON.stringify({ type: "setup", apiKey: process.env.SAYSO_API_KEY, outputFormat: "raw" }));
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.type === "init") socket.send(JSON.stringify({ type: "textIn", data: "What can you do?" }));
  if (message.type === "onAgentTranscript") console.log(message.message);
  if (message.type === "audioStream") { /* base64 of 32-bit floats: play them */ }
};`;

const writePython = (socket: string) => `# pip install websockets
import asyncio, json, os
from websockets.asyncio.client import connect

async def main():
    async with connect("${socket}") as socket:
        await socket.send(json.dumps({"type": "setup", "apiKey": os.environ["SAYSO_API_KEY"], "outputFormat": "raw"}))
        async for frame in socket:
            message = json.loads(frame)
            if message["type"] == "init":
                await socket.send(json.dumps({"type": "textIn", "data": "What can you do?"}))
            elif message["type"] == "onAgentTranscript":
                print(message["message"])

asyncio.run(main())`;

const writeSdk = (agentId: string) => `// The SDK that PlayAI published works unchanged, once it is told where the server is.
import { connectAgent } from "@play-ai/agent-web-sdk";

const agent = await connectAgent("${agentId}", {
  listeners: { onAgentTranscript: (text) => console.log(text) },
});`;

const writeTicket = (agentId: string) => `# Good for this agent alone, and for minutes only: give it to a page instead of a key.
curl -X POST ${location.origin}/api/v1/agents/${agentId}/tickets \\
  -H "Authorization: Bearer $SAYSO_API_KEY"`;
