"""Looking for messages: what was never tried, and what is being sent, have indexes of their own."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: None = None
depends_on: None = None

_NEVER_TRIED = "state IN ('queued', 'sending') AND attempts = 0"
_UNDER_WAY = "state = 'sending' AND endpoint_id IS NOT NULL"


def upgrade() -> None:
    op.create_index(
        "ix_message_first",
        "message",
        ["channel", "urgent", "next_at", "id"],
        postgresql_where=sa.text(_NEVER_TRIED),
        sqlite_where=sa.text(_NEVER_TRIED),
    )
    op.create_index(
        "ix_message_under_way",
        "message",
        ["endpoint_id"],
        postgresql_where=sa.text(_UNDER_WAY),
        sqlite_where=sa.text(_UNDER_WAY),
    )


def downgrade() -> None:
    op.drop_index("ix_message_under_way", "message")
    op.drop_index("ix_message_first", "message")
