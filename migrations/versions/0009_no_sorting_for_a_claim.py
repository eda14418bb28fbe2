"""A claim finds the timer that comes first, and a rung an open call, without reading others."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None

_WAITING = "state = 'waiting'"
_OF_AN_ENDPOINT = "endpoint_id IS NOT NULL"


def upgrade() -> None:
    _replace("timer", "ix_timer_due", ["due_at", "id"], _WAITING)
    _replace("call_task", "ix_call_task_order", ["order_id", "contact_id", "state"])
    _replace("message", "ix_message_endpoint", ["endpoint_id", "id"], _OF_AN_ENDPOINT)


def downgrade() -> None:
    _replace("message", "ix_message_endpoint", ["endpoint_id", "id"])
    _replace("call_task", "ix_call_task_order", ["order_id"])
    _replace("timer", "ix_timer_due", ["due_at"], _WAITING)


def _replace(table: str, name: str, columns: list[str], where: str | None = None) -> None:
    only = sa.text(where) if where else None
    op.drop_index(name, table_name=table)
    op.create_index(name, table, columns, postgresql_where=only, sqlite_where=only)
