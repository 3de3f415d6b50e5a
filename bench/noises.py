"""Measures what coughs, doors, typing, "mm-hm" and "wait, stop" do to a reply that sounds.

    python bench/noises.py --rehearse      in audio time, without a socket: two minutes
    python bench/noises.py --quick         over the talk socket, every fifth sound: ten minutes
    python bench/noises.py                 all of them: most of an hour

Over the socket, `sayso serve` runs as it comes but for its voice, which hums. Each sound is made
three times into a long reply and once into silence, clean and on a telephone line. The rehearsal
has the same ears and the same core, and costs no waiting; `rehearsal.py` says how.

A reply is to survive all but the last kind, "stop". A hole is silence in the sound as a player
plays it. Needs the models; recorded noises and `espeak-ng` if they are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import numpy as np
import soxr

import disturbances
import nods
from child import start
from disturbances import Disturbance
from figures import percentile
from machine import describe_machine
from rehearsal import IDLE, Rehearsal
from sayso.app import Server
from sayso.audio import mulaw
from sayso.audio.formats import EAR_RATE_HZ, Samples, pcm16_of
from sayso.caller import ANSWER_RATE_HZ, Caller, HeardReply
from sayso.config import Settings
from sayso.engines import EngineConfig, load_engine
from sayso.llm.fake import FakeConfig, running_fake
from sayso.models import MODELS_DIR
from sayso.observe.logs import set_up_logs
from sayso.serve import uvicorn_config
from sayso.store.database import migrate
from server import Announced
from speech import PHONE_RATE_HZ, over_the_phone

STORY = " ".join(
    f"In the {nth} village lived a woman who knew the name of every tree in the forest."
    for nth in "first second third fourth fifth sixth seventh eighth ninth tenth".split()
)
OFFSETS_S = (2.0, 3.01, 4.77)
"""Where in a reply a sound begins."""

AFTER_S = 2.2
"""A sound has had its effect by then, in seconds from its end."""

FRAME_S = 0.02
HOLE_S = 0.03
"""Sound that comes so much later than the sound before it has played makes a hole."""

QUICK_STEP = 5
LINES = ("clean", "phone")
TIMES = ("hole", "silent", "told")


@dataclass(slots=True)
class Trial:
    """One sound on one line; times in seconds.

    Attributes:
        holes_s: the hole it made in each reply, 0 for none.
        hushed_s: from its beginning to the word that the reply is over, where it was.
        silent_s: from its beginning to silence at the caller, there.
        answered: made into silence, it was answered.
    """

    disturbance: Disturbance
    line: str
    holes_s: list[float] = field(default_factory=list)
    hushed_s: list[float] = field(default_factory=list)
    silent_s: list[float] = field(default_factory=list)
    answered: bool = False
    texts: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether a reply ended that was to go on, or went on that was to end."""
        ended, tries = len(self.hushed_s), len(self.hushed_s) + len(self.holes_s)
        return ended < tries if self.disturbance.kind == "stop" else ended > 0


# Over the socket -----------------------------------------------------------------------------


@dataclass
class Line:
    """An open call: a microphone that never closes, and a player."""

    caller: Caller
    phone: bool
    to_say: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    begun: asyncio.Future[float] | None = None

    async def say(self, samples: Samples) -> float:
        """Begin to make a sound; gives the steady time of its first sample."""
        self.begun = asyncio.get_running_loop().create_future()
        self.to_say = samples
        return await self.begun

    async def record(self) -> None:
        """Send what is said, and silence, at the pace of a clock."""
        step, due_s = int(FRAME_S * EAR_RATE_HZ), monotonic()
        while not self.caller.ended:
            frame = np.zeros(step, np.float32)
            piece, self.to_say = self.to_say[:step], self.to_say[step:]
            frame[: len(piece)] = piece
            if len(piece) and self.begun is not None and not self.begun.done():
                self.begun.set_result(due_s)
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - monotonic()))
            await self.caller.send_encoded(self._encode(frame))

    def _encode(self, frame: Samples) -> bytes:
        if self.phone:  # already narrow: every second sample is all there is
            return mulaw.encode(frame[::2])
        return pcm16_of(frame).astype("<i2").tobytes()


def narrow(samples: Samples) -> Samples:
    """Sound below 4 kHz, as a telephone sends it."""
    low = soxr.resample(samples, EAR_RATE_HZ, PHONE_RATE_HZ)
    return np.asarray(soxr.resample(low, PHONE_RATE_HZ, EAR_RATE_HZ), np.float32)


