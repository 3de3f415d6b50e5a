"""Sayso as `server.py` serves it, which also looks things up for callers: for `retrieval.py`.

python bench/lookups.py --llm http://127.0.0.1:3000 --data /tmp/folder --passages /tmp/known.npz

It embeds a question and searches an agent's passages every `EVERY_S`, with the embedder, the
index and the event loop that conversations use, and writes down how long each took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import uvicorn

from child import SERVER_CORE, pin
from sayso.app import Server
from sayso.knowledge.embed import Embedder
from sayso.knowledge.local import Indexes
from sayso.knowledge.passages import Passage
from sayso.knowledge.sentences import Meanings, Rounded
from sayso.observe.logs import set_up_logs
from sayso.serve import uvicorn_config
from sayso.store.database import migrate
from script import ModelTimes
from server import Announced, make_settings

EVERY_S: Final = 0.25
"""Ten callers who take a turn every 2.5 seconds; real ones are slower."""


class Notebook:
    """Passages of one agent, from a file."""

    def __init__(self, texts: Sequence[str], meanings: Meanings) -> None:
        self._passages = [Passage(str(n), text, "s", "bench") for n, text in enumerate(texts)]
        self._meanings = meanings

    async def revision(self, agent_id: str) -> int:
        """It never changes."""
        del agent_id
        return 1

    def last_revision(self, agent_id: str) -> int | None:
        """Known at once."""
        del agent_id
        return 1

    async def load(self, agent_id: str) -> tuple[Sequence[Passage], Meanings, int]:
        """All of it."""
        del agent_id
        return self._passages, self._meanings, 1


class LookingUp(Announced):
    """A server that looks things up while it serves."""

    def __init__(self, config: uvicorn.Config, server: Server, passages: Path, found: Path) -> None:
        super().__init__(config, server)
        self._passages, self._found = passages, found
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Index before anybody calls."""
        embedder = Embedder()
        await embedder.open()
        file = np.load(self._passages, allow_pickle=False)
        indexes = Indexes(Notebook(file["texts"].tolist(), read_meanings(file)), embedder)
        await indexes.of("bench").prepare()
        await super().startup(sockets)
        queries = file["queries"].tolist()
        self._task = asyncio.create_task(look_up(indexes, queries, self._found))


def read_meanings(file: Mapping[str, npt.NDArray[Any]]) -> Meanings:
    """Those of passages, whose sentences stand one behind the other; and how many each has."""
    sentences = _split(file["sentences"], file["counts"])
    return Meanings(file["vectors"], sentences, _split(file["headings"], file["headed"]))


def _split(rows: Rounded, counts: npt.NDArray[Any]) -> list[Rounded | None]:
    return [one if len(one) else None for one in np.split(rows, np.cumsum(counts)[:-1])]


async def look_up(indexes: Indexes, queries: Sequence[str], found: Path) -> None:
    """Look one query up after the other, for ever; the times go to a file, in seconds."""
    shelf, due_s = indexes.of("bench"), time.monotonic()
    with found.open("w") as times:
        for query in cycle(queries):
            due_s += EVERY_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            began_s = time.monotonic()
            await shelf.find(query, (), 4)
            times.write(f"{json.dumps(time.monotonic() - began_s)}\n")
            times.flush()


def main() -> None:
    """Run Sayso on the servers' core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--llm", required=True, help="base URL of the LLM")
    parser.add_argument("--data", required=True, type=Path, help="folder for its data")
    parser.add_argument("--passages", required=True, type=Path, help="texts, vectors, queries")
    parser.add_argument("--found", required=True, type=Path, help="where the times go")
    args = parser.parse_args()
    pin(SERVER_CORE)
    settings = make_settings(args.llm, args.data, ModelTimes())
    set_up_logs(settings.log_level, settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.database)
    server = Server(settings)
    LookingUp(uvicorn_config(server, settings), server, args.passages, args.found).run()


if __name__ == "__main__":
    main()
