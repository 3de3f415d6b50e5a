"""Whether an agent's `actions` are external functions of its owner."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.bodies import MAX_NAMED, MAX_NAMED_CHARS
from sayso.errors import BadRequestError
from sayso.store.tables import FunctionRow


async def refuse_unknown_actions(
    session: AsyncSession, owner_id: str, actions: Sequence[str]
) -> None:
    """Refuse ids of what is not there, or another's: nobody learns which.

    The functions stay until the transaction ends.

    Raises:
        BadRequestError: names them.
    """
    if not actions:
        return
    query = (
        select(FunctionRow.id)
        .where(FunctionRow.owner_id == owner_id, FunctionRow.id.in_(set(actions)))
        .with_for_update(read=True)
    )
    known = set((await session.scalars(query)).all())
    unknown = [one for one in dict.fromkeys(actions) if one not in known]
    if not unknown:
        return
    named = ", ".join(repr(one[:MAX_NAMED_CHARS]) for one in unknown[:MAX_NAMED])
    places = [n for n, one in enumerate(actions) if one not in known][:MAX_NAMED]
    raise BadRequestError(
        f"actions names external functions you do not have: {named}",
        field="actions",
        hint="`GET /api/v1/external-functions` lists yours; make one with POST first.",
        details=tuple(
            {
                "message": f"actions.{n} is not one of your external functions.",
                "field": f"actions.{n}",
                "id": actions[n][:MAX_NAMED_CHARS],
            }
            for n in places
        ),
    )
