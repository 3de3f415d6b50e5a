from __future__ import annotations

import json
from base64 import b64encode

import aiohttp
import numpy as np

from sayings import audio_message
from wire import BARE, PLAYAI, Message

SOUND = np.linspace(-0.5, 0.5, 320, dtype=np.float32)
FRAME = audio_message(SOUND)


def text(body: str) -> aiohttp.WSMessage:
    return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, body, None)


def test_playai_frames_are_sent_as_they_are() -> None:
    assert PLAYAI.write(FRAME) == FRAME


def test_bare_frames_are_their_samples() -> None:
    sent = BARE.write(FRAME)
    assert isinstance(sent, bytes)
    assert np.allclose(np.frombuffer(sent, "<i2") / 32_768, SOUND, atol=1e-4)


def test_playai_sound_is_read() -> None:
    body = json.dumps({"type": "audioStream", "data": b64encode(b"1234").decode()})
    assert PLAYAI.read(text(body)) == Message("audioStream", b"1234")


def test_bare_sound_and_words_are_read() -> None:
    bare = aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, b"1234", None)
    assert BARE.read(bare) == Message("audioStream", b"1234")
    assert BARE.read(text('{"type":"init","other":1}')) == Message("init")


def test_a_second_of_sound_is_a_second() -> None:
    assert PLAYAI.seconds(bytes(4 * 24_000)) == 1.0
    assert BARE.seconds(bytes(2 * 24_000)) == 1.0


def test_only_playai_is_greeted_and_told_what_played() -> None:
    assert json.loads(PLAYAI.hello or "")["type"] == "setup"
    assert json.loads(PLAYAI.played or "") == {"type": "bufferEmpty"}
    assert (BARE.hello, BARE.played) == (None, None)
