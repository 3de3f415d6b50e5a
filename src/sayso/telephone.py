"""`sayso talk`: one call from the terminal, with what was said and how long the answer took."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import typer

from sayso.audio.formats import EAR_RATE_HZ, Samples, samples_of
from sayso.caller import (
    ANSWER_RATE_HZ,
    FRAME_S,
    REPORT_S,
    Caller,
    HeardReply,
    call,
    read_sound,
    write_wav,
)
from sayso.errors import InstallationError, TalkCode, TalkError

ANSWER_WITHIN_S = 60.0
"""Longest wait for a whole answer, in seconds."""
HANGS_UP_WITHIN_S = 1.0
"""So long after an answer an agent that ends the call is left to do it, in seconds.

Whoever leaves first stands in the record: `caller_left`, where it was the agent that was done.
"""
FAILED_TURN = 3
"""The exit code of a call in which a turn failed, whatever was said instead."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the command line asked for."""

    url: str
    agent_id: str
    api_key: str | None
    question: Path | None
    text: str | None
    out: Path | None
    caller_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


async def place_call(wanted: Call) -> int:
    """Call, talk, print; the exit code.

    It is 0 if an answer was heard, 1 if there was no sound, 3 if a turn failed: then the agent says
    a sentence for that, which is no answer.

    Raises:
        SaysoError: the call failed; says why, and what to do.
    """
    sound = read_sound(wanted.question) if wanted.question else None
    _refuse_early(wanted)
    try:
        async with call(
            wanted.url,
            wanted.agent_id,
            api_key=wanted.api_key,
            caller_id=wanted.caller_id,
            variables=wanted.variables,
        ) as caller:
            if sound is None and wanted.text is None:
                return await _talk_by_microphone(caller)
            return await _ask_once(caller, sound, wanted)
    except aiohttp.WSServerHandshakeError as error:
        raise InstallationError(
            f"{wanted.url} answered {error.status}: no agent {wanted.agent_id!r}",
            hint="Name an agent by its id, or by the URL of its talk page.",
        ) from None
    except aiohttp.ClientError as error:
        raise InstallationError(
            f"{wanted.url} cannot be reached: {error}",
            hint="Is the server running? `make serve` starts it.",
        ) from None


def _refuse_early(wanted: Call) -> None:
    """What cannot end well is said before anybody is called."""
    if wanted.text is not None and not wanted.text.strip():
        raise InstallationError("there is nothing to say", hint="Give --text some words.")
    if wanted.text is not None and wanted.question is not None:
        raise InstallationError("--in and --text are two questions", hint="Give one of them.")
    if wanted.out is not None and not wanted.out.absolute().parent.is_dir():
        raise InstallationError(
            f"{wanted.out} cannot be written: there is no such folder", hint="Make it first."
        )


async def _ask_once(caller: Caller, sound: Samples | None, wanted: Call) -> int:
    """Hear the greeting out, ask, hear the answer out."""
    async with _open_microphone(caller):
        greeted = await _hear_greeting(caller)
    if sound is not None:
        await caller.say(sound)
    else:
        await caller.write(wanted.text or "")
    try:
        async with _open_microphone(caller):
            answer = await _hear_answer(caller, 1 if greeted else 0, wanted)
            _print_answer(caller, answer, wanted)
            if await caller.hung_up(within_s=HANGS_UP_WITHIN_S):
                typer.echo("  the agent hung up")
    finally:
        # Not the silence that this sends on purpose: that is for real microphones.
        for problem in filter(_is_failure, caller.problems):
            _print_problem(problem.message)
    _keep(answer, wanted)
    if any(map(_is_failure, caller.problems)):
        return FAILED_TURN
    return 0 if len(answer.samples) else 1


async def _hear_answer(caller: Caller, number: int, wanted: Call) -> HeardReply:
    """The answer, heard out. Of one that does not come, or to no end, what came is told and kept.

    Raises:
        TalkError: there is none, or no end of it.
    """
    try:
        answer = await caller.answer(number, within_s=ANSWER_WITHIN_S)
    except TalkError:
        begun = caller.replies[number:][-1:]
        _print_answer(caller, begun[0] if begun else None, wanted)
        if begun:
            typer.echo(f"  gave up after {begun[0].lasts_s:.1f} s of it")
            _keep(begun[0], wanted)
        raise
    await caller.hear_out(answer)
    return answer


def _keep(answer: HeardReply, wanted: Call) -> None:
    """Write the sound of an answer where it is wanted."""
    if wanted.out:
        write_wav(wanted.out, answer.samples)
        seconds = len(answer.samples) / ANSWER_RATE_HZ
        typer.echo(f"  answer: {wanted.out} ({seconds:.1f} s)")


def _is_failure(problem: TalkError) -> bool:
    """Whether it is the server's or the LLM's, and not the microphone's."""
    return problem.code == TalkCode.INTERNAL


