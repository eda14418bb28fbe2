"""People and access: invitations, recovery codes, passkeys, reviews, what a key may and did."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None


def _domains_from_addresses() -> None:
    """An authority's first mail domain is that of the address it was registered with."""
    authority = sa.table(
        "authority",
        sa.column("id", sa.Uuid()),
        sa.column("email", sa.Text()),
        sa.column("domains", sa.JSON()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(authority.c.id, authority.c.email)).all():
        domain = row.email.rpartition("@")[2].lower()
        connection.execute(
            authority.update().where(authority.c.id == row.id).values(domains=[domain])
        )


def upgrade() -> None:
    op.create_table(
        "factor_reset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name=op.f("fk_factor_reset_asked_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["cancelled_by_id"], ["person.id"], name=op.f("fk_factor_reset_cancelled_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["person.id"], name=op.f("fk_factor_reset_confirmed_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_factor_reset_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_reset")),
    )
    with op.batch_alter_table("factor_reset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_factor_reset_person_id"), ["person_id"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_invitation_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["person.id"], name=op.f("fk_invitation_invited_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_invitation_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_invitation_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invitation_authority_id"), ["authority_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_invitation_email"), ["email"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_invitation_provider_id"), ["provider_id"], unique=False
        )

    op.create_table(
        "kept_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_kept_form_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_form")),
    )
    with op.batch_alter_table("kept_form", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_form_kept_at"), ["kept_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_kept_form_person_id"), ["person_id"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_passkey_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_person_id"), ["person_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_recovery_code_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_person_id"), ["person_id"], unique=False)

    op.create_table(
        "order_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["person.id"], name=op.f("fk_order_review_decided_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_order_review_order_id_preservation_order"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_order_review_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_review")),
    )
    with op.batch_alter_table("order_review", schema=None) as batch_op:
        batch_op.create_index("ix_order_review_order", ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_review_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("networks", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("created_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("successor_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("last_address", sa.Text(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_api_key_created_by_id_person"), "person", ["created_by_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_api_key_successor_id_api_key"), "api_key", ["successor_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_api_key_revoked_by_id_person"), "person", ["revoked_by_id"], ["id"]
        )

    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("passkey_to_issue", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("domains", sa.JSON(), nullable=False, server_default="[]"))

    _domains_from_addresses()
    # The defaults were for the rows that stood; the models give new ones their values.
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.alter_column("networks", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.alter_column("passkey_to_issue", existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column("domains", existing_type=sa.JSON(), server_default=None)

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.alter_column("order_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("sealed_link", sa.Text(), nullable=True))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True)
        )

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("factor", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("challenge", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("challenge_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_why", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("ended_why")
        batch_op.drop_column("challenge_at")
        batch_op.drop_column("challenge")
        batch_op.drop_column("factor")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("password_changed_at")

    # Letters about somebody's access have no order; an older portal cannot hold them.
    op.execute("DELETE FROM message WHERE order_id IS NULL")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("sealed_link")
        batch_op.alter_column("order_id", existing_type=sa.Uuid(), nullable=False)

    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.drop_column("domains")
        batch_op.drop_column("passkey_to_issue")

    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_api_key_revoked_by_id_person"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_api_key_successor_id_api_key"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_api_key_created_by_id_person"), type_="foreignkey")
        batch_op.drop_column("last_address")
        batch_op.drop_column("last_used_at")
        batch_op.drop_column("successor_id")
        batch_op.drop_column("revoked_by_id")
        batch_op.drop_column("warned_at")
        batch_op.drop_column("created_by_id")
        batch_op.drop_column("networks")

    with op.batch_alter_table("order_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_review_person_id"))
        batch_op.drop_index("ix_order_review_order")

    op.drop_table("order_review")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_person_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_person_id"))

    op.drop_table("passkey")
    with op.batch_alter_table("kept_form", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_form_person_id"))
        batch_op.drop_index(batch_op.f("ix_kept_form_kept_at"))

    op.drop_table("kept_form")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_provider_id"))
        batch_op.drop_index(batch_op.f("ix_invitation_email"))
        batch_op.drop_index(batch_op.f("ix_invitation_authority_id"))

    op.drop_table("invitation")
    with op.batch_alter_table("factor_reset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_factor_reset_person_id"))

    op.drop_table("factor_reset")
