"""Keep how people sign in, when keys were last used, and which pages an agent may be on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sayso.store.tables import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; accounts that are there have no password, and sign in by link."""
    op.add_column("users", sa.Column("email", sa.String(254), nullable=True))
    op.add_column("users", sa.Column("name", sa.String(250), nullable=True))
    op.add_column("users", sa.Column("password", sa.Text(), nullable=True))
    op.create_index("ix_users_email", "users", ["email"], unique=True)
    op.add_column("api_keys", sa.Column("last_used_at", UtcDateTime(), nullable=True))
    op.add_column(
        "agents", sa.Column("allowed_origins", sa.JSON(), nullable=False, server_default="[]")
    )
    op.create_table(
        "browser_sessions",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("user_id", sa.String(100), nullable=False),
        sa.Column("hash", sa.String(100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("by_link", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_browser_sessions_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_browser_sessions_hash")),
    )
    op.create_index("ix_browser_sessions_user_id", "browser_sessions", ["user_id"])
    op.create_index("ix_browser_sessions_expires_at", "browser_sessions", ["expires_at"])
    op.create_table(
        "sign_in_links",
        sa.Column("hash", sa.String(100), nullable=False),
        sa.Column("user_id", sa.String(100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_in_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_links")),
    )
    op.create_index("ix_sign_in_links_user_id", "sign_in_links", ["user_id"])
    op.create_index("ix_sign_in_links_expires_at", "sign_in_links", ["expires_at"])


def downgrade() -> None:
    """Drop them: nobody can sign in to a browser any more, keys go on."""
    op.drop_table("sign_in_links")
    op.drop_table("browser_sessions")
    op.drop_column("agents", "allowed_origins")
    op.drop_column("api_keys", "last_used_at")
    op.drop_index("ix_users_email", "users")
    for column in ("password", "name", "email"):
        op.drop_column("users", column)
