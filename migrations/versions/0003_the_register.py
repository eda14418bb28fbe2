"""The register: what providers hold, contacts' changes, duty, memoranda signed, drills, rules."""

import unicodedata
from datetime import UTC, date, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None


def _contacts_were_in_use() -> None:
    """What ladders have called until now goes on being called: it counts as verified."""
    op.execute(
        sa.text(
            "UPDATE contact SET email_verified_at = CURRENT_TIMESTAMP, "
            "phone_verified_at = CURRENT_TIMESTAMP"
        )
    )


def _holdings_from_domains() -> None:
    """A provider is found by its domains; where two share one, by the older entry."""
    provider = sa.table(
        "provider",
        sa.column("id", sa.Uuid()),
        sa.column("domains", sa.JSON()),
    )
    holding = sa.table(
        "holding",
        sa.column("kind", sa.String()),
        sa.column("key", sa.Text()),
        sa.column("length", sa.Integer()),
        sa.column("provider_id", sa.Uuid()),
    )
    connection = op.get_bind()
    known: dict[str, object] = {}
    for row in connection.execute(
        sa.select(provider.c.id, provider.c.domains).order_by(provider.c.id)
    ):
        for domain in row.domains:
            known.setdefault(domain.lower().rstrip("."), row.id)
    for domain, provider_id in known.items():
        connection.execute(
            holding.insert().values(
                kind="domain", key=domain, length=domain.count(".") + 1, provider_id=provider_id
            )
        )


def _name_keys() -> None:
    """Names folded as they are looked for; of two alike the newer one gets a number, to be told."""
    provider = sa.table(
        "provider",
        sa.column("id", sa.Uuid()),
        sa.column("name", sa.Text()),
        sa.column("name_key", sa.Text()),
    )
    connection = op.get_bind()
    names = sa.select(provider.c.id, provider.c.name).order_by(provider.c.id)
    known: set[str] = set()
    for row in connection.execute(names).all():
        folded = unicodedata.normalize("NFC", row.name.strip()).casefold()
        folded = key = unicodedata.normalize("NFC", folded)
        number = 1
        while key in known:
            number += 1
            key = f"{folded} {number}"
        known.add(key)
        connection.execute(provider.update().where(provider.c.id == row.id).values(name_key=key))


def _without_drafts() -> None:
    """Drafts would bind once nothing says that they are drafts."""
    op.execute(sa.text("DELETE FROM memorandum WHERE state <> 'agreed'"))


_PARTY_RULES: tuple[tuple[str, str, str, int | None, int | None, int | None, str, str], ...] = (
    (
        "01930000-0000-7000-8000-000000000001",
        "Budapest Convention",
        "",
        90,
        None,
        None,
        "At most, and renewable. For another Party's request at least 60 days, so that it can "
        "send its assistance request; once that has arrived, until it is decided.",
        "Convention on Cybercrime (ETS 185), arts 16(2) and 29(7)",
    ),
    (
        "01930000-0000-7000-8000-000000000002",
        "European Union",
        "AT BE BG CY CZ DE EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
        60,
        30,
        1,
        "The extension is on request. Once production is announced, for as long as it needs.",
        "Regulation (EU) 2023/1543, art. 11; it does not bind Denmark",
    ),
    (
        "01930000-0000-7000-8000-000000000003",
        "United States",
        "US",
        90,
        90,
        1,
        "",
        "18 U.S.C. § 2703(f)",
    ),
    (
        "01930000-0000-7000-8000-000000000004",
        "Canada",
        "CA",
        None,
        None,
        None,
        "To a date that is stated. What was kept is destroyed when that date has passed.",
        "Criminal Code, ss. 487.012 and 487.0194",
    ),
    (
        "01930000-0000-7000-8000-000000000005",
        "Romania",
        "RO",
        60,
        30,
        1,
        "",
        "Code of Criminal Procedure, art. 154(2) and (3)",
    ),
)
"""Presets, for administrators to keep: id, name, countries (none: any Party), first days, days and
number of extensions (None: not set), note, source."""


