"""What each key's program asked for, for seven days."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: None = None
depends_on: None = None

_WITH_PROBLEM = "problem IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "key_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("order_name", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("pointers", sa.JSON(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name=op.f("fk_key_request_api_key_id_api_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_request")),
    )
    op.create_index("ix_key_request_key", "key_request", ["api_key_id", "id"])
    op.create_index(
        "ix_key_request_problem",
        "key_request",
        ["api_key_id", "id"],
        postgresql_where=sa.text(_WITH_PROBLEM),
        sqlite_where=sa.text(_WITH_PROBLEM),
    )
    op.create_index(op.f("ix_key_request_last_at"), "key_request", ["last_at"])


def downgrade() -> None:
    op.drop_table("key_request")