@asynccontextmanager
async def calling(url: str, *, phone: bool) -> AsyncIterator[Line]:
    """Call, and keep the microphone open until the end of the block."""
    encoding = {"inputEncoding": "mulaw", "inputSampleRate": PHONE_RATE_HZ}
    setup = {
        "type": "setup",
        "inputEncoding": "linear16",
        "inputSampleRate": EAR_RATE_HZ,
        "outputFormat": "raw",
        "outputSampleRate": ANSWER_RATE_HZ,
        **(encoding if phone else {}),
    }
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=0) as socket:
        await socket.send_str(json.dumps(setup))
        line = Line(Caller(socket, await socket.receive_json()), phone)
        tasks = [asyncio.create_task(work) for work in (line.caller.listen(), line.record())]
        try:
            yield line
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def try_out(url: str, disturbance: Disturbance, where: str) -> Trial:
    """Make one sound into silence, and into replies."""
    trial, phone = Trial(disturbance, where), where == "phone"
    sound = narrow(disturbance.samples) if phone else disturbance.samples
    async with calling(url, phone=phone) as line:
        caller = line.caller
        await caller.until(lambda: _greeted(caller), within_s=30, what="the greeting")
        before = len(caller.replies)
        await line.say(sound)
        await asyncio.sleep(disturbance.seconds + AFTER_S)
        trial.answered, trial.texts = len(caller.replies) > before, list(caller.said)
        for offset_s in OFFSETS_S:
            await _disturb(line, sound, offset_s, trial)
    return trial


def _greeted(caller: Caller) -> bool:
    return any(told.message["type"] == "onAgentGreetingEnd" for told in caller.told)


async def _disturb(line: Line, sound: Samples, offset_s: float, trial: Trial) -> None:
    """Make the sound into a new reply, and note what becomes of it."""
    caller, number = line.caller, len(line.caller.replies)
    await caller.write("Tell me a story.")
    await caller.until(
        lambda: len(caller.replies) > number and caller.replies[number].first_sound_s,
        within_s=30,
        what="the story",
    )
    reply = caller.replies[number]
    await asyncio.sleep(offset_s)
    begun_s = await line.say(sound)
    await asyncio.sleep(len(sound) / EAR_RATE_HZ + AFTER_S)
    playing = Playing.of(caller, reply)
    hushed_s = _hushed_s(caller, begun_s)
    if reply.interrupted is None or hushed_s is None:
        trial.holes_s.append(playing.hole_s(since_s=begun_s))
        return
    trial.hushed_s.append(hushed_s - begun_s)
    trial.silent_s.append(playing.silent_at_s(hushed_s) - begun_s)


def _hushed_s(caller: Caller, since_s: float) -> float | None:
    hushed = (told for told in caller.told if told.message["type"] == "onAgentInterrupted")
    return next((told.at_s for told in hushed if told.at_s >= since_s), None)


@dataclass(frozen=True, slots=True)
class Playing:
    """A reply as a player plays it: (when a stretch begins, when it ends), steady times."""

    stretches: Sequence[tuple[float, float]]

    @classmethod
    def of(cls, caller: Caller, reply: HeardReply) -> Playing:
        """From the pieces of the reply, and the times they came."""
        begin = sum(len(each.encoded) for each in caller.replies[: caller.replies.index(reply)])
        came = [told.at_s for told in caller.told if told.message["type"] == "audioStream"]
        lasts = (len(data) / 4 / ANSWER_RATE_HZ for data in reply.encoded)
        return cls(_play(zip(came[begin:], lasts, strict=False)))

    def hole_s(self, *, since_s: float) -> float:
        """All the silence since then."""
        ends = (end for _, end in self.stretches)
        begins = [begin for begin, _ in self.stretches][1:]
        pairs = zip(ends, begins, strict=False)
        return sum(begin - end for end, begin in pairs if end >= since_s)

    def silent_at_s(self, flushed_s: float) -> float:
        """When it fell silent before it was `flushed_s`: at once then, if it still sounded."""
        return min(max(end for _, end in self.stretches), flushed_s)