def _presets_of_the_parties() -> None:
    """Help that stands there from the first day; each is to be read again within the year."""
    rule = sa.table(
        "party_rule",
        sa.column("id", sa.Uuid()),
        sa.column("name", sa.Text()),
        sa.column("countries", sa.JSON()),
        sa.column("retention", sa.Text()),
        sa.column("first_days", sa.Integer()),
        sa.column("extension_days", sa.Integer()),
        sa.column("extensions", sa.Integer()),
        sa.column("note", sa.Text()),
        sa.column("source", sa.Text()),
        sa.column("review_on", sa.Date()),
        sa.column("changed_by", sa.Text()),
        sa.column("changed_at", sa.DateTime(timezone=True)),
    )
    rows = [
        {
            "id": UUID(id_),
            "name": name,
            "countries": countries.split(),
            "retention": "",
            "first_days": first,
            "extension_days": each,
            "extensions": times,
            "note": note,
            "source": source,
            "review_on": date(2027, 6, 30),
            "changed_by": "Liaison",
            "changed_at": datetime(2026, 11, 24, tzinfo=UTC),
        }
        for id_, name, countries, first, each, times, note, source in _PARTY_RULES
    ]
    op.bulk_insert(rule, rows)


def upgrade() -> None:
    op.create_table(
        "party_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("first_days", sa.Integer(), nullable=True),
        sa.Column("extension_days", sa.Integer(), nullable=True),
        sa.Column("extensions", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_party_rule_name")),
    )
    op.create_table(
        "drill_counter",
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_drill_counter_authority_id_authority")
        ),
        sa.PrimaryKeyConstraint("authority_id", "year", name=op.f("pk_drill_counter")),
    )
    op.create_table(
        "holding",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_holding_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_holding")),
    )
    with op.batch_alter_table("holding", schema=None) as batch_op:
        batch_op.create_index("ix_holding_provider", ["provider_id"], unique=False)

    op.create_table(
        "rota",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("turn", sa.String(length=40), nullable=False),
        sa.Column("handover", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("holidays", sa.String(length=40), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gaps_told", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(authority_id IS NULL) <> (provider_id IS NULL)", name=op.f("ck_rota_one_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_rota_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_rota_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rota")),
    )
    with op.batch_alter_table("rota", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rota_authority_id"), ["authority_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rota_provider_id"), ["provider_id"], unique=False)

    op.create_table(
        "contact_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("old", sa.JSON(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name=op.f("fk_contact_change_asked_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_change_contact_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_change")),
    )
    with op.batch_alter_table("contact_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_change_contact_id"), ["contact_id"], unique=False
        )

    op.create_table(
        "duty_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(authority_id IS NULL) <> (provider_id IS NULL)",
            name=op.f("ck_duty_feed_one_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_duty_feed_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["person.id"], name=op.f("fk_duty_feed_made_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_duty_feed_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_duty_feed_token_hash")),
    )
    with op.batch_alter_table("duty_feed", schema=None) as batch_op:
        batch_op.create_index("ix_duty_feed_authority_id", ["authority_id"], unique=False)
        batch_op.create_index("ix_duty_feed_provider_id", ["provider_id"], unique=False)

    op.create_table(
        "duty_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("rota_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("pair", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(authority_id IS NULL) <> (provider_id IS NULL)",
            name=op.f("ck_duty_override_one_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_duty_override_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_duty_override_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_duty_override_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["rota_id"], ["rota.id"], name=op.f("fk_duty_override_rota_id_rota")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_override")),
    )
    with op.batch_alter_table("duty_override", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_duty_override_authority_id"), ["authority_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_duty_override_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_duty_override_provider_id"), ["provider_id"], unique=False
        )

    op.create_table(
        "memorandum_document",
        sa.Column("memorandum_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["memorandum_id"],
            ["memorandum.id"],
            name=op.f("fk_memorandum_document_memorandum_id_memorandum"),
        ),
        sa.PrimaryKeyConstraint("memorandum_id", name=op.f("pk_memorandum_document")),
    )
    op.create_table(
        "memorandum_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("memorandum_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["memorandum_id"],
            ["memorandum.id"],
            name=op.f("fk_memorandum_signature_memorandum_id_memorandum"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_memorandum_signature_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memorandum_signature")),
    )
    with op.batch_alter_table("memorandum_signature", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_memorandum_signature_memorandum_id"), ["memorandum_id"], unique=False
        )

    op.create_table(
        "register_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_register_import_authority_id_authority"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["person.id"], name=op.f("fk_register_import_made_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_import")),
    )
    with op.batch_alter_table("register_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_register_import_authority_id"), ["authority_id"], unique=False
        )

    op.create_table(
        "drill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("memorandum_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("urgency", sa.String(length=40), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("put_off", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["memorandum_id"], ["memorandum.id"], name=op.f("fk_drill_memorandum_id_memorandum")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_drill_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
        sa.UniqueConstraint("order_id", name=op.f("uq_drill_order_id")),
        sa.UniqueConstraint("slot", name=op.f("uq_drill_slot")),
    )
    with op.batch_alter_table("drill", schema=None) as batch_op:
        batch_op.create_index(
            "ix_drill_due",
            ["planned_at"],
            unique=False,
            postgresql_where=sa.text("state = 'planned'"),
            sqlite_where=sa.text("state = 'planned'"),
        )
        batch_op.create_index(batch_op.f("ix_drill_memorandum_id"), ["memorandum_id"], unique=False)

    op.create_table(
        "verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=True),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("sealed_code", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("called_by_id", sa.Uuid(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name=op.f("fk_verification_asked_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["called_by_id"], ["person.id"], name=op.f("fk_verification_called_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["contact_change.id"],
            name=op.f("fk_verification_change_id_contact_change"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_verification_contact_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_verification_contact_id"), ["contact_id"], unique=False
        )

    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.add_column(sa.Column("legal_name", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("kind", sa.String(length=40), nullable=False, server_default="police")
        )
        batch_op.add_column(
            sa.Column("status", sa.String(length=40), nullable=False, server_default="active")
        )
        batch_op.add_column(sa.Column("languages", sa.JSON(), nullable=False, server_default="[]"))

    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("channels", sa.JSON(), nullable=False, server_default='["email", "call"]')
        )
        batch_op.add_column(sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("nagged_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("phone_verified_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("usable_from", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("entered_by_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_contact_entered_by_id_person"), "person", ["entered_by_id"], ["id"]
        )

    with op.batch_alter_table("memorandum", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("state", sa.String(length=40), nullable=False, server_default="agreed")
        )
        batch_op.add_column(sa.Column("edit", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("drafted_by", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("changed_by", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sides", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_why", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column("signed_on", existing_type=sa.DATE(), nullable=True)

    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("test", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("status", sa.String(length=40), nullable=False, server_default="active")
        )
        batch_op.add_column(sa.Column("as_numbers", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("address_ranges", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(
            sa.Column("phone_prefixes", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("name_key", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("domains_since", sa.JSON(), nullable=False, server_default="{}")
        )
    _name_keys()

    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.alter_column("legal_name", existing_type=sa.Text(), server_default=None)
        batch_op.alter_column("kind", existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column("status", existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column("languages", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.alter_column("channels", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("memorandum", schema=None) as batch_op:
        batch_op.alter_column("state", existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column("edit", existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column("drafted_by", existing_type=sa.Text(), server_default=None)
        batch_op.alter_column("changed_by", existing_type=sa.Text(), server_default=None)
        batch_op.alter_column("sides", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.alter_column("test", existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.alter_column("status", existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column("as_numbers", existing_type=sa.JSON(), server_default=None)
        batch_op.alter_column("address_ranges", existing_type=sa.JSON(), server_default=None)
        batch_op.alter_column("phone_prefixes", existing_type=sa.JSON(), server_default=None)
        batch_op.alter_column("domains_since", existing_type=sa.JSON(), server_default=None)
        batch_op.alter_column("name_key", existing_type=sa.Text(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_provider_name_key"), ["name_key"])
    _contacts_were_in_use()
    _holdings_from_domains()
    _presets_of_the_parties()


def downgrade() -> None:
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_provider_name_key"), type_="unique")
        batch_op.drop_column("name_key")
        batch_op.drop_column("domains_since")
        batch_op.drop_column("changed_at")
        batch_op.drop_column("phone_prefixes")
        batch_op.drop_column("address_ranges")
        batch_op.drop_column("as_numbers")
        batch_op.drop_column("status")

    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.drop_column("test")

    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_contact_entered_by_id_person"), type_="foreignkey")
        batch_op.drop_column("entered_by_id")
        batch_op.drop_column("removed_at")
        batch_op.drop_column("usable_from")
        batch_op.drop_column("phone_verified_at")
        batch_op.drop_column("email_verified_at")
        batch_op.drop_column("nagged_at")
        batch_op.drop_column("reviewed_at")
        batch_op.drop_column("channels")

    with op.batch_alter_table("authority", schema=None) as batch_op:
        batch_op.drop_column("languages")
        batch_op.drop_column("status")
        batch_op.drop_column("kind")
        batch_op.drop_column("legal_name")

    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_contact_id"))

    op.drop_table("verification")
    with op.batch_alter_table("drill", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_drill_memorandum_id"))
        batch_op.drop_index(
            "ix_drill_due",
            postgresql_where=sa.text("state = 'planned'"),
            sqlite_where=sa.text("state = 'planned'"),
        )

    op.drop_table("drill")
    with op.batch_alter_table("register_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_register_import_authority_id"))

    op.drop_table("register_import")
    with op.batch_alter_table("memorandum_signature", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memorandum_signature_memorandum_id"))

    op.drop_table("memorandum_signature")
    op.drop_table("memorandum_document")
    with op.batch_alter_table("duty_override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duty_override_provider_id"))
        batch_op.drop_index(batch_op.f("ix_duty_override_ends_at"))
        batch_op.drop_index(batch_op.f("ix_duty_override_authority_id"))

    op.drop_table("duty_override")
    with op.batch_alter_table("duty_feed", schema=None) as batch_op:
        batch_op.drop_index("ix_duty_feed_provider_id")
        batch_op.drop_index("ix_duty_feed_authority_id")

    op.drop_table("duty_feed")
    with op.batch_alter_table("contact_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_change_contact_id"))

    op.drop_table("contact_change")
    with op.batch_alter_table("rota", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rota_provider_id"))
        batch_op.drop_index(batch_op.f("ix_rota_authority_id"))

    op.drop_table("rota")
    with op.batch_alter_table("holding", schema=None) as batch_op:
        batch_op.drop_index("ix_holding_provider")

    op.drop_table("holding")
    op.drop_table("drill_counter")
    op.drop_table("party_rule")
    _without_drafts()
    with op.batch_alter_table("memorandum", schema=None) as batch_op:
        batch_op.alter_column("signed_on", existing_type=sa.DATE(), nullable=False)
        batch_op.drop_column("warned_at")
        batch_op.drop_column("ended_why")
        batch_op.drop_column("ended_at")
        batch_op.drop_column("ended_by")
        batch_op.drop_column("changed_at")
        batch_op.drop_column("sides")
        batch_op.drop_column("changed_by")
        batch_op.drop_column("drafted_at")
        batch_op.drop_column("drafted_by")
        batch_op.drop_column("edit")
        batch_op.drop_column("state")
