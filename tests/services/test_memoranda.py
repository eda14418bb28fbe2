"""A memorandum's life between its two sides: drafted, written, signed by both, ended."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from uuid6 import uuid7

from liaison.domain.actors import Actor
from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.memorandum_entry import written
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import (
    Channel,
    Function,
    MemorandumState,
    Role,
    Side,
    Status,
    Urgency,
)
from liaison.errors import Forbidden, Invalid, LiaisonError, NotFound, StaleFactor
from liaison.models import (
    Contact,
    Entry,
    Memorandum,
    MemorandumDocument,
    Message,
    Person,
    PersonRole,
    Provider,
)
from liaison.queries import memoranda as queries
from liaison.queries import registry
from liaison.services import contact_scope, memoranda, memorandum_signing, people
from liaison.services.memoranda import NotNow, Overtaken
from liaison.services.organisations import AlreadyDone
from tests.world import World

SUPERVISOR, KEEPER = "supervisor", "provider_administrator"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def begin(world: World, by: str = SUPERVISOR, **data: Any) -> UUID:
    """A draft between the contact point and Meridian Telecom: the next version of theirs."""
    side = {"provider_id": str(world.register.providers["Meridian Telecom"])}
    if by == KEEPER:
        side = {"authority_id": str(world.register.authorities["CP"])}
    with world.database.transaction() as session:
        return memoranda.draft(session, world.actor(by), {**side, **data}, world.now).id


def seen(world: World, memorandum_id: UUID) -> tuple[Memorandum, str]:
    """The memorandum as it stands, and what would be signed."""
    with world.database.reading() as session:
        row = session.get_one(Memorandum, memorandum_id)
        _ = row.signatures, row.document
        return row, queries.sha256(session, row)


def data_of(row: Memorandum, **changes: Any) -> dict[str, Any]:
    terms = terms_from_json(row.terms)
    return {**written(row.reference, row.in_force_from, row.in_force_to, terms), **changes}


def write(world: World, memorandum_id: UUID, by: str, **changes: Any) -> None:
    row, _ = seen(world, memorandum_id)
    with world.database.transaction() as session:
        data = data_of(row, **changes)
        memoranda.write(session, world.actor(by), memorandum_id, data, row.edit, world.now)


def sign(world: World, memorandum_id: UUID, by: str) -> None:
    row, sha256 = seen(world, memorandum_id)
    with world.database.transaction() as session:
        actor = world.actor(by)
        memorandum_signing.sign(session, actor, memorandum_id, sha256, row.edit, world.now)


def agree(world: World, memorandum_id: UUID) -> None:
    sign(world, memorandum_id, SUPERVISOR)
    sign(world, memorandum_id, KEEPER)


def end(
    world: World, memorandum_id: UUID, last: date, by: str = KEEPER, reason: str = "We part."
) -> None:
    with world.database.transaction() as session:
        actor = world.actor(by)
        memorandum_signing.end(session, actor, memorandum_id, last, reason, world.now)


def standing(world: World, memorandum_id: UUID) -> queries.Standing:
    with world.database.reading() as session:
        row = session.get_one(Memorandum, memorandum_id)
        return queries.row(session, row, world.now.date()).standing


def binding(world: World, provider: str = "Meridian Telecom") -> int | None:
    """The version that is in force between the contact point and a provider now."""
    register = world.register
    with world.database.reading() as session:
        found = registry.memorandum_in_force(
            session, register.authorities["CP"], register.providers[provider], world.now.date()
        )
        return found.version if found else None


def first_of(world: World) -> UUID:
    """The version that was agreed before the test began."""
    with world.database.reading() as session:
        return session.scalars(
            select(Memorandum.id).where(
                Memorandum.reference == "MoU-CP-Meridian", Memorandum.version == 1
            )
        ).one()


def letters(world: World) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        query = select(Message.letter, Message.address).order_by(Message.created_at, Message.id)
        return [(name, to) for name, to in session.execute(query) if name.startswith("register/")]


def noted(world: World) -> list[tuple[str, dict[str, Any]]]:
    with world.database.reading() as session:
        entries = session.scalars(
            select(Entry).where(Entry.type.like("portal.memorandum%")).order_by(Entry.seq)
        )
        return [(e.type.removeprefix("portal."), json.loads(e.data or "")) for e in entries]


# Begun


def test_the_next_version_has_the_terms_and_ladders_of_the_newest_agreed_one(world: World) -> None:
    draft, _ = seen(world, begin(world))
    first, _ = seen(world, first_of(world))
    assert (draft.reference, draft.version, draft.edit) == ("MoU-CP-Meridian", 2, 1)
    assert draft.terms == first.terms
    assert (draft.state, draft.signed_on) == (MemorandumState.DRAFT, None)
    assert letters(world) == [("register/memorandum_drafted", "t.avagyan@meridian.example")]


@pytest.mark.parametrize("by", [SUPERVISOR, KEEPER])
def test_a_new_reference_begins_with_what_is_usual_and_reaches_somebody(
    world: World, by: str
) -> None:
    draft, _ = seen(world, begin(world, by, reference="MoU-77/2026"))
    assert (draft.reference, draft.version) == ("MoU-77/2026", 1)
    assert terms_from_json(draft.terms).default_days == 90
    with world.database.reading() as session:
        assert queries.obstacles(session, session.get_one(Memorandum, draft.id), world.now) == []


def test_two_organisations_have_one_open_draft_between_them(world: World) -> None:
    begin(world)
    with pytest.raises(NotNow, match="open draft"):
        begin(world, KEEPER)


def test_two_who_begin_at_once_make_one_draft(world: World) -> None:
    made = together(
        lambda: begin(world, SUPERVISOR), lambda: begin(world, KEEPER, reference="Other")
    )
    assert sorted(type(found).__name__ for found in made) == ["NotNow", "UUID"]


def test_a_number_that_was_discarded_is_not_used_again(world: World) -> None:
    given_up = begin(world)
    with world.database.transaction() as session:
        memoranda.discard(session, world.actor(KEEPER), given_up, 1, world.now)
    assert standing(world, given_up) is queries.Standing.DISCARDED
    assert seen(world, begin(world))[0].version == 3


def test_who_has_no_partner_is_told_to_choose_one(world: World) -> None:
    with world.database.transaction() as session:
        norvik = session.get_one(Provider, world.register.providers["Norvik Mobile"])
        norvik.status = Status.CLOSED
    for provider in (str(uuid7()), "", str(world.register.providers["Norvik Mobile"])):
        with pytest.raises(Invalid) as refused:
            begin(world, provider_id=provider)
        assert [fault.pointer for fault in refused.value.errors] == ["/provider_id"]


@pytest.mark.parametrize("who", ["officer", "auditor", "administrator", "spoc"])
def test_who_does_not_answer_for_it_neither_begins_nor_writes_nor_signs(
    world: World, who: str
) -> None:
    memorandum_id = begin(world)
    row, sha256 = seen(world, memorandum_id)
    actor = world.actor(who)
    with world.database.transaction() as session:
        for act in acts(session, actor, row, sha256, world):
            with pytest.raises(Forbidden):
                act()


def acts(
    session: Any, actor: Actor, row: Memorandum, sha256: str, world: World
) -> list[Callable[[], object]]:
    now, edit = world.now, row.edit
    ladder = terms_from_json(row.terms).ladders[Urgency.ROUTINE]
    return [
        lambda: memoranda.write(session, actor, row.id, data_of(row), edit, now),
        lambda: memoranda.set_ladder(session, actor, row.id, Urgency.URGENT, ladder, edit, now),
        lambda: memoranda.attach(session, actor, row.id, "x.pdf", PDF, edit, now),
        lambda: memoranda.discard(session, actor, row.id, edit, now),
        lambda: memorandum_signing.sign(session, actor, row.id, sha256, edit, now),
        lambda: memorandum_signing.end(session, actor, row.id, now.date(), "x", now),
    ]


def test_another_tenants_memorandum_and_an_absent_one_are_answered_alike(world: World) -> None:
    row, sha256 = seen(world, begin(world))
    strangers = []
    for who in (SUPERVISOR, KEEPER):
        actor = world.actor(who)
        other = {
            "authority_id": world.register.authorities["NL"] if actor.authority_id else None,
            "provider_id": world.register.providers["Norvik Mobile"] if actor.provider_id else None,
        }
        strangers.append(Actor(**{**vars(actor), **other}))
    with world.database.transaction() as session:
        for stranger in strangers:
            told = []
            for wanted in (row.id, uuid7()):
                row_of = Memorandum(id=wanted, terms=row.terms, reference=row.reference)
                row_of.edit, row_of.in_force_from, row_of.in_force_to = 1, row.in_force_from, None
                for act in acts(session, stranger, row_of, sha256, world):
                    with pytest.raises(NotFound) as refused:
                        act()
                    told.append(str(refused.value))
            assert len(set(told)) == 1


# Written


def test_both_sides_write_and_the_other_side_is_told(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, longest_days=120)
    write(world, draft, SUPERVISOR, answer="6 h")
    row, _ = seen(world, draft)
    terms = terms_from_json(row.terms)
    assert (terms.longest_days, terms.answer, row.edit) == (120, timedelta(hours=6), 3)
    assert row.changed_by == "Mariam Grigoryan, National 24/7 Contact Point"
    assert letters(world)[1:] == [
        ("register/memorandum_changed", "m.grigoryan@police.example"),
        ("register/memorandum_changed", "t.avagyan@meridian.example"),
    ]


def test_a_draft_that_is_written_all_day_is_told_of_once(world: World) -> None:
    draft = begin(world)
    for days in (120, 110, 100):
        write(world, draft, KEEPER, longest_days=days)
    assert len([name for name, _ in letters(world) if name.endswith("changed")]) == 1


def test_who_was_overtaken_changes_nothing(world: World) -> None:
    draft = begin(world)
    old, _ = seen(world, draft)
    write(world, draft, KEEPER, longest_days=120)
    with world.database.transaction() as session, pytest.raises(Overtaken, match="Tigran Avagyan"):
        memoranda.write(session, world.actor(SUPERVISOR), draft, data_of(old), old.edit, world.now)
    assert terms_from_json(seen(world, draft)[0].terms).longest_days == 120


def test_writing_the_same_again_voids_nothing(world: World) -> None:
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    write(world, draft, KEEPER)
    row, _ = seen(world, draft)
    assert (len(row.standing), row.edit) == (1, 1)


LADDER = Ladder((Rung(timedelta(0), Whom.EVERY_SPOC, (Channel.EMAIL,)),))


@pytest.mark.parametrize("what", ["term", "day", "reference", "ladder", "document"])
def test_any_change_voids_a_signature_and_tells_whoever_gave_it(world: World, what: str) -> None:
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    before, signed = seen(world, draft)
    changes: dict[str, dict[str, Any]] = {
        "term": {"extensions": 0},
        "day": {"in_force_from": "2026-12-24"},
        "reference": {"reference": "MoU-78"},
    }
    if what in changes:
        write(world, draft, KEEPER, **changes[what])
    else:
        with world.database.transaction() as session:
            actor, now = world.actor(KEEPER), world.now
            if what == "ladder":
                memoranda.set_ladder(session, actor, draft, Urgency.URGENT, LADDER, 1, now)
            else:
                memoranda.attach(session, actor, draft, "a.pdf", PDF, 1, now)
    row, sha256 = seen(world, draft)
    assert sha256 != signed
    assert row.standing == []
    assert row.signatures[0].voided_at == world.now
    assert row.edit == before.edit + 1
    assert letters(world)[-1] == ("register/memorandum_changed", "m.grigoryan@police.example")
    assert noted(world)[-2][1]["voided"] == ["Mariam Grigoryan"]


def test_another_reference_begins_its_own_count(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, reference="MoU-9")
    row, _ = seen(world, draft)
    assert (row.reference, row.version) == ("MoU-9", 1)
    write(world, draft, KEEPER, reference="MoU-CP-Meridian")
    assert seen(world, draft)[0].version == 2


def test_every_fault_is_named_at_once_and_nothing_is_written(world: World) -> None:
    draft = begin(world)
    with pytest.raises(Invalid) as refused:
        write(world, draft, KEEPER, longest_days=0, answer="soon", languages=[], reference="")
    assert sorted(fault.pointer for fault in refused.value.errors) == [
        "/answer",
        "/languages",
        "/longest_days",
        "/reference",
    ]
    assert seen(world, draft)[0].edit == 1


# The document


def test_the_document_is_kept_with_its_fingerprint_and_under_our_name(world: World) -> None:
    draft = begin(world)
    with world.database.transaction() as session:
        name = "../../etc/Unsere Vereinbarung\u202e.pdf"
        memoranda.attach(session, world.actor(KEEPER), draft, name, PDF, 1, world.now)
    with world.database.reading() as session:
        row = session.get_one(Memorandum, draft)
        assert row.document is not None
        assert row.document.content == PDF
        assert row.document.sha256 == hashlib.sha256(PDF).hexdigest()
        assert memoranda.document_name(row) == "memorandum-MoU-CP-Meridian-v2.pdf"


@pytest.mark.parametrize("content", [b"", b"<html>", b" %PDF-1.7", b"%PDF-" + b"x" * (10 << 20)])
def test_what_is_no_pdf_or_too_long_is_refused(world: World, content: bytes) -> None:
    draft = begin(world)
    with world.database.transaction() as session, pytest.raises(Invalid):
        memoranda.attach(session, world.actor(KEEPER), draft, "x.pdf", content, 1, world.now)
    assert seen(world, draft)[0].document is None


# Signed


def test_signed_by_both_it_is_agreed_and_both_organisations_find_it(world: World) -> None:
    draft = begin(world)
    _, sha256 = seen(world, draft)
    sign(world, draft, SUPERVISOR)
    assert standing(world, draft) is queries.Standing.DRAFT
    assert letters(world)[-1] == ("register/memorandum_signed", "t.avagyan@meridian.example")
    world.clock.move(days=1)
    sign(world, draft, KEEPER)
    row, after = seen(world, draft)
    assert (row.state, row.signed_on) == (MemorandumState.AGREED, date(2026, 11, 24))
    assert {(s.side, s.name, s.factor, s.sha256) for s in row.standing} == {
        (Side.AUTHORITY, "Mariam Grigoryan", "totp", sha256),
        (Side.PROVIDER, "Tigran Avagyan", "totp", sha256),
    }
    assert after == sha256
    agreed = [data for type_, data in noted(world) if type_ == "memorandum_agreed"]
    assert [data["sha256"] for data in agreed] == [sha256, sha256]
    assert {data["organisation"].partition(":")[0] for data in agreed} == {"authority", "provider"}
    assert sorted(to for name, to in letters(world) if name.endswith("agreed")) == [
        "m.grigoryan@police.example",
        "t.avagyan@meridian.example",
    ]


def test_a_stale_factor_signs_and_ends_nothing(world: World) -> None:
    draft = begin(world)
    row, sha256 = seen(world, draft)
    with world.database.transaction() as session:
        tired = world.actor(SUPERVISOR, fresh=False)
        with pytest.raises(StaleFactor):
            memorandum_signing.sign(session, tired, draft, sha256, row.edit, world.now)
        with pytest.raises(StaleFactor):
            memorandum_signing.end(
                session, tired, first_of(world), world.now.date(), "x", world.now
            )


def test_nobody_signs_what_they_have_not_seen(world: World) -> None:
    draft = begin(world)
    row, sha256 = seen(world, draft)
    actor = world.actor(SUPERVISOR)
    for shown in ("", "x", "é", sha256[:-1] + ("0" if sha256[-1] != "0" else "1")):
        with world.database.transaction() as session, pytest.raises(Overtaken):
            memorandum_signing.sign(session, actor, draft, shown, row.edit, world.now)
    write(world, draft, KEEPER, extensions=0)
    with world.database.transaction() as session, pytest.raises(Overtaken):
        memorandum_signing.sign(session, actor, draft, sha256, row.edit, world.now)
    assert seen(world, draft)[0].signatures == []


def test_one_side_signs_once(world: World) -> None:
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    with pytest.raises(AlreadyDone):
        sign(world, draft, SUPERVISOR)
    assert len(seen(world, draft)[0].signatures) == 1


def test_what_binds_backwards_cannot_be_signed(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-11-23")
    sign(world, draft, SUPERVISOR)
    world.clock.move(days=1)
    with pytest.raises(Invalid, match="problem") as refused:
        sign(world, draft, KEEPER)
    assert [fault.pointer for fault in refused.value.errors] == ["/in_force_from"]
    assert "Move it to today or later" in refused.value.errors[0].detail
    write(world, draft, KEEPER, in_force_from="2026-11-24")
    agree(world, draft)
    assert standing(world, draft) is queries.Standing.IN_FORCE


def test_a_ladder_that_reaches_nobody_is_not_signed(world: World) -> None:
    draft = begin(world)
    with world.database.transaction() as session:
        for contact in session.scalars(select(Contact).where(Contact.email.like("fallback@%"))):
            contact.email_verified_at = contact.phone_verified_at = None
    with pytest.raises(Invalid) as refused:
        sign(world, draft, SUPERVISOR)
    assert {f.pointer.split("/")[1] for f in refused.value.errors} == {"ladders"}
    assert len(refused.value.errors) == 3
    assert seen(world, draft)[0].signatures == []


def test_a_rung_names_nobody_of_another_provider(world: World) -> None:
    draft = begin(world)
    row, _ = seen(world, draft)
    with world.database.reading() as session:
        stranger = session.scalars(
            select(Contact).where(Contact.provider_id == world.register.providers["Norvik Mobile"])
        ).first()
    assert stranger is not None
    rung = Rung(timedelta(0), Whom.NAMED, (Channel.EMAIL,), str(stranger.id))
    actor, ladder = world.actor(SUPERVISOR), Ladder((rung,))
    with world.database.transaction() as session, pytest.raises(Invalid) as refused:
        memoranda.set_ladder(session, actor, draft, Urgency.URGENT, ladder, row.edit, world.now)
    assert [fault.pointer for fault in refused.value.errors] == ["/rungs/0/contact"]
    assert seen(world, draft)[0].edit == row.edit


def test_agreed_text_is_never_changed(world: World) -> None:
    draft = begin(world)
    agree(world, draft)
    row, sha256 = seen(world, draft)
    with world.database.transaction() as session:
        for act in acts(session, world.actor(KEEPER), row, sha256, world)[:5]:
            with pytest.raises(NotNow):
                act()
    assert seen(world, draft)[1] == sha256


def together(*acts: Callable[[], object]) -> list[object]:
    """Does all at once; what each gave, or the refusal."""
    start, found = threading.Barrier(len(acts)), list[object]()

    def one(act: Callable[[], object]) -> None:
        start.wait()
        try:
            found.append(act())
        except LiaisonError as refused:
            found.append(refused)

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def signing(world: World, draft: UUID, by: str) -> Callable[[], object]:
    row, sha256 = seen(world, draft)

    def act() -> None:
        with world.database.transaction() as session:
            actor = world.actor(by)
            memorandum_signing.sign(session, actor, draft, sha256, row.edit, world.now)

    return act


def test_two_sides_that_sign_at_once_agree_once(world: World) -> None:
    draft = begin(world)
    found = together(signing(world, draft, SUPERVISOR), signing(world, draft, KEEPER))
    assert found == [None, None]
    row, _ = seen(world, draft)
    assert (row.state, len(row.signatures)) == (MemorandumState.AGREED, 2)
    assert [t for t, _ in noted(world)].count("memorandum_agreed") == 2


def test_two_of_one_side_that_sign_at_once_sign_once(world: World) -> None:
    draft = begin(world)
    found = together(*(signing(world, draft, SUPERVISOR) for _ in range(3)))
    assert sorted(type(f).__name__ for f in found) == ["AlreadyDone", "AlreadyDone", "NoneType"]
    assert len(seen(world, draft)[0].signatures) == 1


def test_a_signature_never_stands_under_a_text_that_was_changed_at_that_moment(
    world: World,
) -> None:
    draft = begin(world)
    together(
        signing(world, draft, SUPERVISOR), lambda: write(world, draft, KEEPER, longest_days=120)
    )
    row, sha256 = seen(world, draft)
    assert [s for s in row.standing if s.sha256 != sha256] == []


# In force, superseded, ended


def test_a_draft_binds_nobody_whatever_its_first_day(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-11-01", default_days=30)
    assert binding(world) == 1
    assert world.issue().terms == seen(world, first_of(world))[0].terms


def test_the_newer_version_takes_over_from_its_day_and_the_older_is_not_touched(
    world: World,
) -> None:
    first = first_of(world)
    old, _ = seen(world, first)
    draft = begin(world)
    assert binding(world) == 1, "a draft binds nobody"
    write(world, draft, KEEPER, in_force_from="2026-12-01", default_days=30)
    agree(world, draft)
    assert standing(world, draft) is queries.Standing.TO_COME
    assert binding(world) == 1
    world.clock.move(days=8)
    assert binding(world) == 2
    assert standing(world, first) is queries.Standing.SUPERSEDED
    now, _ = seen(world, first)
    assert (now.in_force_to, now.terms) == (old.in_force_to, old.terms)


def test_the_older_one_does_not_rise_again_when_the_newer_ends(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-12-01")
    agree(world, draft)
    world.clock.move(days=10)
    end(world, draft, world.now.date())
    world.clock.move(days=1)
    assert binding(world) is None
    assert standing(world, draft) is queries.Standing.ENDED
    assert standing(world, first_of(world)) is queries.Standing.SUPERSEDED


def test_one_ended_before_its_first_day_takes_nobodys_place(world: World) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-12-01")
    agree(world, draft)
    end(world, draft, date(2026, 11, 25))
    world.clock.move(days=30)
    assert standing(world, draft) is queries.Standing.CALLED_OFF
    assert standing(world, first_of(world)) is queries.Standing.IN_FORCE
    assert binding(world) == 1


def test_no_version_is_agreed_that_an_older_one_would_replace(world: World) -> None:
    second = begin(world)
    write(world, second, KEEPER, in_force_from="2027-03-01")
    agree(world, second)
    third = begin(world)
    for first_day in ("2027-01-01", "2027-03-01"):
        write(world, third, KEEPER, in_force_from=first_day)
        with pytest.raises(Invalid) as refused:
            sign(world, third, SUPERVISOR)
        assert "agreed already, begins on 2027-03-01" in refused.value.errors[0].detail
    end(world, second, world.now.date())
    agree(world, third)


def test_an_order_under_way_keeps_the_terms_it_was_issued_under(world: World) -> None:
    order = world.issue()
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-11-23", longest_days=30, default_days=30)
    agree(world, draft)
    assert binding(world) == 2
    kept = world.order(order.name)
    assert kept.terms is not None
    assert kept.terms["longest_days"] == 90
    assert kept.preserve_by == order.preserve_by
    end(world, draft, world.now.date())
    world.clock.move(days=2)
    assert world.order(order.name).terms == order.terms
    world.preserve(world.acknowledge(order), days=90)
    with pytest.raises(Invalid, match="memorandum"):
        world.issue()


def test_both_sides_are_told_of_the_end_and_orders_can_be_issued_on_the_last_day(
    world: World,
) -> None:
    first = first_of(world)
    end(world, first, date(2026, 11, 24), reason="Sold")
    assert sorted(letters(world)) == [
        ("register/memorandum_ended", "m.grigoryan@police.example"),
        ("register/memorandum_ended", "t.avagyan@meridian.example"),
    ]
    row, _ = seen(world, first)
    assert row.ended_by == "Tigran Avagyan, Meridian Telecom"
    assert (row.ended_why, row.in_force_to) == ("Sold", date(2026, 11, 24))
    world.clock.move(days=1)
    world.issue()
    world.clock.move(days=1)
    assert binding(world) is None


def test_where_nobody_can_sign_whoever_works_there_is_told_of_the_end(world: World) -> None:
    with world.database.reading() as session:
        row = session.scalars(
            select(Memorandum).where(
                Memorandum.provider_id == world.register.providers["Norvik Mobile"],
                Memorandum.authority_id == world.register.authorities["CP"],
            )
        ).one()
    end(world, row.id, world.now.date(), by=SUPERVISOR)
    with world.database.reading() as session:
        told = session.scalars(
            select(Message.address).where(Message.letter == "register/memorandum_ended")
        )
        assert "i.berg@norvik.example" in set(told)


@pytest.mark.parametrize(
    ("last", "reason", "pointers"),
    [
        (date(2026, 11, 22), "x", ["/last_day"]),
        (date(2028, 12, 31), "x", ["/last_day"]),
        (date(2029, 1, 1), "x", ["/last_day"]),
        (date(2026, 11, 22), " ", ["/last_day", "/reason"]),
    ],
)
def test_an_end_is_neither_past_nor_later_than_agreed(
    world: World, last: date, reason: str, pointers: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        end(world, first_of(world), last, reason=reason)
    assert [fault.pointer for fault in refused.value.errors] == pointers


def test_what_has_ended_is_not_ended_again(world: World) -> None:
    end(world, first_of(world), world.now.date())
    world.clock.move(days=1)
    with pytest.raises(NotNow, match="ended"):
        end(world, first_of(world), world.now.date())


# Who sees it


def test_a_draft_is_seen_by_both_parties_people_and_by_nobody_else(world: World) -> None:
    draft = begin(world)
    with world.database.reading() as session:
        for who in ("officer", "supervisor", "auditor", "administrator", "spoc", KEEPER):
            rows = queries.listed(session, world.actor(who), world.now.date()).rows
            assert rows[0].memorandum.id == draft, who
            assert rows[0].waits_for == list(Side)
        for who in ("foreign_officer", "norvik_spoc", "sevan_spoc"):
            rows = queries.listed(session, world.actor(who), world.now.date()).rows
            assert draft not in {row.memorandum.id for row in rows}
            with pytest.raises(NotFound):
                queries.find(session, world.actor(who), draft)
        with pytest.raises(Forbidden):
            queries.listed(session, world.actor("program"), world.now.date())


def test_another_authoritys_auditor_does_not_read_of_it(world: World) -> None:
    from liaison.queries import portal_log

    agree(world, begin(world))
    sought = portal_log.Sought(group=portal_log.Group.MEMORANDA)
    own = world.actor("auditor")
    other = Actor(**{**vars(own), "authority_id": world.register.authorities["NL"]})
    with world.database.reading() as session:
        assert portal_log.page(session, other, sought).lines == []
        told = [line.type for line in portal_log.page(session, own, sought).lines]
    assert told == [
        f"portal.memorandum_{what}" for what in ("agreed", "signed", "signed", "drafted")
    ]
    assert Role.AUDITOR in own.roles


@pytest.mark.one_database
def test_a_long_list_comes_in_pages_and_each_row_is_compared_with_its_own_pair_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.transaction() as session:
        first = session.get_one(Memorandum, first_of(world))
        source = {
            column.key: getattr(first.provider, column.key)
            for column in Provider.__table__.columns
            if column.key not in ("id", "name", "name_key")
        }
        more = [Provider(**{**source, "name": f"P{n:03}"}) for n in range(150)]
        session.add_all(more)
        session.flush()
        for one in more:
            session.add(
                Memorandum(
                    authority_id=first.authority_id,
                    provider_id=one.id,
                    reference="R",
                    version=1,
                    signed_on=first.signed_on,
                    in_force_from=first.in_force_from,
                    terms=first.terms,
                )
            )
    compared: list[Memorandum] = []
    real = queries.successor

    def counted(one: Memorandum, others: Iterable[Memorandum]) -> Memorandum | None:
        others = list(others)
        compared.extend(others)
        return real(one, others)

    monkeypatch.setattr(queries, "successor", counted)
    statements: list[str] = []
    with world.database.reading() as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        pages = [
            queries.listed(session, world.actor(SUPERVISOR), world.now.date(), page)
            for page in (1, 2, 99)
        ]
    assert [(found.page, found.pages, len(found.rows)) for found in pages] == [
        (1, 2, 100),
        (2, 2, 54),
        (2, 2, 54),
    ]
    names = [row.memorandum.provider.name for found in pages[:2] for row in found.rows]
    assert names == sorted(names, key=str.casefold)
    assert len(compared) == 100 + 54 + 54, "each with those of its own pair: itself, here"
    assert len(statements) <= 3 * 6


# Whoever left, and what goes with it


def leave(world: World, who: str, *, without: bool = False) -> None:
    """Somebody's account is disabled, or (``without``) they lose their role, beside the verbs."""
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person(who).id)
        if without:
            person.roles.clear()
        else:
            person.disabled_at = world.now