def _play(pieces: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    stretches: list[tuple[float, float]] = []
    for came_s, lasts_s in pieces:
        if stretches and came_s <= stretches[-1][1] + HOLE_S:
            begin, end = stretches[-1]
            stretches[-1] = (begin, max(end, came_s) + lasts_s)
        else:
            stretches.append((came_s, came_s + lasts_s))
    return stretches


async def talk(sounds: Sequence[Disturbance], callers: int) -> list[Trial]:
    """Every sound over the socket of a server in a process of its own."""
    fake = FakeConfig("scripted", (STORY,))
    turns = asyncio.Semaphore(callers)
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
        script, arguments = Path(__file__), list[str]()
        async with running_fake(fake) as llm_url:
            arguments = ["--serve", llm_url, folder]
            async with start(script, arguments, Path(folder) / "log") as child:

                async def one(sound: Disturbance, where: str) -> Trial:
                    async with turns:
                        return await try_out(child.url, sound, where)

                tries = (one(sound, where) for sound in sounds for where in LINES)
                return list(await asyncio.gather(*tries))


def serve(llm_url: str, data_dir: Path) -> None:
    """The child: Sayso as it comes, with a voice that hums, and the fake LLM behind its agent."""
    settings = Settings(
        data_dir=data_dir, port=0, tts="scripted", builtin_llm_url=llm_url, llm_deep_check=False
    )
    set_up_logs(settings.log_level, settings.log_format)
    migrate(settings.database)
    server = Server(settings)
    Announced(uvicorn_config(server, settings), server).run()


# In audio time -------------------------------------------------------------------------------


async def rehearse(sounds: Sequence[Disturbance], rooms: Rehearsal) -> list[Trial]:
    """Every sound without a socket; a hole is what a hold leaves of the sound sent ahead."""
    ahead_s = Settings().pacing_ahead_s
    trials = []
    for sound in sounds:
        for where in LINES:
            trial = Trial(sound, where)
            heard = over_the_phone(sound.samples) if where == "phone" else sound.samples
            for offset_s in OFFSETS_S:
                found = await rooms.play(heard, after_s=offset_s)
                trial.texts += found.texts
                if found.hushed_s is None:
                    trial.holes_s.append(max(0.0, found.held_s - ahead_s))
                else:
                    trial.hushed_s.append(found.hushed_s)
                    trial.silent_s.append(found.hushed_s - max(0.0, found.held_s - ahead_s))
            idle = await rooms.play(heard, IDLE)
            trial.answered = idle.answered
            trials.append(trial)
    return trials


# All of it -----------------------------------------------------------------------------------


def write_table(trials: Sequence[Trial]) -> str:
    """A line a kind, in Markdown, and a list of what went wrong."""
    heads = ["", "replies", "ended", *(f"{what} p50 / p95 ms" for what in TIMES), "answered"]
    rows = [f"| {' | '.join(heads)} |", f"| --- |{' --: |' * (len(heads) - 1)}"]
    for kind in dict.fromkeys((trial.disturbance.kind, trial.line) for trial in trials):
        of = [trial for trial in trials if (trial.disturbance.kind, trial.line) == kind]
        rows.append(_write_row(", ".join(kind), of))
    rows += ["", *(f"- {line}" for line in _write_wrong(trials))]
    return "\n".join(rows)


def _write_row(name: str, trials: Sequence[Trial]) -> str:
    ended = [s for trial in trials for s in trial.hushed_s]
    holes = [s for trial in trials for s in trial.holes_s]
    silent = [s for trial in trials for s in trial.silent_s]
    answered = f"{sum(trial.answered for trial in trials)} of {len(trials)}"
    times = (_write_times(times_s) for times_s in (holes, silent, ended))
    cells = [name, str(len(ended) + len(holes)), str(len(ended)), *times, answered]
    return f"| {' | '.join(cells)} |"


def _write_times(times_s: Sequence[float]) -> str:
    if not times_s:
        return "–"
    return " / ".join(f"{percentile(times_s, rank) * 1000:.0f}" for rank in (50, 95))


def _write_wrong(trials: Sequence[Trial]) -> Iterator[str]:
    for trial in trials:
        if trial.wrong:
            tries = len(trial.hushed_s) + len(trial.holes_s)
            heard = f": {', '.join(dict.fromkeys(trial.texts))}" if trial.texts else ""
            name = f"{trial.disturbance.name}, {trial.line}"
            yield f"{name}: {len(trial.hushed_s)} of {tries} replies ended{heard}"


async def gather(engine: Any, *, quick: bool) -> list[Disturbance]:  # noqa: ANN401
    """Every sound that can be made here."""
    spoken = [sound async for sound in nods.voiced(engine)]
    sounds = [*disturbances.made(), *disturbances.recorded(), *spoken]
    if not quick:
        return sounds
    kinds = dict.fromkeys(sound.kind for sound in sounds)
    return [s for kind in kinds for s in [t for t in sounds if t.kind == kind][::QUICK_STEP]]


async def run(*, quick: bool, rehearses: bool, callers: int) -> list[Trial]:
    """Make the sounds, then make them over replies."""
    config = EngineConfig(models_dir=MODELS_DIR)
    named = (("tts", "hibari"), ("vad", "silero"), ("stt", "moonshine"))
    async with AsyncExitStack() as closing:
        engines = {room: load_engine(f"sayso.{room}", name, config) for room, name in named}
        for engine in engines.values():
            await engine.open()
            closing.push_async_callback(engine.close)
        sounds = await gather(engines["tts"], quick=quick)
        if rehearses:
            return await rehearse(sounds, Rehearsal(engines["vad"], engines["stt"]))
    return await talk(sounds, callers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="every fifth of each kind")
    parser.add_argument("--rehearse", action="store_true", help="in audio time, without a socket")
    parser.add_argument("--callers", type=int, default=3, help="how many at once")
    parser.add_argument("--serve", nargs=2, metavar=("LLM", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve[0], Path(args.serve[1]))
        return
    print(f"{describe_machine()}\n")
    work = run(quick=args.quick, rehearses=args.rehearse, callers=args.callers)
    print(write_table(asyncio.run(work)))


if __name__ == "__main__":
    main()
