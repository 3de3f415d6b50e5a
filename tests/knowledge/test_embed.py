from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sayso.errors import InstallationError
from sayso.knowledge.embed import DIMENSIONS, MAX_REST_S, TOGETHER_CHARS, Embedder, Row


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def embedder() -> AsyncIterator[Embedder]:
    embedder = Embedder()
    try:
        await embedder.open()
    except InstallationError as missing:
        pytest.skip(str(missing))
    yield embedder
    await embedder.close()


async def test_one_row_of_length_one_for_each_text(embedder: Embedder) -> None:
    rows = await embedder.embed(["One.", "Two, but longer.", ""])
    assert rows.shape == (3, DIMENSIONS)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


async def test_no_texts_no_rows(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, DIMENSIONS)


async def test_close_in_meaning_is_close(embedder: Embedder) -> None:
    ask, near, far = await embedder.embed(
        ["Where can I leave my car?", "Parking is behind the house.", "The soup contains nuts."]
    )
    assert ask @ near > ask @ far + 0.2


async def test_long_texts_are_bounded(embedder: Embedder) -> None:
    rows = await embedder.embed(["word " * 5000, "word " * 10_000])
    assert np.allclose(rows[0], rows[1], atol=1e-5)


async def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="minilm"):
        await Embedder(tmp_path).open()


async def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Embedder().embed(["x"])
    await Embedder().close()


async def test_a_passage_has_the_same_row_as_a_question(embedder: Embedder) -> None:
    (row,) = await embedder.embed(["Parking is behind the house."])
    assert np.allclose(row, await embedder.embed_aside("Parking is behind the house."), atol=1e-6)


async def test_words_together_mean_what_they_mean_alone(embedder: Embedder) -> None:
    words = ["massage", "a parking space", "", "tea", "unintelligibility"]
    together = await embedder.embed(words)
    alone = [(await embedder.embed([word]))[0] for word in words]
    assert np.allclose(together, alone, atol=1e-5)


async def test_opening_twice_loads_once(embedder: Embedder) -> None:
    session = embedder._session
    await asyncio.gather(embedder.open(), embedder.open())
    assert embedder._session is session


class Slow(Embedder):
    """An embedder whose work takes until it is let go, and notes what it is given."""

    def __init__(self, *, quiet: bool = True) -> None:
        super().__init__(quiet=lambda: quiet)
        self.begun: list[str] = []
        self.gates: dict[str, threading.Event] = {}

    def _load(self) -> None:
        """There is no model."""

    def _embed_some(self, texts: Sequence[str]) -> list[Row]:
        for text in texts:
            self.begun.append(text)
            if text in self.gates:
                self.gates[text].wait()
        return [np.ones(DIMENSIONS, np.float32)] * len(texts)

    async def reach(self, text: str) -> None:
        async with asyncio.timeout(60):
            while text not in self.begun:  # noqa: ASYNC110 - a thread sets no event
                await asyncio.sleep(0.001)


class Counted(Slow):
    """One that notes what it is given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[list[str]] = []

    def _embed_some(self, texts: Sequence[str]) -> list[Row]:
        self.given.append(list(texts))
        return super()._embed_some(texts)


async def test_words_go_together_and_long_texts_one_by_one() -> None:
    counted = Counted()
    await counted.open()
    long, longer = "x" * TOGETHER_CHARS, "y" * (TOGETHER_CHARS + 1)
    assert len(await counted.embed(["a", "b", long, "c", longer, "d"])) == 6
    await counted.close()
    assert counted.given == [["a", "b"], [long], ["c"], [longer], ["d"]]
    assert counted.begun == ["a", "b", long, "c", longer, "d"]


async def test_no_question_waits_for_a_passage_and_no_passage_is_begun_before_one() -> None:
    slow = Slow()
    await slow.open()
    slow.gates = {"passage": threading.Event(), "question": threading.Event()}
    passage = asyncio.create_task(slow.embed_aside("passage"))
    await slow.reach("passage")
    assert (await slow.embed(["another question"])).shape == (1, DIMENSIONS)
    question = asyncio.create_task(slow.embed(["question"]))
    await slow.reach("question")
    slow.gates["passage"].set()
    await passage
    later = asyncio.create_task(slow.embed_aside("later"))
    await asyncio.sleep(0.01)
    assert "later" not in slow.begun
    slow.gates["question"].set()
    await asyncio.gather(question, later)
    await slow.close()


def replace_sleep(
    monkeypatch: pytest.MonkeyPatch, rest: Callable[[float], Awaitable[None]]
) -> None:
    """Let `rest` be called where this loop would sleep; servers of other threads go on."""
    here, sleep = asyncio.get_running_loop(), asyncio.sleep

    async def sleep_or_rest(for_s: float) -> None:
        await (rest if asyncio.get_running_loop() is here else sleep)(for_s)

    monkeypatch.setattr(asyncio, "sleep", sleep_or_rest)


@pytest.mark.parametrize(("quiet", "rests"), [(True, 0), (False, 1)])
async def test_passages_rest_while_somebody_talks(
    quiet: bool, rests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(quiet=quiet)
    await slow.open()
    rested: list[float] = []

    async def rest(for_s: float) -> None:
        rested.append(for_s)

    replace_sleep(monkeypatch, rest)
    await slow.embed_aside("passage")
    await slow.close()
    assert len(rested) == rests
    assert all(0 < for_s <= MAX_REST_S for for_s in rested)


async def test_documents_side_by_side_take_turns() -> None:
    slow = Slow()
    await slow.open()

    async def embed(name: str, count: int) -> None:
        for number in range(count):
            await slow.embed_aside(f"{name} {number}")

    large = asyncio.create_task(embed("large", 50))
    await slow.reach("large 3")
    await embed("small", 5)
    assert not large.done()
    large.cancel()
    await asyncio.wait([large])
    await slow.close()
    names = [text.split()[0] for text in slow.begun]
    since = names[names.index("small") :]
    assert since[:9] == ["small", "large"] * 4 + ["small"]


async def test_documents_side_by_side_rest_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two take no more from a conversation than one."""
    slow = Slow(quiet=False)
    await slow.open()
    resting = most = 0
    nap = asyncio.sleep

    async def rest(_for_s: float) -> None:
        nonlocal resting, most
        begun = len(slow.begun)
        resting += 1
        most = max(most, resting)
        for _ in range(20):
            await nap(0)
        assert len(slow.begun) == begun, "somebody worked meanwhile"
        resting -= 1

    replace_sleep(monkeypatch, rest)
    await asyncio.gather(*(slow.embed_aside(f"passage {n}") for n in range(4)))
    await slow.close()
    assert (len(slow.begun), most) == (4, 1)


async def test_a_document_that_is_given_up_keeps_nobody_waiting() -> None:
    slow = Slow()
    await slow.open()
    slow.gates = {"dropped": threading.Event()}
    dropped = asyncio.create_task(slow.embed_aside("dropped"))
    await slow.reach("dropped")
    later = asyncio.create_task(slow.embed_aside("later"))
    dropped.cancel()
    slow.gates["dropped"].set()
    await later
    await asyncio.wait([dropped])
    assert dropped.cancelled()
    await slow.close()
