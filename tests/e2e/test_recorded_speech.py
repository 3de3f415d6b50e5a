"""Recorded human speech over the real socket, and what the agent's voice sounds like.

Run with `-s` to see the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import soxr

import speech
from sayso.audio import mulaw
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.caller import ANSWER_RATE_HZ
from served import Served, fake_llm, hear_greeting, linear16, microphone

pytestmark = pytest.mark.speech

UTTERANCES = 42
AT_ONCE = 6
"""Conversations beside each other: the test must not last."""


@dataclass(frozen=True)
class Heard:
    """One utterance and its answer.

    Attributes:
        said: the words that were spoken.
        heard: what the agent understood.
        answer: what the LLM answered.
        sounded: what a listener understands of the answer's sound.
    """

    said: str
    heard: str
    answer: str
    sounded: str

    @property
    def ears(self) -> speech.Errors:
        return speech.count_errors(self.said, self.heard)

    @property
    def voice(self) -> speech.Errors:
        return speech.count_errors(self.answer, self.sounded)


def choose() -> tuple[speech.Recording, ...]:
    """Short sentences of a professional speaker, evenly spread over all there are."""
    fit = [p for p in speech.prompts() if 1.5 <= p.seconds <= 5.0 and len(p.text.split()) >= 3]
    step = len(fit) / UTTERANCES
    return tuple(fit[int(index * step)] for index in range(UTTERANCES))


def narrow(samples: Samples) -> bytes:
    """As a telephone sends it: µ-law, 8 kHz."""
    return mulaw.encode(np.asarray(soxr.resample(samples, EAR_RATE_HZ, 8_000), np.float32))


def at_ear_rate(samples: Samples) -> Samples:
    """An answer's sound, for ears."""
    return np.asarray(soxr.resample(samples, ANSWER_RATE_HZ, EAR_RATE_HZ), np.float32)


async def hold_conversation(
    served: Served,
    agent_id: str,
    recordings: Sequence[speech.Recording],
    encode: Callable[[Samples], bytes],
    **setup: object,
) -> list[Heard]:
    """Say one after the other, and hear each answer out."""
    heard: list[Heard] = []
    async with served.call(agent_id, **setup) as caller, microphone(caller, encode) as mic:
        await hear_greeting(caller)
        for recording in recordings:
            turns, replies = len(caller.said), len(caller.replies)
            await mic.say(recording.samples)
            answer = await caller.reply(replies, within_s=20)
            await caller.hear_out(answer)
            heard.append(
                Heard(
                    recording.text,
                    " ".join(caller.said[turns:]),
                    answer.text,
                    await served.understand(at_ear_rate(answer.samples)),
                )
            )
    return heard


async def converse(
    served: Served, encode: Callable[[Samples], bytes], **setup: object
) -> list[Heard]:
    chosen = choose()
    async with fake_llm() as llm:
        agent_id = await served.make_agent(llm.url)
        shares = [chosen[first::AT_ONCE] for first in range(AT_ONCE)]
        parts = await asyncio.gather(
            *(hold_conversation(served, agent_id, share, encode, **setup) for share in shares)
        )
    return [one for part in parts for one in part]


def report(name: str, heard: Sequence[Heard]) -> tuple[float, float]:
    """Print what was wrong; gives the word error rates of ears and voice."""
    ears = sum((one.ears for one in heard), speech.Errors(0, 0))
    voice = sum((one.voice for one in heard), speech.Errors(0, 0))
    print(f"\n{name}: {len(heard)} utterances, {ears.words} words")
    print(f"  ears   {ears.rate:6.2%} wrong")
    print(f"  voice  {voice.rate:6.2%} wrong, of {voice.words} words spoken")
    for one in heard:
        if one.ears.wrong:
            print(f"  said {one.said!r}\n    heard {one.heard!r}")
        if one.voice.wrong:
            print(f"    spoke {one.answer!r}\n    sounds like {one.sounded!r}")
    return ears.rate, voice.rate


async def test_clear_speech_is_understood_and_answered(served: Served) -> None:
    heard = await converse(served, linear16)
    ears, voice = report("linear16, 16 kHz", heard)
    assert len(heard) == UTTERANCES
    assert ears <= 0.06
    assert voice <= 0.12


async def test_speech_by_telephone_is_understood_and_answered(served: Served) -> None:
    heard = await converse(served, narrow, inputEncoding="mulaw", inputSampleRate=8_000)
    ears, voice = report("µ-law, 8 kHz", heard)
    assert len(heard) == UTTERANCES
    assert ears <= 0.06
    assert voice <= 0.12
