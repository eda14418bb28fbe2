"""Escalation and delivery: attempts, webhooks, held ladders, canaries, files that are kept."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None

_UNSENT = "state IN ('queued', 'sending')"
_FAILED = "state = 'failed' AND settled_at IS NULL"
_BY_NUMBER = "channel IN ('text', 'voice')"


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


_HELD = (
    lambda: _moment("ladder_paused_at"),
    lambda: _moment("ladder_paused_until"),
    lambda: _words("ladder_pause_reason"),
)
_EXPECTED = (
    lambda: sa.Column("expected_every", sa.Integer(), nullable=True),
    lambda: _moment("silent_since"),
)


def upgrade() -> None:
    # Added to the table as it stands: built anew it would lose what the queue is sorted by.
    for column in _HELD:
        op.add_column("preservation_order", column())
    for column in _EXPECTED:
        op.add_column("api_key", column())
    op.add_column("contact", _moment("wrong_number_at"))
    _endpoints()
    _deliveries()
    _watching()
    op.create_table(
        "kept_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _words("path", nullable=False),
        _words("field", nullable=False),
        _words("name", nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _moment("kept_at", nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_kept_file_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_file")),
    )
    op.create_index(op.f("ix_kept_file_person_id"), "kept_file", ["person_id"])
    op.create_index(op.f("ix_kept_file_kept_at"), "kept_file", ["kept_at"])


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        _words("url", nullable=False),
        _words("description", nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        _words("sealed_secret", nullable=False),
        _words("sealed_old_secret"),
        _moment("old_secret_until"),
        _moment("created_at", nullable=False),
        _words("created_by", nullable=False),
        _moment("changed_at", nullable=False),
        _moment("failing_since"),
        _moment("last_ok_at"),
        _moment("disabled_at"),
        _words("disabled_why"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_webhook_endpoint_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(op.f("ix_webhook_endpoint_provider_id"), "webhook_endpoint", ["provider_id"])


def _deliveries() -> None:
    with op.batch_alter_table("message") as table:
        table.add_column(sa.Column("endpoint_id", sa.Uuid(), nullable=True))
        for name in ("delivered_at", "bounced_at", "answered_at", "settled_at"):
            table.add_column(_moment(name))
        for name in ("answer", "settled_by"):
            table.add_column(_words(name))
        table.create_foreign_key(
            op.f("fk_message_endpoint_id_webhook_endpoint"),
            "webhook_endpoint",
            ["endpoint_id"],
            ["id"],
        )
    op.create_index(
        "ix_message_lane",
        "message",
        ["channel", "urgent", "next_at", "id"],
        postgresql_where=sa.text(_UNSENT),
        sqlite_where=sa.text(_UNSENT),
    )
    op.create_index(
        "ix_message_failed",
        "message",
        ["created_at"],
        postgresql_where=sa.text(_FAILED),
        sqlite_where=sa.text(_FAILED),
    )
    op.create_index(
        "ix_message_number",
        "message",
        ["address", "id"],
        postgresql_where=sa.text(_BY_NUMBER),
        sqlite_where=sa.text(_BY_NUMBER),
    )
    op.create_index("ix_message_endpoint", "message", ["endpoint_id", "id"])
    op.create_index("ix_message_contact", "message", ["contact_id", "id"])
    op.create_index(op.f("ix_request_letter_message_id"), "request_letter", ["message_id"])
    with op.batch_alter_table("call_task") as table:
        table.add_column(sa.Column("follows_id", sa.Uuid(), nullable=True))
        table.add_column(_words("answered_by"))
        table.create_foreign_key(
            op.f("fk_call_task_follows_id_call_task"), "call_task", ["follows_id"], ["id"]
        )
    op.create_table(
        "delivery_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _moment("at", nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        _words("answer", nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivery_attempt_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempt")),
    )
    op.create_index("ix_delivery_attempt_message", "delivery_attempt", ["message_id"])


def _watching() -> None:
    op.create_table(
        "canary",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        _words("token", nullable=False),
        _moment("sent_at", nullable=False),
        _moment("arrived_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
        sa.UniqueConstraint("token", name=op.f("uq_canary_token")),
    )
    op.create_index("ix_canary_channel", "canary", ["channel", "sent_at"])
    op.create_table(
        "watch",
        _words("name", nullable=False),
        _moment("at", nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch")),
    )


def downgrade() -> None:
    # What only this revision knows: no older worker can send or fire it.
    op.execute("DELETE FROM delivery_attempt")
    op.execute("DELETE FROM message WHERE channel IN ('webhook', 'text', 'voice')")
    op.execute("DELETE FROM timer WHERE kind IN ('pause_end', 'call_again')")
    op.drop_table("kept_file")
    op.drop_table("watch")
    op.drop_table("canary")
    op.drop_table("delivery_attempt")
    with op.batch_alter_table("call_task") as table:
        table.drop_constraint(op.f("fk_call_task_follows_id_call_task"), type_="foreignkey")
        table.drop_column("answered_by")
        table.drop_column("follows_id")
    op.drop_index(op.f("ix_request_letter_message_id"), "request_letter")
    for index in ("lane", "contact", "endpoint", "number", "failed"):
        op.drop_index(f"ix_message_{index}", "message")
    with op.batch_alter_table("message") as table:
        table.drop_constraint(op.f("fk_message_endpoint_id_webhook_endpoint"), type_="foreignkey")
        for name in (
            "endpoint_id",
            "delivered_at",
            "bounced_at",
            "answered_at",
            "settled_at",
            "answer",
            "settled_by",
        ):
            table.drop_column(name)
    op.drop_table("webhook_endpoint")
    op.drop_column("contact", "wrong_number_at")
    for name in ("silent_since", "expected_every"):
        op.drop_column("api_key", name)
    for name in ("ladder_pause_reason", "ladder_paused_until", "ladder_paused_at"):
        op.drop_column("preservation_order", name)