@pytest.mark.parametrize("without", [False, True])
def test_what_somebody_signed_who_left_is_no_agreement(world: World, without: bool) -> None:
    """Their side signs again; the other side's signature, given now, stands."""
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    leave(world, SUPERVISOR, without=without)
    sign(world, draft, KEEPER)
    row, _ = seen(world, draft)
    assert row.state is MemorandumState.DRAFT
    assert [signature.side for signature in row.standing] == [Side.PROVIDER]
    assert noted(world)[-1][1]["voided"] == ["Mariam Grigoryan"]


def test_whose_colleague_left_signs_in_their_place(world: World) -> None:
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    with world.database.transaction() as session:
        officer = session.get_one(Person, world.person("second_officer").id)
        officer.roles.append(PersonRole(role=Role.SUPERVISOR))
    leave(world, SUPERVISOR)
    stands_in = world.actor("second_officer")
    roles = frozenset({Role.SUPERVISOR})
    row, sha256 = seen(world, draft)
    with world.database.transaction() as session:
        signer = Actor(**{**vars(stands_in), "roles": roles})
        memorandum_signing.sign(session, signer, draft, sha256, row.edit, world.now)
    sign(world, draft, KEEPER)
    assert seen(world, draft)[0].state is MemorandumState.AGREED


@pytest.mark.parametrize("act", ["disable", "set_roles"])
def test_with_their_access_goes_what_they_signed_in_drafts_only(world: World, act: str) -> None:
    agreed = begin(world)
    agree(world, agreed)
    draft = begin(world)
    write(world, draft, SUPERVISOR, in_force_from="2027-03-01")
    sign(world, draft, SUPERVISOR)
    with world.database.transaction() as session:
        keeper, who = world.actor("administrator"), world.person(SUPERVISOR).id
        if act == "disable":
            people.disable(session, keeper, who, "Left", world.now)
        else:
            people.set_roles(session, keeper, who, ["officer"], "Moved", world.now)
    assert seen(world, draft)[0].standing == []
    assert len(seen(world, agreed)[0].standing) == 2


