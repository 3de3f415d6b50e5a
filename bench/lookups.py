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
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np
import uvicorn

from child import SERVER_CORE, pin
from sayso.app import Server
from sayso.knowledge.embed import Embedder
from sayso.knowledge.local import Known, Library
from sayso.knowledge.passages import Passage
from sayso.knowledge.search import Vectors
from sayso.observe.logs import set_up_logs
from sayso.serve import uvicorn_config
from sayso.store.database import migrate
from script import ModelTimes
from server import Announced, make_settings

EVERY_S: Final = 0.25
"""Ten callers who take a turn every 2.5 seconds; real ones are slower."""


class Shelves:
    """Passages of one agent, from a file."""

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        passages = [Passage(str(n), text, "s", "bench") for n, text in enumerate(texts)]
        self._known = Known(passages, vectors, "1")

    async def revision(self, agent_id: str) -> str:
        """It never changes."""
        del agent_id
        return "1"

    async def load(self, agent_id: str) -> Known:
        """All of it."""
        del agent_id
        return self._known


class OneQuestion:
    """An embedder as searching wants it."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def ask(self, text: str) -> Vectors:
        """The meaning of a question, shape (dimensions,)."""
        row: Vectors = (await self._embedder.embed([text]))[0]
        return row


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
        library = Library(Shelves(file["texts"].tolist(), file["vectors"]), OneQuestion(embedder))
        await library.of("bench").prepare()
        await super().startup(sockets)
        queries = file["queries"].tolist()
        self._task = asyncio.create_task(look_up(library, queries, self._found))


async def look_up(library: Library, queries: Sequence[str], found: Path) -> None:
    """Look one query up after the other, for ever; the times go to a file, in seconds."""
    shelf, due_s = library.of("bench"), time.monotonic()
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
