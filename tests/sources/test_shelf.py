from __future__ import annotations

import os
from pathlib import Path

import pytest

from sayso.errors import InstallationError
from sayso.sources.shelf import ORPHAN_AGE_S, Shelf


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_each_file_has_a_name_of_its_own_in_a_private_folder(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "knowledge")
    one, other = await shelf.make_path("agent", "s"), await shelf.make_path("agent", "s")
    assert one != other
    assert one.parent == other.parent == tmp_path / "knowledge" / "agent"
    assert one.parent.stat().st_mode & 0o777 == 0o700
    assert shelf.path("agent", one.name) == one


async def test_dropping_is_done_once_or_twice(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    path = await shelf.make_path("agent", "s")
    path.touch()
    for _ in range(2):
        await shelf.drop("agent", path.name)
        await shelf.drop("agent", None)
        assert not path.exists()
        await shelf.drop_agent("agent")
    assert not path.parent.exists()


async def test_what_no_row_names_is_swept_away_when_it_is_old(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    paths = [await shelf.make_path(agent, "s") for agent in ("a", "a", "b", "c")]
    for path in paths:
        path.touch()
    for path in (paths[0], paths[1], paths[2]):
        age = path.stat().st_mtime - ORPHAN_AGE_S - 60
        os.utime(path, (age, age))
    assert await shelf.sweep({("a", paths[0].name)}) == 2
    assert [path.exists() for path in paths] == [True, False, False, True]
    assert not (tmp_path / "b").exists()


async def test_no_folder_nothing_to_sweep(tmp_path: Path) -> None:
    assert await Shelf(tmp_path / "none").sweep(set()) == 0


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallationError, match="cannot write"):
        await Shelf(tmp_path / "file").make_path("agent", "s")
