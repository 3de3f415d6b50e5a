"""Keep how an agent speaks and when it hangs up, and why a conversation ended."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def columns() -> tuple[sa.Column[Any], ...]:
    """What agents gain; made afresh, since a column belongs to one table."""
    return (
        sa.Column("apply_text_normalization", sa.String(10), server_default="auto", nullable=False),
        sa.Column("message_plan", sa.JSON(), nullable=True),
        sa.Column("silence_timeout_seconds", sa.Double(), nullable=True),
        sa.Column("max_duration_seconds", sa.Double(), nullable=True),
        sa.Column("end_call_message", sa.Text(), nullable=True),
        sa.Column("end_call_phrases", sa.JSON(), server_default="[]", nullable=False),
    )


def upgrade() -> None:
    """Add the columns."""
    for column in columns():
        op.add_column("agents", column)
    op.add_column("conversations", sa.Column("end_reason", sa.String(20), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("conversations", "end_reason")
    for column in reversed(columns()):
        op.drop_column("agents", column.name)