def _print_problem(message: str) -> None:
    typer.secho(f"problem: {message}", fg="red", err=True)


async def _hear_greeting(caller: Caller) -> bool:
    def is_over() -> bool:
        return any(told.message["type"] == "onAgentGreetingEnd" for told in caller.told)

    await caller.until(is_over, within_s=ANSWER_WITHIN_S, what="the greeting")
    greeted = bool(caller.replies)
    if greeted:
        typer.secho(f"agent:  {caller.replies[0].text}", fg="cyan")
    return greeted


def _print_answer(caller: Caller, answer: HeardReply | None, wanted: Call) -> None:
    for said in caller.said or [wanted.text or ""]:
        typer.secho(f"you:    {said}", fg="green")
    if answer is not None:
        typer.secho(f"agent:  {answer.text or answer.written or '…'}", fg="cyan")
        _print_wait(caller, answer)
    typer.echo(f"  conversation {caller.conversation_id}")


def _print_wait(caller: Caller, answer: HeardReply) -> None:
    if answer.first_sound_s is not None and caller.speech_ended_s is not None:
        waited_s = answer.first_sound_s - caller.speech_ended_s
        typer.echo(f"  first sound {waited_s * 1000:.0f} ms after the question ended")


@asynccontextmanager
async def _open_microphone(caller: Caller) -> AsyncIterator[None]:
    """Send silence meanwhile, as an open microphone would."""
    silence = asyncio.create_task(caller.keep_silent())
    try:
        yield
    finally:
        silence.cancel()
        await asyncio.gather(silence, return_exceptions=True)


# Through the sound card ------------------------------------------------------------------------


def _load_sound_card() -> Any:  # noqa: ANN401
    try:
        import sounddevice  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise InstallationError(
            f"no microphone can be used here: {error}",
            hint=f"Run `{sys.executable} -m pip install sounddevice` (on Debian also `apt install "
            "libportaudio2`), or use --in FILE or --text WORDS.",
        ) from None
    try:
        sounddevice.check_input_settings(samplerate=EAR_RATE_HZ, channels=1)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InstallationError(
            f"no microphone can be used here: {error}", hint="Use --in FILE or --text WORDS."
        ) from None
    return sounddevice


async def _talk_by_microphone(caller: Caller) -> int:
    """Talk until somebody hangs up; Ctrl+C hangs up."""
    card = _load_sound_card()
    loop = asyncio.get_running_loop()
    recorded: asyncio.Queue[Samples] = asyncio.Queue(100)

    def keep(samples: Samples) -> None:
        if not recorded.full():  # a line that stalls loses sound rather than time
            recorded.put_nowait(samples)

    def take(data: Any, *_: object) -> None:  # noqa: ANN401
        samples = samples_of(np.frombuffer(bytes(data), np.int16))
        loop.call_soon_threadsafe(keep, samples)

    block = int(FRAME_S * EAR_RATE_HZ)
    speaker = card.OutputStream(samplerate=ANSWER_RATE_HZ, channels=1, dtype="float32")
    microphone = card.RawInputStream(
        samplerate=EAR_RATE_HZ, channels=1, dtype="int16", blocksize=block, callback=take
    )
    typer.echo("Speak; Ctrl+C hangs up.")
    with speaker, microphone:
        playing = asyncio.create_task(_play(caller, speaker))
        while not caller.ended:
            await caller.send_sound(await recorded.get())
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    return FAILED_TURN if any(map(_is_failure, caller.problems)) else 0


async def _play(caller: Caller, speaker: Any) -> None:  # noqa: ANN401
    """Write each reply to the speaker as it comes; a newer reply replaces an older one.

    What was written is heard as much later as the sound card says (`latency`, in seconds).
    """
    reply, piece, printed = 0, 0, 0
    written_s = told_s = 0.0
    while True:
        async with caller.changed:
            await caller.changed.wait()
        for told in caller.told[printed:]:
            _print_told(told.message)
        printed = len(caller.told)
        if len(caller.replies) - 1 > reply:
            reply, piece = len(caller.replies) - 1, 0
            written_s = told_s = 0.0
        while caller.replies and piece < len(caller.replies[reply].encoded):
            sounding = caller.replies[reply]
            samples = np.frombuffer(sounding.encoded[piece], "<f4")
            piece += 1
            await asyncio.to_thread(speaker.write, samples.reshape(-1, 1))
            written_s += len(samples) / ANSWER_RATE_HZ
            if written_s >= told_s + REPORT_S:
                told_s = written_s
                await caller.tell_played(sounding, written_s - speaker.latency)


def _print_told(message: Any) -> None:  # noqa: ANN401
    if message["type"] == "onUserTranscript":
        typer.secho(f"you:    {message['message']}", fg="green")
    elif message["type"] == "onAgentTranscript":
        typer.secho(f"agent:  {message['message']}", fg="cyan")
    elif message["type"] == "error" and not message["isFatal"]:
        _print_problem(message["message"])
