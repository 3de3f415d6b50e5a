"""A bridge between Twilio's telephone lines and an agent: sound both ways, and transfers.

    export SAYSO_URL=http://127.0.0.1:8400 SAYSO_API_KEY=ak-...
    TWILIO_SID=AC... TWILIO_TOKEN=... \
        python examples/phone_bridge.py AGENT_ID --public bridge.example.com --port 8600

`--public` is where Twilio reaches this program by https. Let the number's "A call comes in" be
`POST https://bridge.example.com/incoming`. It takes whoever asks for Twilio: before strangers can
reach it, check `X-Twilio-Signature`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import aiohttp
from aiohttp import web

Talk = aiohttp.ClientWebSocketResponse
Start = dict[str, Any]

TELEPHONE = {"inputEncoding": "mulaw", "inputSampleRate": 8000}
SPEAKER = {"outputFormat": "mulaw", "outputSampleRate": 8000}
UNANSWERED = {"busy": "the line is busy", "no-answer": "nobody answered"}


class Bridge:
    """Answers Twilio; `agent_id` is who speaks."""

    def __init__(self, agent_id: str, public: str, twilio: str) -> None:
        self._public = public
        self._account = f"{twilio}/2010-04-01/Accounts/{os.environ['TWILIO_SID']}"
        self._auth = aiohttp.BasicAuth(os.environ["TWILIO_SID"], os.environ["TWILIO_TOKEN"])
        self._talk_url = f"{os.environ['SAYSO_URL'].replace('http', 'ws', 1)}/v1/talk/{agent_id}"

    def app(self) -> web.Application:
        """The pages Twilio asks for."""
        app = web.Application()
        app.router.add_post("/incoming", self.incoming)
        app.router.add_post("/dialled/{conversation_id}", self.dialled)
        app.router.add_get("/media", self.media)
        return app

    async def incoming(self, request: web.Request) -> web.Response:
        """A call comes in: connect it to the agent."""
        form = await request.post()
        return self._connect(caller=str(form.get("From", "")))

    async def dialled(self, request: web.Request) -> web.Response:
        """A transfer is over: it was answered, or the caller comes back to the agent."""
        status = str((await request.post()).get("DialCallStatus", "failed"))
        if status == "completed":
            return _twiml("<Hangup/>")
        note = f"The transfer failed: {UNANSWERED.get(status, 'the call failed')}. Tell the caller."
        return self._connect(goes_on=request.match_info["conversation_id"], note=note)

    def _connect(self, **parameters: str) -> web.Response:
        named = "".join(
            f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>"
            for name, value in parameters.items()
        )
        url = quoteattr(f"wss://{self._public}/media")
        return _twiml(f"<Connect><Stream url={url}>{named}</Stream></Connect>")

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        """The sound of one call."""
        phone = web.WebSocketResponse()
        await phone.prepare(request)
        start = await _read_start(phone)
        async with aiohttp.ClientSession() as http, http.ws_connect(self._talk_url) as talk:
            await talk.send_json(make_setup(start["customParameters"]))
            hearing = asyncio.create_task(_hear(phone, talk))
            try:
                await self._speak(talk, phone, http, start)
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
        await phone.close()
        return phone

    async def _speak(
        self, talk: Talk, phone: web.WebSocketResponse, http: aiohttp.ClientSession, start: Start
    ) -> None:
        """What the agent says and asks for, to the telephone."""
        stream, conversation_id = {"streamSid": start["streamSid"]}, ""
        async for frame in talk:
            message = json.loads(frame.data)
            match message["type"]:
                case "init":
                    conversation_id = message["conversationId"]
                    if note := start["customParameters"].get("note"):
                        await talk.send_json({"type": "customInput", "data": note})
                case "audioStream":
                    media = {"payload": message["data"]}
                    await phone.send_json({"event": "media", "media": media, **stream})
                case "newAudioStream" | "onAgentInterrupted":
                    await phone.send_json({"event": "clear", **stream})
                case "audioStreamEnd":
                    await phone.send_json({"event": "mark", "mark": {"name": "end"}, **stream})
                case "transfer":
                    dial = self._dial(message["phoneNumber"], conversation_id)
                    url = f"{self._account}/Calls/{start['callSid']}.json"
                    async with http.post(url, data={"Twiml": dial}, auth=self._auth) as answer:
                        if not answer.ok:
                            reason = f"the telephone company says {answer.status}"
                            await talk.send_json({"type": "transferFailed", "reason": reason})

    def _dial(self, number: str, conversation_id: str) -> str:
        noun = "Sip" if number.lower().startswith("sip") else "Number"
        action = quoteattr(f"https://{self._public}/dialled/{conversation_id}")
        dialled = f"<{noun}>{escape(number)}</{noun}>"
        return f"<Response><Dial action={action}>{dialled}</Dial></Response>"


def make_setup(parameters: dict[str, str]) -> dict[str, object]:
    """The first message to the agent; who comes back from a transfer goes on where they were."""
    setup = {"type": "setup", "apiKey": os.environ["SAYSO_API_KEY"], "canTransfer": True}
    if goes_on := parameters.get("goes_on"):
        setup |= {"continueConversation": goes_on, "customGreeting": ""}
    return setup | TELEPHONE | SPEAKER | {"callerId": parameters.get("caller", "")}


async def _hear(phone: web.WebSocketResponse, talk: Talk) -> None:
    """What the caller says, to the agent, until they or Twilio hang up."""
    async for frame in phone:
        message = json.loads(frame.data)
        if message["event"] == "media":
            await talk.send_json({"type": "audioIn", "data": message["media"]["payload"]})
        elif message["event"] == "mark":
            await talk.send_json({"type": "bufferEmpty"})
        elif message["event"] == "stop":
            break
    await talk.close()


async def _read_start(phone: web.WebSocketResponse) -> Start:
    """What Twilio says of the call before its sound."""
    while (message := await phone.receive_json())["event"] != "start":
        pass
    return dict(message["start"])


def _twiml(instructions: str) -> web.Response:
    return web.Response(text=f"<Response>{instructions}</Response>", content_type="text/xml")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("agent_id")
    parser.add_argument("--public", required=True, help="host where Twilio reaches this program")
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--twilio", default="https://api.twilio.com")
    options = parser.parse_args()
    bridge = Bridge(options.agent_id, options.public, options.twilio)
    web.run_app(bridge.app(), host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
