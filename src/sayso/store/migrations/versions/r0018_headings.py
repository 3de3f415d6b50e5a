"""Keep what the headings of passages mean."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is indexed already is found as before, without its headings."""
    op.add_column("passages", sa.Column("heading", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("passages", "heading")