def test_drafts_that_come_and_go_all_day_are_told_of_once(world: World) -> None:
    for _ in range(3):
        draft = begin(world)
        with world.database.transaction() as session:
            memoranda.discard(session, world.actor(SUPERVISOR), draft, 1, world.now)
    assert [name for name, _ in letters(world)] == [
        "register/memorandum_drafted",
        "register/memorandum_discarded",
    ]
    world.clock.move(days=1)
    begin(world)
    assert letters(world)[-1][0] == "register/memorandum_drafted"
    assert len(letters(world)) == 3


def test_why_it_ended_stands_in_the_portal_and_in_no_letter(world: World) -> None:
    end(world, first_of(world), date(2026, 11, 24), reason="Call +374 99 000000 at once")
    with world.database.reading() as session:
        told = session.scalars(
            select(Message.params).where(Message.letter == "register/memorandum_ended")
        ).all()
    assert told
    assert "Call" not in json.dumps(told)


def test_the_document_of_a_discarded_draft_is_not_kept(world: World) -> None:
    draft = begin(world)
    with world.database.transaction() as session:
        actor = world.actor(KEEPER)
        memoranda.attach(session, actor, draft, "x.pdf", PDF, 1, world.now)
        memoranda.discard(session, actor, draft, 2, world.now)
    with world.database.reading() as session:
        assert session.get(MemorandumDocument, draft) is None


def test_a_contact_is_not_removed_beside_the_signature_that_counts_on_it(world: World) -> None:
    """Whoever signs waits for the removal, and is then told whom the ladder would not reach."""
    draft = begin(world)
    removed, signing = threading.Event(), threading.Event()

    def remove() -> None:
        with world.database.transaction() as session:
            provider = session.get_one(Provider, world.register.providers["Meridian Telecom"])
            contact_scope.hold(session, provider)
            for contact in provider.contacts:
                if contact.function is Function.FALLBACK:
                    contact.removed_at = world.now
            session.flush()
            removed.set()
            signing.wait(0.5)

    def put_under() -> None:
        removed.wait(5)
        sign(world, draft, SUPERVISOR)

    made = together(remove, put_under)
    assert [type(found) for found in made] == [type(None), Invalid]
