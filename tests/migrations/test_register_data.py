"""What stood in the register before contacts were verified and memoranda signed goes on."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from liaison.domain.vocabulary import HoldingKind, MemorandumState
from liaison.models import Contact, Database, Holding, Memorandum, Provider
from liaison.queries import registry
from liaison.services import schema
from liaison.services.vault import Vault
from tests import register
from tests.world import START


def _filled(database: Database, vault: Vault) -> register.Register:
    schema.migrate(database)
    with database.transaction() as session:
        return register.build(session, vault, START)


def test_contacts_that_ladders_called_before_are_called_after(
    empty_database: Database, vault: Vault
) -> None:
    _filled(empty_database, vault)
    schema.take_back(empty_database, "0002")
    schema.migrate(empty_database)
    with empty_database.reading() as session:
        contacts = session.scalars(sa.select(Contact)).all()
    assert contacts
    for contact in contacts:
        assert contact.email_verified_at is not None
        assert contact.phone_verified_at is not None
        assert contact.channels == ["email", "call"]
        assert contact.usable_from is None


def test_a_provider_is_found_by_its_domains_after_the_upgrade(
    empty_database: Database, vault: Vault
) -> None:
    built = _filled(empty_database, vault)
    schema.take_back(empty_database, "0002")
    with empty_database.transaction() as session:
        # Two entries with one domain: the older one keeps it, and the upgrade does not fail.
        session.execute(
            sa.text(
                "UPDATE provider SET domains = '[\"meridian.example\"]' WHERE id = :id"
            ).bindparams(sa.bindparam("id", built.providers["Sevan Hosting"], sa.Uuid()))
        )
    schema.migrate(empty_database)
    with empty_database.reading() as session:
        found = session.get(Holding, (HoldingKind.DOMAIN, "meridian.example"))
        assert found is not None
        older = session.scalars(
            sa.select(Provider)
            .where(
                Provider.id.in_(
                    [built.providers["Meridian Telecom"], built.providers["Sevan Hosting"]]
                )
            )
            .order_by(Provider.id)
        ).first()
        assert older is not None
        assert found.provider_id == older.id
        assert found.length == 2


def test_memoranda_stay_agreed_and_a_draft_never_comes_into_force_by_going_back(
    empty_database: Database, vault: Vault
) -> None:
    _filled(empty_database, vault)
    with empty_database.transaction() as session:
        signed = session.scalars(sa.select(Memorandum)).first()
        assert signed is not None
        session.add(
            Memorandum(
                authority_id=signed.authority_id,
                provider_id=signed.provider_id,
                reference=signed.reference,
                version=2,
                state=MemorandumState.DRAFT,
                in_force_from=date(2026, 2, 1),
                terms=signed.terms,
            )
        )
    schema.take_back(empty_database, "0002")
    with empty_database.reading() as session:
        versions = session.scalars(sa.text("SELECT version FROM memorandum")).all()
    assert set(versions) == {1}
    schema.migrate(empty_database)
    with empty_database.reading() as session:
        states = set(session.scalars(sa.select(Memorandum.state)))
    assert states == {MemorandumState.AGREED}


def test_names_that_differ_by_case_only_are_two_providers_still(
    empty_database: Database, vault: Vault
) -> None:
    built = _filled(empty_database, vault)
    schema.take_back(empty_database, "0002")
    with empty_database.transaction() as session:
        for name, new in (("Sevan Hosting", "ÄRGER Net"), ("Norvik Mobile", "ärger net")):
            rename = sa.text("UPDATE provider SET name = :new WHERE id = :id")
            id_ = sa.bindparam("id", built.providers[name], sa.Uuid())
            session.execute(rename.bindparams(id_, new=new))
    schema.migrate(empty_database)
    with empty_database.reading() as session:
        rows = session.scalars(sa.select(Provider).order_by(Provider.id)).all()
        keys = {row.name: row.name_key for row in rows}
        first = next(row for row in rows if row.name.casefold() == "ärger net")
        assert registry.provider_named(session, "ÄRGER NET") is first
    assert {keys["ÄRGER Net"], keys["ärger net"]} == {"ärger net", "ärger net 2"}
    assert keys["Meridian Telecom"] == "meridian telecom"
