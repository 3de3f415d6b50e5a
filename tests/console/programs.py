"""What the first hour needs around the browser: `sayso serve`, an LLM, a website, a voice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import soxr

from sayso.audio.formats import pcm16_of
from sayso.models import MODELS_DIR
from sayso.tts.hibari import RATE_HZ, Synthesizer, find_shape, load_synthesizer

MICROPHONE_HZ = 48_000
READY = re.compile(r"Sign in\s+(\S+)")
ANSWERS_AT = re.compile(r"https?://[\w.:/]+")
STOP_WITHIN_S = 30.0


# Sayso's own programs --------------------------------------------------------------------------


@contextmanager
def running(
    until: re.Pattern[str], *words: str, python: Path = Path(sys.executable), **environment: str
) -> Iterator[re.Match[str]]:
    """Run `sayso …` until the end of the block; gives what it printed that matches `until`."""
    program = subprocess.Popen(
        [python, "-m", "sayso", *words],
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.stdout is not None
    said = ""
    try:
        found = None
        for line in program.stdout:
            said += line
            if found := until.search(said):
                break
        assert found, f"sayso {words[0]} did not start:\n{said}"
        rest = threading.Thread(target=program.stdout.read)  # a full pipe would stop it
        rest.start()
        yield found
    finally:
        program.terminate()
        program.wait(STOP_WITHIN_S)
    rest.join(STOP_WITHIN_S)
    program.stdout.close()


@contextmanager
def running_server(data: Path) -> Iterator[str]:
    """A new installation with the bundled models; gives the link that signs its owner in."""
    with running(READY, "serve", SAYSO_DATA_DIR=str(data), SAYSO_PORT="0") as found:
        yield found[1]


@contextmanager
def running_llm(port: int) -> Iterator[str]:
    """A fake LLM that calls functions, and else says what it is told; gives its base URL."""
    words = ("fake-llm", "--tools", "--prefix", "/v1", "--port", str(port), "--token-ms", "1")
    with running(ANSWERS_AT, *words):
        yield f"http://127.0.0.1:{port}/v1"


# The owner's own website -----------------------------------------------------------------------


@dataclass
class Website:
    """A website of the owner's: a page, and an endpoint that says how the weather is.

    Attributes:
        url: its origin.
        page: the HTML of its front page.
        asked: the query of each request for the weather.
    """

    url: str = ""
    page: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def running_website() -> Iterator[Website]:
    """Run one on a port of its own."""
    website = Website()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/weather":
                website.asked.append(dict(parse_qsl(asked.query)))
                self._answer("application/json", json.dumps({"sky": "sunny", "celsius": 21}))
            else:
                self._answer("text/html; charset=utf-8", website.page)

        def _answer(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """It keeps no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        website.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield website
        finally:
            server.shutdown()
            thread.join()


# A caller's voice ------------------------------------------------------------------------------


def write_speech(path: Path, text: str, *, after_s: float, rest_s: float = 60.0) -> Path:
    """A WAV file of a microphone: silence, `text` said aloud, silence."""
    voice = _load_voice()
    said = [voice.say(each, find_shape("deep"), 1.0) for each in voice.read(text)]
    sound = soxr.resample(np.concatenate(said), RATE_HZ, MICROPHONE_HZ)
    before, after = (np.zeros(round(s * MICROPHONE_HZ), np.float32) for s in (after_s, rest_s))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes(pcm16_of(np.concatenate([before, sound, after])).tobytes())
    return path


@cache
def _load_voice() -> Synthesizer:
    return load_synthesizer(MODELS_DIR)
