"""Make the tables of what is known about LLMs: llm_checks, llm_profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "llm_checks",
        sa.Column("agent_id", sa.String(length=100), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name="fk_llm_checks_agent_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", name="pk_llm_checks"),
    )
    op.create_table(
        "llm_profiles",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_llm_profiles"),
    )
    op.create_index("ix_llm_profiles_learned_at", "llm_profiles", ["learned_at"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("llm_profiles")

    op.drop_table("llm_checks")
