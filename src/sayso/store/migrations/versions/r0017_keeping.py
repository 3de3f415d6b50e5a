"""Keep what agents were before each change, agents that were just deleted, and their pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sayso.store.tables import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; agents that are there are at their first version."""
    for column in (
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("avatar", sa.JSON(), nullable=True),
    ):
        op.add_column("agents", column)
    op.create_index("ix_agents_deleted_at", "agents", ["deleted_at"])
    op.create_table(
        "agent_versions",
        sa.Column("agent_id", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agents.id"],
            name=op.f("fk_agent_versions_agent_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("agent_id", "number", name=op.f("pk_agent_versions")),
    )


def downgrade() -> None:
    """Drop them; agents that wait to be removed are removed."""
    op.drop_table("agent_versions")
    op.execute("DELETE FROM agents WHERE deleted_at IS NOT NULL")
    op.drop_index("ix_agents_deleted_at", "agents")
    for name in ("avatar", "changed", "version", "deleted_at"):
        op.drop_column("agents", name)
