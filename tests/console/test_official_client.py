"""PlayAI's own browser client, unmodified, in Chromium, with its hosts mapped to our server.

It is installed by `npm run official` in widget/, and goes nowhere else: its package states no
licence. Without it, these tests are skipped.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, Frame, Page, Playwright
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from console.chromium import ALLOW, launch
from console.scripted_site import START_WITHIN_S, Caller, ScriptedAgents, wait_for
from console.test_embed import EVENTS, OPTIONS, asks

pytestmark = pytest.mark.browser

WIDGET = Path(__file__).parents[2] / "widget"
CLIENT = WIDGET / "official-client/node_modules/@play-ai/agent-web-sdk/dist/index.js"
HOSTS = ("play.ai", "api.play.ai", "shop.test")
PAGE = """<!doctype html><html lang="en"><title>A shop</title>
<link rel="icon" href="data:,"><body><script src="/sdk.js"></script></body></html>"""

OPEN = """
(options) => {
  window.told = [];
  window.embed = PlayAI.openEmbed("a1", { ...options, onEvent: (event) => told.push(event) });
}
"""
CONNECT = """
async () => {
  window.told = [];
  const note = (name) => (...given) => told.push([name, ...given]);
  const names = ["onUserTranscript", "onAgentTranscript", "onHangup", "onError"];
  const listeners = Object.fromEntries(names.map((name) => [name, note(name)]));
  window.controller = await PlayAI.connectAgent("a1", { listeners });
  return controller.conversationId;
}
"""


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate of our own, which the browser is told to take."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
    names = [*map(x509.DNSName, HOSTS), x509.IPAddress(ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, form, serialization.NoEncryption()),
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "key.pem", folder / "certificate.pem"


@dataclass(frozen=True)
class Hosted:
    """PlayAI's hosts, as we serve them, and a browser that knows no others."""

    agents: ScriptedAgents
    browser: Browser

    def open(self) -> Page:
        page = self.browser.new_page(ignore_https_errors=True)
        page.goto("https://shop.test/")
        return page


@pytest.fixture
def hosted(playwright: Playwright, tmp_path: Path) -> Iterator[Hosted]:
    if not CLIENT.exists():
        pytest.skip("needs `npm run official` in widget/")
    agents = ScriptedAgents()

    async def show(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def give(_: Request) -> Response:
        return FileResponse(CLIENT, media_type="text/javascript")

    agents.app.router.routes[:0] = [Route("/sdk.js", give), Route("/", show)]
    with serving_tls(agents, tmp_path) as port:
        rules = ",".join(f"MAP {host}:443 127.0.0.1:{port}" for host in HOSTS)
        browser = launch(
            playwright, ALLOW, f"--host-resolver-rules={rules}", "--ignore-certificate-errors"
        )
        yield Hosted(agents, browser)
        browser.close()


@contextmanager
def serving_tls(agents: ScriptedAgents, folder: Path) -> Iterator[int]:
    key, certificate = write_certificate(folder)
    server = uvicorn.Server(
        uvicorn.Config(
            agents.app,
            host="127.0.0.1",
            port=0,
            log_level="error",
            ws="websockets-sansio",
            ssl_keyfile=key,
            ssl_certfile=certificate,
        )
    )
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), START_WITHIN_S)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


def frame_of(page: Page) -> Frame:
    wait_for(lambda: len(page.frames) == 2)
    return page.frames[1]


def test_the_official_embed_shows_our_frame_and_hears_its_events(hosted: Hosted) -> None:
    hosted.agents.scripts["a1"] = asks
    page = hosted.open()
    page.evaluate(OPEN, OPTIONS)
    element = page.locator("#play-ai-embed")
    wait_for(lambda: element.evaluate("frame => frame.style.opacity") == "1", 25)
    frame = frame_of(page)
    frame.get_by_role("button", name="Talk to us").click()
    frame.get_by_role("button", name="Start talking").click()
    wait_for(lambda: page.evaluate("told"))
    assert page.evaluate("told") == [{"name": "show", "data": {"item": "tea"}}]
    page.evaluate("embed.setOrToggleMinimized(true)")
    wait_for(lambda: element.evaluate("frame => frame.getBoundingClientRect().height") < 120)
    setup = hosted.agents.callers[0].sent[0]
    assert (setup["customGreeting"], setup["prompt"]) == ("Welcome!", "Be brief.")
    assert setup["events"] == EVENTS


async def greets_in_silence(caller: Caller) -> None:
    await caller.say(
        "init", agentOwnerId="u", conversationId="c", recordingPresignedUrl="https://none.test"
    )
    await caller.say("onAgentGreeting", message=" ")
    await caller.say("onAgentGreetingEnd", message="")
    await caller.wait_for("audioIn")
    await caller.say("onUserTranscript", message="Hi")
    await caller.say("hangup", endedBy="agent")


def test_the_official_client_finds_its_detector_here(hosted: Hosted) -> None:
    """It loads `/silero_vad.onnx` and `/ort/ort-wasm.wasm` from us before it sends a frame."""
    hosted.agents.scripts["a1"] = greets_in_silence
    page = hosted.open()
    assert page.evaluate(CONNECT) == "c"
    wait_for(lambda: ["onHangup", "agent"] in page.evaluate("told"), 30)
    told: list[list[Any]] = page.evaluate("told")
    assert ["onUserTranscript", "Hi"] in told
    assert not [one for one in told if one[0] == "onError"]
