"""Keep the MCP servers of agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; agents so far have none."""
    op.add_column(
        "agents", sa.Column("mcp_servers", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column("agents", sa.Column("mcp_sealed", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("agents", "mcp_sealed")
    op.drop_column("agents", "mcp_servers")
