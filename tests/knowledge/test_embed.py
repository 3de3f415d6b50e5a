from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from sayso.errors import InstallationError
from sayso.knowledge.embed import DIMENSIONS, Embedder


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
