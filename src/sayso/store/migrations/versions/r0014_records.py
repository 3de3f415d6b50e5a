"""Keep recordings, ratings, shared links and what LLMs were asked; count turns where they stand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BATCH_ROWS = 1000

_TURNS = sa.table(
    "turns",
    sa.column("row", sa.BigInteger),
    sa.column("timings", sa.JSON),
    sa.column("latency_ms", sa.Float),
    sa.column("interrupted", sa.Boolean),
    sa.column("blame", sa.String),
)


def upgrade() -> None:
    """Add the columns and the table, and count the turns that are there."""
    op.add_column(
        "agents",
        sa.Column("record_audio", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    for column in (
        sa.Column("rating", sa.String(4), nullable=True),
        sa.Column("share_token", sa.String(100), nullable=True),
        sa.Column("recording", sa.String(10), nullable=True),
    ):
        op.add_column("conversations", column)
    op.create_index("ix_conversations_share_token", "conversations", ["share_token"], unique=True)
    op.add_column("lines", sa.Column("began_at", sa.DateTime(timezone=True), nullable=True))
    for column in (
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("blame", sa.String(20), nullable=True),
    ):
        op.add_column("turns", column)
    _make_exchanges()
    _count_turns()


def downgrade() -> None:
    """Drop them, and with them what LLMs were asked."""
    op.drop_table("exchanges")
    for name in ("blame", "interrupted", "latency_ms"):
        op.drop_column("turns", name)
    op.drop_column("lines", "began_at")
    op.drop_index("ix_conversations_share_token", "conversations")
    for name in ("recording", "share_token", "rating"):
        op.drop_column("conversations", name)
    op.drop_column("agents", "record_audio")


def _make_exchanges() -> None:
    op.create_table(
        "exchanges",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("id", sa.String(100), nullable=False, unique=True),
        sa.Column(
            "conversation_id",
            sa.String(100),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("reply", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("llm", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("finding", sa.String(60), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("first_token_ms", sa.Double(), nullable=True),
        sa.Column("total_ms", sa.Double(), nullable=False),
        sa.Column("request_cut", sa.Boolean(), nullable=False),
        sa.Column("response_cut", sa.Boolean(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
    )
    op.create_index(
        "ix_exchanges_conversation_id_first_token_ms",
        "exchanges",
        ["conversation_id", "first_token_ms"],
    )


def _count_turns() -> None:
    bind, last = op.get_bind(), 0
    while True:
        page = (
            sa.select(_TURNS.c.row, _TURNS.c.timings)
            .where(_TURNS.c.row > last)
            .order_by(_TURNS.c.row)
            .limit(BATCH_ROWS)
        )
        rows = bind.execute(page).all()
        if not rows:
            return
        last = rows[-1].row
        change = (
            sa.update(_TURNS)
            .where(_TURNS.c.row == sa.bindparam("at_row"))
            .values(
                latency_ms=sa.bindparam("new_latency_ms"),
                interrupted=sa.bindparam("new_interrupted"),
                blame=sa.bindparam("new_blame"),
            )
        )
        bind.execute(change, [{"at_row": row.row, **_measure(row.timings)} for row in rows])


def _measure(timings: dict[str, Any]) -> dict[str, Any]:
    sound_s = timings.get("first_sound_sent_s")
    answered = isinstance(sound_s, int | float) and "line" not in timings
    return {
        "new_latency_ms": max(0.0, sound_s * 1000) if answered and sound_s is not None else None,
        "new_interrupted": "interrupted_s" in timings,
        "new_blame": timings.get("blame") if "failure" in timings else None,
    }
