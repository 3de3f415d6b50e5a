"""Turns text into vectors whose closeness is closeness of meaning: all-MiniLM-L6-v2, int8.

About 6 ms a sentence, R@3 0.96 on questions worded differently from the passage. English.

Callers' questions go first. Documents have a thread of their own, so that no question waits until
a passage is done (25 ms and more); a passage is not begun while a question is being answered; and
while somebody talks, documents rest three times as long as they work, so that they take a quarter
of one core from ears and voice. Documents that are embedded side by side take turns, passage by
passage, and rest together. A lower priority for their thread would not do: a thread that has
the interpreter's lock and gets no core stops all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate
from sayso.models.session import open_session

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Shape (n, 384), each row of length 1: the dot product of two rows is their cosine."""

Row: TypeAlias = npt.NDArray[np.float32]
"""One such row, shape (384,)."""

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read at once; the rest of a longer text is not looked at."""
RESTS = 3.0
"""How long documents rest while somebody talks, in times of what their last passage took."""
MAX_REST_S = 1.0
"""They rest no longer than this at a time, in seconds."""


TOGETHER_CHARS = 120
"""Texts that are waited for go to the worker together while they have no more characters: eight
words, or a question. The way there and back takes longer than a word where much else goes on."""


def _always() -> bool:
    return True


class Embedder:
    """The model with its worker threads, shared by all conversations."""

    def __init__(self, models_dir: Path = MODELS_DIR, quiet: Callable[[], bool] = _always) -> None:
        """Prepare; `quiet` says whether nobody talks just now."""
        self._models_dir = models_dir
        self._quiet = quiet
        self._opening = asyncio.Lock()
        self._worker: ThreadPoolExecutor | None = None
        self._aside: ThreadPoolExecutor | None = None
        self._session: Any = None
        self._tokenizer: Tokenizer | None = None
        self._turn = asyncio.Lock()
        self._asked = 0
        self._unasked = asyncio.Event()
        self._unasked.set()

    @property
    def is_open(self) -> bool:
        """Whether it is loaded: where nobody embeds, it is not."""
        return self._worker is not None

    async def open(self) -> None:
        """Load and warm the model, unless it is. Raises InstallationError if it is missing."""
        async with self._opening:
            if self._worker is None:
                await self._open()

    async def _open(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="embed-aside")
        try:
            await self._run(self._worker, self._load)
        except BaseException:
            await self.close()
            raise

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each of `texts`, which somebody is waiting for.

        They are worked through a few words or a sentence at a time, so that a caller's question
        never waits behind another agent's whole text.
        """
        self._asked += 1
        self._unasked.clear()
        try:
            rows: list[Row] = []
            for some in _take_together(texts):
                rows += await self._run(self._worker, self._embed_some, some)
        finally:
            self._asked -= 1
            if not self._asked:
                self._unasked.set()
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.float32)

    async def embed_aside(self, text: str) -> Row:
        """The row of a passage nobody waits for: after all questions, and slowly during calls."""
        async with self._turn:  # whoever waited longest is next, so documents take turns
            await self._unasked.wait()
            now_s = asyncio.get_running_loop().time
            began_s = now_s()
            row: Row = await self._run(self._aside, self._embed_one, text)
            if not self._quiet():
                await asyncio.sleep(min(MAX_REST_S, RESTS * (now_s() - began_s)))
            return row

    async def close(self) -> None:
        """Let go of the model and its threads."""
        for worker in (self._worker, self._aside):
            if worker is not None:
                worker.shutdown(wait=False, cancel_futures=True)
        self._worker = self._aside = self._session = self._tokenizer = None

    async def _run(
        self,
        worker: ThreadPoolExecutor | None,
        work: Any,  # noqa: ANN401 - passes work through
        *args: object,
    ) -> Any:  # noqa: ANN401
        if worker is None:
            raise RuntimeError("the embedder is not open")
        return await asyncio.get_running_loop().run_in_executor(worker, work, *args)

    def _load(self) -> None:
        model = locate("minilm.onnx", self._models_dir)
        pieces = locate("minilm-tokenizer.json", self._models_dir)
        try:
            from tokenizers import Tokenizer  # noqa: PLC0415 - only who embeds pays for it
        except ImportError as error:
            raise InstallationError(
                f"tokenizers, which the built-in mind reads with, cannot be loaded: {error}",
                hint="Run `pip install tokenizers`.",
            ) from error
        tokenizer = Tokenizer.from_file(str(pieces))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer = tokenizer
        self._session = open_session(model)
        self._embed_one("warm up")

    def _embed_one(self, text: str) -> Row:
        return self._embed_some([text])[0]

    def _embed_some(self, texts: Sequence[str]) -> list[Row]:
        """In one run: eight words take half as long as one after the other, and mean the same."""
        tokenizer, session = self._tokenizer, self._session
        if tokenizer is None or session is None:
            raise RuntimeError("the embedder was closed")
        pieces = [tokenizer.encode(text).ids for text in texts]
        ids = np.zeros((len(pieces), max(map(len, pieces))), np.int64)
        mask = np.zeros_like(ids)
        for own, used, row in zip(ids, mask, pieces, strict=True):
            own[: len(row)], used[: len(row)] = row, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0}
        sums = (session.run(None, feed)[0] * mask[:, :, None]).sum(1)
        return [(one / np.linalg.norm(one)).astype(np.float32) for one in sums]


def _take_together(texts: Sequence[str]) -> Iterator[list[str]]:
    """`texts` in their order, as many at a time as are short enough together."""
    some: list[str] = []
    for text in texts:
        if some and sum(map(len, some)) + len(text) > TOGETHER_CHARS:
            yield some
            some = []
        some.append(text)
    if some:
        yield some
