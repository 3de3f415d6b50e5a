"""Keep what the sentences of passages mean."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is indexed already is found as before, by its whole meaning."""
    op.add_column("passages", sa.Column("sentences", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("passages", "sentences")
