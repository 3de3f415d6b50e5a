"""Pages of long lists, as the contract counts them (§2.5): a size, a cursor, four headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from fastapi import Query
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from sayso.store.identifiers import is_id

Row = TypeVar("Row")
View = TypeVar("View")
Key = InstrumentedAttribute[Any]

DEFAULT_PAGE_ITEMS = 50
MAX_PAGE_ITEMS = 500
"""More is not refused but cut to this, and `X-Page-Size` says so."""

PAGE_HEADERS = ("X-Page-Size", "X-Start-After", "X-Next-Start-After", "X-Total-Count")

PAGE_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "X-Page-Size": {
                "description": "Items per page.",
                "required": True,
                "schema": {"type": "integer"},
            },
            "X-Start-After": {
                "description": "Id of the last item of the previous page; empty on the first one.",
                "required": True,
                "schema": {"type": "string"},
            },
            "X-Next-Start-After": {
                "description": "Id of the last item of this page: the next `startAfter`.",
                "required": True,
                "schema": {"type": "string"},
            },
            "X-Total-Count": {
                "description": "Items on all pages.",
                "required": True,
                "schema": {"type": "integer"},
            },
        }
    }
}
"""What OpenAPI says about the headers of a page."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: up to `items` of them after the one with id `start_after`."""

    items: int = DEFAULT_PAGE_ITEMS
    start_after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page; `start_after` is empty when the page starts the list."""

    rows: Sequence[Row]
    items: int
    start_after: str
    next_start_after: str
    total: int

    def map(self, view: Callable[[Row], View]) -> Page[View]:
        """The same page with each row seen through `view`."""
        return replace(cast("Page[View]", self), rows=[view(row) for row in self.rows])

    def headers(self) -> dict[str, str]:
        """The page's place in the list, as response headers."""
        values = (self.items, self.start_after, self.next_start_after, self.total)
        return {name: str(value) for name, value in zip(PAGE_HEADERS, values, strict=True)}


def page_request(
    page_items: int = Query(
        DEFAULT_PAGE_ITEMS,
        alias="pageSize",
        ge=1,
        description=f"Items per page; more than {MAX_PAGE_ITEMS} means {MAX_PAGE_ITEMS}.",
    ),
    start_after: str | None = Query(
        None,
        alias="startAfter",
        description="Id of the last item of the previous page; an unknown one means the start.",
    ),
) -> PageRequest:
    """Reads `pageSize` and `startAfter` from the query."""
    return PageRequest(min(page_items, MAX_PAGE_ITEMS), start_after)


async def read_page(
    session: AsyncSession,
    query: Select[Row],
    request: PageRequest,
    *,
    id_of: Key,
    order: tuple[Key, ...],
    newest_first: bool,
) -> Page[Row]:
    """Run `query` for one page, sorted by `order`, whose last column must be unique.

    An unknown cursor means the start: clients are known to send `startAfter=0` (contract §2.5).
    """
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    found = await _find_cursor(session, query, request.start_after, id_of, order)
    rows = query
    if found is not None:
        here, there = tuple_(*order), tuple_(*found)
        rows = rows.where(here < there if newest_first else here > there)
    ordered = rows.order_by(*(key.desc() if newest_first else key.asc() for key in order))
    result = (await session.scalars(ordered.limit(request.items))).all()
    start_after = (request.start_after or "") if found is not None else ""
    # After the last page the cursor stays where it is, so a client that goes on never loops.
    last = str(getattr(result[-1], id_of.key)) if result else start_after
    return Page(result, request.items, start_after, last, total)


async def _find_cursor(
    session: AsyncSession,
    query: Select[Row],
    start_after: str | None,
    id_of: Key,
    order: tuple[Key, ...],
) -> tuple[object, ...] | None:
    """Where the row with id `start_after` stands in the order, if `query` holds it."""
    if start_after is None or not is_id(start_after):
        return None
    found = (
        await session.execute(query.where(id_of == start_after).with_only_columns(*order))
    ).first()
    return None if found is None else tuple(found)
