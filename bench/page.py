"""The page about a run: what was measured, how, and what was found. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from figures import Row, name_ratios, write_value

HEAD = """# Benchmarks

Recorded by `python bench/pipeline.py --page docs/reference/benchmarks.md` on {day}. `make bench`
measures it on your machine (about a quarter of an hour; `bench/pipeline.py --quick` takes four
minutes).

{facts}

Measured: {versions}.

"""

BODY = """
Times are of single turns, nearest-rank percentiles. A dash: not measured, or the server was so
far behind that the figure means nothing.

## What the lines say

- **pipeline**: from the end of speech to the first sound at the caller, less what no server can
  do without: 460 ms of patience, the LLM up to the end of what is spoken first, 20 ms of TTS. The
  end of speech is the end of the recording's last loud 10 ms; a detector that hears it late adds
  to the line.
- **end of speech to sound**: the same with everything in it.
- **first turn after later ones**: the median of callers' first turns less that of the others.
- **start**: from the connection to the server's word that it listens, nobody else speaking.
- **barge-in**: callers speak 0.7 s into a reply. *Reply over* is when the server takes it back,
  beyond the speech it is set to wait for (Sayso 1.2 s, pipecat 0.2 s, the others 0.5 s);
  *silence* is when the caller hears nothing more: Sayso holds the sound at once, and takes the
  reply back once there are words in it, or so much speech.
- **held on one core**: the most conversations at once with such a pipeline p95, no gap in any
  reply and no turn unanswered, in every run of {runs}. A dash: not even the fewest that were
  tried. They rise in steps.

## What is the same for all

The speech of the callers, recorded and sent in real time, 20 ms a message; the core (one, and
callers and LLM on another); the LLM server (20 ms to the first token, 5 ms for each more); STT
and TTS of 20 ms each, written as each project's documents say; a reply of nine tokens. Sayso runs
whole, as `sayso serve` does, with storage. Speculation is off everywhere, because the formula
adds steps up.

The floor (`bench/floor.py`) is 200 lines of plain asyncio that tell speech by its loudness and
store nothing.

## How the peers are run

Each in an environment of its own (`bench/peers/*/requirements.txt`), one process for all its
conversations, callers writing bare 16-bit sound, which is lighter than the JSON Sayso gets.

- **pipecat** (`bench/peers/pipecat/server.py`): the bot of its own scaffold on its FastAPI
  websocket transport, with its Silero and `OpenAILLMService`. Set:
  `SpeechTimeoutUserTurnStopStrategy` in place of the default Smart Turn, so that 450 ms of
  silence end a turn; logs from warnings on.
- **livekit-agents** (`bench/peers/livekit/server.py`): an `AgentSession` with audio input and
  output of our own, as its documents describe for sessions without a room. Set:
  `endpointing.min_delay` 450 ms, `turn_detection="vad"`, `interruption.mode="vad"`,
  `preemptive_generation` off, `aec_warmup_duration=0`. Its VAD is the default one.

## What could not be compared

- LiveKit's room server is not a Python package, so there is no room: no WebRTC, no worker that
  starts a process for each conversation. Both would cost LiveKit more than what is shown.
- The peers speak whole sentences, Sayso and the floor from the first clause. Their 20 ms more of
  LLM are taken out of *pipeline* and left in *end of speech to sound*.
- Neither peer stores conversations; Sayso does.
- Detectors differ in what they call silence: Silero at 0.7 with a loudness gate in pipecat, at
  0.5 in LiveKit. That is theirs, and in the figures.
"""


def write_page(
    day: str,
    facts: Sequence[str],
    versions: Sequence[str],
    rows: Sequence[Row],
    names: Sequence[str],
    notes: Sequence[str],
    runs: int,
) -> str:
    """The page."""
    head = HEAD.format(day=day, facts=" ".join(facts), versions=", ".join(versions))
    parts = [head, write_rows(rows, names), *(["", *(f"- {n}" for n in notes)] if notes else [])]
    return "\n".join(parts) + "\n" + BODY.format(runs=runs)


def write_rows(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The table, in Markdown."""
    ratios = name_ratios(names)
    heads = ["", *names, *(f"{over} / {under}" for over, under in ratios)]
    lines = [heads, ["---", *("--:" for _ in heads[1:])]]
    for row in rows:
        values = [write_value(row.values.get(name, nan), row.places) for name in names]
        times = [write_value(row.ratio(*pair), 1) for pair in ratios]
        lines.append([row.what, *values, *times])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
