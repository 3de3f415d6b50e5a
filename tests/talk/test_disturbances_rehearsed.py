"""What becomes of a reply over which people cough, nod and interrupt: real ears, audio time.

The detector, the ears and the core are those of the server, the sounds are made here, and nothing
depends on how fast this machine is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

import disturbances
import nods
from rehearsal import IDLE, Rehearsal
from sayso.engines import EngineConfig, load_engine
from sayso.models import MODELS_DIR
from sayso.tts import Tts
from speech import over_the_phone

LONGEST_HOLD_S = 0.8
"""For a noise or a single nod: a quarter of a second less is heard of it."""

QUIET = (
    "throat",
    "breath",
    "a door",
    "a chair",
    "a fan, 4 s",
    "a tone",
    "dialling",
    "a dog",
    "a baby",
)
COUGHS = ("cough, dry", "cough, voiced, low", "cough, voiced, high", "knocking", "a melody")
NODS = ("Yeah.", "Yes.", "Okay.", "Got it.")


@dataclass(frozen=True)
class Rooms:
    tts: Tts
    ears: Rehearsal


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def rooms() -> AsyncIterator[Rooms]:
    config = EngineConfig(models_dir=MODELS_DIR)
    named = (("tts", "hibari"), ("vad", "silero"), ("stt", "moonshine"))
    tts, vad, stt = engines = [load_engine(f"sayso.{room}", name, config) for room, name in named]
    for engine in engines:
        await engine.open()
    yield Rooms(tts, Rehearsal(vad, stt))
    for engine in engines:
        await engine.close()


@pytest.mark.parametrize("name", QUIET)
async def test_what_is_no_voice_does_not_even_hold_it(rooms: Rooms, name: str) -> None:
    sound = disturbances.at_level(disturbances.MADE[name](), disturbances.SPEECH_LEVEL)
    for heard in (sound, over_the_phone(sound)):
        found = await rooms.ears.play(heard)
        assert (found.held_s, found.hushed_s) == (0.0, None), found


@pytest.mark.parametrize("name", COUGHS)
async def test_a_cough_holds_it_for_a_moment(rooms: Rooms, name: str) -> None:
    sound = disturbances.at_level(disturbances.MADE[name](), disturbances.SPEECH_LEVEL)
    for heard in (sound, over_the_phone(sound)):
        for after_s in (2.0, 3.01):
            found = await rooms.ears.play(heard, after_s=after_s)
            assert found.hushed_s is None, found
            assert found.held_s <= LONGEST_HOLD_S, found
        assert not (await rooms.ears.play(heard, IDLE)).answered


@pytest.mark.parametrize("text", NODS)
async def test_a_nod_lets_it_go_on(rooms: Rooms, text: str) -> None:
    sound = await nods.speak(rooms.tts, text, "heart")
    for heard in (sound, over_the_phone(sound)):
        found = await rooms.ears.play(heard)
        assert found.hushed_s is None, found
        assert 0.0 < found.held_s <= LONGEST_HOLD_S, found


@pytest.mark.parametrize("voice", ["heart", "bright", "baritone"])
async def test_so_does_a_hum_whatever_is_written_down_for_it(rooms: Rooms, voice: str) -> None:
    found = await rooms.ears.play(await nods.speak(rooms.tts, "Mm-hm.", voice))
    assert found.hushed_s is None, found


@pytest.mark.parametrize("text", nods.STOPS)
async def test_an_interruption_ends_it(rooms: Rooms, text: str) -> None:
    sound = await nods.speak(rooms.tts, text, "heart")
    for heard in (sound, over_the_phone(sound)):
        found = await rooms.ears.play(heard)
        assert found.hushed_s is not None, found
        assert found.hushed_s <= 1.5
