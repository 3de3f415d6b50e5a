from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from databases import lay_database
from sayso.store.database import Database
from sayso.store.paging import MAX_PAGE_ITEMS, Page, PageRequest, page_request, read_page
from sayso.store.tables import UserRow

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    lay_database(url)
    database = Database(url)
    async with database.write() as session:
        for at, name in enumerate(("a", "b", "c", "d", "e")):
            moment = NOON + timedelta(seconds=at // 2)  # a-b and c-d share their second
            session.add(UserRow(id=name, created_at=moment))
    yield database
    await database.close()


async def read(
    database: Database, items: int, after: str | None, *, newest_first: bool = False
) -> Page[str]:
    async with database.read() as session:
        page = await read_page(
            session,
            select(UserRow),
            PageRequest(items, after),
            id_of=UserRow.id,
            order=(UserRow.created_at, UserRow.id),
            newest_first=newest_first,
        )
    return page.map(lambda row: row.id)


@pytest.mark.parametrize(
    ("newest_first", "pages"),
    [(False, [["a", "b"], ["c", "d"], ["e"], []]), (True, [["e", "d"], ["c", "b"], ["a"], []])],
)
async def test_pages_follow_one_another_to_the_end(
    database: Database, newest_first: bool, pages: list[list[str]]
) -> None:
    after: str | None = None
    for expected in pages:
        page = await read(database, 2, after, newest_first=newest_first)
        assert page.rows == expected
        assert page.start_after == (after or "")
        assert page.total == 5
        after = page.next_start_after


async def test_after_the_last_page_the_cursor_stays(database: Database) -> None:
    page = await read(database, 2, "e")
    assert page.headers() == {
        "X-Page-Size": "2",
        "X-Start-After": "e",
        "X-Next-Start-After": "e",
        "X-Total-Count": "5",
    }


@pytest.mark.parametrize("cursor", ["0", "unknown", "", "\0", "x" * 5000, "' or 1=1 --"])
async def test_an_unknown_cursor_means_the_start(database: Database, cursor: str) -> None:
    page = await read(database, 1, cursor)
    assert page.rows == ["a"]
    assert page.start_after == ""


def test_a_page_has_at_most_so_many_items() -> None:
    assert page_request(10**9, None) == PageRequest(MAX_PAGE_ITEMS, None)
    assert page_request(3, "x") == PageRequest(3, "x")
