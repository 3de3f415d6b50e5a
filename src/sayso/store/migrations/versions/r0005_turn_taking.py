"""Keep how an agent takes turns: how patient it is, and whether it can be interrupted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; agents that are there are as patient as their server, and give way."""
    op.add_column("agents", sa.Column("patience", sa.String(10), nullable=True))
    op.add_column(
        "agents", sa.Column("interruptible", sa.Boolean(), server_default=sa.true(), nullable=False)
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("agents", "interruptible")
    op.drop_column("agents", "patience")
