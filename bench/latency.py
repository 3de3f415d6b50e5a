"""Measures how long a caller waits for an answer, with the bundled models and recorded speech.

    python bench/latency.py                          1 and 10 callers, 6 turns each
    python bench/latency.py --callers 1,4 --turns 3

From the end of the recorded speech to the first sound of the answer, as callers hear it, over the
real socket. The LLM is the fake one: its first token takes 100 ms, each of the next 20 ms. The
lines below say where the server's own record saw the time go. Callers, LLM and server share this
machine, as they come.

Its sibling `pipeline.py` has scripted models, and measures only what the server adds to them.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from callers import Party
from child import start
from figures import percentile
from machine import describe_machine
from pipeline import read_stages
from sayings import Saying, load_sayings
from sayso.app import Server
from sayso.config import Settings
from sayso.llm.fake import FakeConfig, running_fake
from sayso.observe.logs import set_up_logs
from sayso.serve import uvicorn_config
from sayso.store.database import migrate
from server import Announced

FIRST_TOKEN_S, TOKEN_S = 0.1, 0.02
WHOLE = frozenset(
    (
        "Agent Logged off.",
        "Call forwarding.",
        "Call waiting.",
        "Invalid Choice",
        "That conference is full.",
        "This conference is locked!",
        "You are now muted",
        "the conference has ended",
        "The conference is now locked.",
        "You are now muted.",
        "You are no longer muted.",
        "press 0 for help",
        "Wednesday",
        "yesterday",
        "Welcome to the directory",
        "Do not disturb.",
        "you have an incoming call",
        "Hello world.",
        "The number is not answering.",
        "Parking attempt failed.",
        "Please try again.",
        "Thank you for your patience",
        "Change to which folder?",
        "Message deleted.",
        "Login incorrect.",
        "No more messages.",
        "your message is too short",
        "Message undeleted.",
    )
)
"""What is whole: after "Press 1 for" the server waits longer, on purpose (`endpointing.py`)."""

ANSWER = "Certainly, I can do that for you. Is there anything else?"


@dataclass(frozen=True, slots=True)
class Latency:
    """What so many callers at once waited.

    Attributes:
        callers: how many.
        waits_ms: from the end of speech to the first sound, a turn each.
        early, missing: answers that came before the end of speech, or not at all.
        stages_ms: the median of each step in the server's record; `unseen` is the rest.
    """

    callers: int
    waits_ms: Sequence[float]
    early: int
    missing: int
    stages_ms: Mapping[str, float]


async def measure(callers: int, turns: int, sayings: Sequence[Saying]) -> Latency:
    """Start a server, let `callers` take `turns` each, end it. Raises ChildError."""
    fake = FakeConfig("scripted", (ANSWER,), FIRST_TOKEN_S, TOKEN_S)
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
        data = Path(folder)
        async with (
            running_fake(fake) as llm_url,
            start(Path(__file__), ["--serve", llm_url, folder], data / "log") as child,
        ):
            party = Party(child.url, callers)
            await party.enter()
            try:
                await party.talk(sayings, turns)
            finally:
                await party.leave()
        stages = read_stages(data / "sayso.db")
    heard = party.heard
    waits_ms = [wait_s * 1000 for wait_s in heard.waits_s]
    if waits_ms:
        stages["unseen"] = round(median(waits_ms) - sum(stages.values()), 1)
    return Latency(callers, waits_ms, heard.early, heard.missing, stages)


def describe(found: Latency) -> str:
    """One load as a few lines."""
    who = f"{found.callers} caller{'s' if found.callers > 1 else ''}"
    if not found.waits_ms:
        return f"{who}: no answer was heard"
    p50_ms, p95_ms = (percentile(found.waits_ms, rank) for rank in (50, 95))
    waited = f"end of speech to first sound p50 {p50_ms:.0f} ms, p95 {p95_ms:.0f} ms"
    lines = [
        f"{who}, {len(found.waits_ms)} turns: {waited}",
        *(f"    {stage:20} {ms:7.1f} ms" for stage, ms in found.stages_ms.items()),
    ]
    if found.early or found.missing:
        lines.append(f"    {found.early} answers came early, {found.missing} not at all")
    return "\n".join(lines)


async def run(loads: Sequence[int], turns: int) -> list[Latency]:
    """Measure each load with a server of its own."""
    sayings = await load_sayings(among=WHOLE)
    return [await measure(callers, turns, sayings) for callers in loads]


def serve(llm_url: str, data_dir: Path) -> None:
    """The child: Sayso as it comes, with the fake LLM behind every agent."""
    settings = Settings(data_dir=data_dir, port=0, builtin_llm_url=llm_url, llm_deep_check=False)
    set_up_logs(settings.log_level, settings.log_format)
    migrate(settings.database)
    server = Server(settings)
    Announced(uvicorn_config(server, settings), server).run()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--callers", default="1,10", help="how many at once, each in turn")
    parser.add_argument("--turns", type=int, default=6, help="turns of each caller")
    parser.add_argument("--serve", nargs=2, metavar=("LLM", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve[0], Path(args.serve[1]))
        return
    loads = [int(count) for count in args.callers.split(",")]
    print(f"{describe_machine()}\n")
    for found in asyncio.run(run(loads, args.turns)):
        print(describe(found), flush=True)


if __name__ == "__main__":
    main()
