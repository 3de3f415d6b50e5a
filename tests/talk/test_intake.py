from __future__ import annotations

import asyncio

import numpy as np
import pytest

from rest_world import HandClock
from sayso.audio.formats import EAR_RATE_HZ, InputAudio, InputEncoding
from sayso.errors import Blame, SaysoError
from sayso.talk.intake import MAX_PIECES, Intake

PCM = InputAudio(InputEncoding.LINEAR16, EAR_RATE_HZ)
FRAME = np.arange(320, dtype="<i2").tobytes()


def make_intake(hears: InputAudio = PCM) -> tuple[Intake, HandClock, list[SaysoError]]:
    clock, errors = HandClock(), list[SaysoError]()
    return Intake(hears, clock, errors.append), clock, errors


async def test_all_that_came_is_taken_at_once_and_in_order() -> None:
    intake, _, errors = make_intake()
    for _ in range(3):
        intake.put(FRAME)
    samples = await intake.take()
    assert samples.tolist() == [value / 32_768 for value in range(320)] * 3
    assert not errors


async def test_half_a_sample_waits_for_its_other_half() -> None:
    intake, _, _ = make_intake()
    intake.put(FRAME[:3])
    assert len(await intake.take()) == 1
    intake.put(FRAME[3:])
    assert len(await intake.take()) == 319


async def test_whoever_listens_first_waits() -> None:
    intake, _, _ = make_intake()
    listening = asyncio.create_task(intake.take())
    await asyncio.sleep(0)
    intake.put(b"")  # a keep-alive
    await asyncio.sleep(0)
    assert not listening.done()
    intake.put(FRAME)
    assert len(await listening) == 320


async def test_packets_are_not_glued_together() -> None:
    intake, _, errors = make_intake(InputAudio(InputEncoding.AMR_NB, 8_000))
    no_data = bytes([15 << 3 | 4])
    for _ in range(3):
        intake.put(no_data)
    samples = await intake.take()
    assert len(samples) == pytest.approx(3 * 0.02 * EAR_RATE_HZ, abs=400)
    assert not errors


async def test_sound_faster_than_it_can_be_listened_to_is_refused_once() -> None:
    intake, _, errors = make_intake()
    for _ in range(MAX_PIECES + 3):
        intake.put(FRAME)
    assert [error.message for error in errors] == ["sound comes faster than it can be listened to"]
    assert errors[0].blame is Blame.CALLER


async def test_a_server_that_does_not_listen_does_not_blame_its_caller() -> None:
    """As they speak, 50 pieces a second, while the machine has other things to do."""
    intake, clock, errors = make_intake()
    intake.put(FRAME)
    await intake.take()
    for _ in range(MAX_PIECES + 3):
        clock.at_s += 0.02
        intake.put(FRAME)
    (error,) = errors
    assert error.blame is Blame.OPERATOR
    assert error.message == "nobody has listened for 5 s; this machine is too busy"
    assert "SAYSO_MAX_CONVERSATIONS" in str(error.hint)


async def test_sound_that_cannot_be_read_is_told_once() -> None:
    errors = asyncio.Queue[SaysoError]()
    intake = Intake(InputAudio(InputEncoding.MEDIA_CONTAINER), HandClock(), errors.put_nowait)
    intake.put(b"#EXTM3U\nhttp://127.0.0.1/secret" + bytes(64))
    taking = asyncio.create_task(intake.take())
    await errors.get()
    intake.put(b"#EXTM3U\n")
    await asyncio.sleep(0)
    taking.cancel()
    intake.close()
    assert errors.empty()


async def test_silence_takes_the_place_of_sound_that_does_not_come() -> None:
    intake, clock, _ = make_intake()
    clock.at_s += 1.0
    assert intake.mind_gap() is None
    samples = await intake.take()
    assert 0.5 < len(samples) / EAR_RATE_HZ < 1.0
    assert not samples.any()


async def test_sound_that_waits_to_be_decoded_is_no_gap() -> None:
    intake, clock, _ = make_intake()
    clock.at_s += 1.0
    intake.put(FRAME)
    intake.mind_gap()
    assert len(await intake.take()) == 320


async def test_a_microphone_that_sends_nothing_is_complained_about_once() -> None:
    intake, clock, _ = make_intake()
    intake.microphone.open(clock.now_s())
    clock.at_s += 20.0
    assert intake.mind_gap() == "nothing"
    assert intake.mind_gap() is None
