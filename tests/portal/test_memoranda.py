"""Memoranda through the pages: drafted, changed by both sides, signed, ended."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Channel, Function, MemorandumState, Urgency
from liaison.models import Memorandum
from liaison.services import memoranda
from tests.portal.filled import SignedIn, fields
from tests.services.test_ladder_check import WEEKDAYS
from tests.services.test_ladder_check import rota as of_duty
from tests.services.test_memoranda import PDF, agree, begin, end, first_of, seen, sign, write
from tests.world import World, submit

SUPERVISOR, KEEPER = "supervisor", "provider_administrator"


def words(html: str) -> str:
    """A page's text without its tags, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def filled(client: FlaskClient, path: str, **given: Any) -> MultiDict[str, str]:
    """The page's form with some fields typed over."""
    form = fields(client.get(path).text)
    for name, value in given.items():
        form.setlist(name.replace("__", "-"), value if isinstance(value, list) else [value])
    return form


def of(draft: UUID, act: str = "") -> str:
    return f"/memoranda/{draft}{act}"


def test_from_the_first_word_to_the_signatures(world: World, signed_in: SignedIn) -> None:
    ours, theirs = signed_in(SUPERVISOR), signed_in(KEEPER)
    partner = str(world.register.providers["Meridian Telecom"])
    answer = submit(ours, "/memoranda/new", {"partner": partner, "reference": ""})
    assert answer.status_code == 303
    path = answer.location
    page = words(theirs.get(path).text)
    assert "Memorandum MoU-CP-Meridian Draft" in page
    assert "To be signed by a supervisor of the contact point." in page

    form = filled(
        theirs, f"{path}/edit", longest_days="120", clocks__emergency__acknowledge="45 min"
    )
    assert theirs.post(f"{path}/edit", data=form).location == path
    form = filled(theirs, f"{path}/document/new")
    file = (io.BytesIO(PDF), "paper.pdf")
    sent = theirs.post(f"{path}/document/new", data={**form.to_dict(), "document": file})
    assert sent.location == path
    assert "120 at the longest" in words(ours.get(path).text)

    for client, waits in ((ours, "the provider"), (theirs, "")):
        check = client.get(f"{path}/sign")
        sha256 = fields(check.text)["sha256"]
        assert sha256 in words(check.text)
        assert client.post(f"{path}/sign", data=fields(check.text)).location == path
        listed = words(client.get("/memoranda").text)
        assert (f"Signature of {waits}" in listed) == bool(waits)
    shown = words(ours.get(path).text)
    assert "Agreed, not yet in force" in shown
    assert "Tigran Avagyan" in shown
    assert "with authenticator" in shown
    assert shown.count(sha256) == 2
    world.clock.set(world.now.replace(month=12, day=7))
    shown = words(signed_in(SUPERVISOR).get(path).text)
    assert "In force" in shown
    older = of(first_of(world))
    assert "Superseded by version 2" in words(signed_in(KEEPER).get(older).text)


def test_every_field_of_the_form_is_what_was_agreed(world: World, signed_in: SignedIn) -> None:
    draft = begin(world)
    before, sha256 = seen(world, draft)
    client = signed_in(KEEPER)
    form = filled(client, of(draft, "/edit"))
    assert client.post(of(draft, "/edit"), data=form).status_code == 303
    after, same = seen(world, draft)
    assert (after.edit, same) == (before.edit, sha256)


def test_holidays_that_are_not_known_here_are_told_before_anybody_relies_on_them(
    world: World, signed_in: SignedIn
) -> None:
    """A code of ISO 3166 that stands for no country, as a register may hold one."""
    draft, client = begin(world), signed_in(KEEPER)
    assert "are not known here" not in words(client.get(of(draft, "/edit")).text)
    with world.database.transaction() as session:
        session.get_one(Memorandum, draft).provider.country = "ZZ"
    form = filled(client, of(draft, "/edit"), observes_holidays="y")
    assert "(ZZ) are not known here" in words(client.get(of(draft, "/edit")).text)
    assert client.post(of(draft, "/edit"), data=form).status_code == 303
    assert "nothing waits for them" in words(client.get(of(draft)).text)


def test_hours_that_are_none_are_told_by_their_line(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(client, of(draft, "/edit"), office_hours="Mon-Fri 9:00-18:00\r\nSaturday")
    answer = client.post(of(draft, "/edit"), data=form)
    assert answer.status_code == 422
    assert "Line 2: Write days and hours" in words(answer.text)
    assert "Mon-Fri 9:00-18:00" in answer.text, "nothing typed is lost"


def test_the_form_changes_every_term(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(
        client,
        of(draft, "/edit"),
        reference="MoU-5",
        in_force_from="2026-12-24",
        in_force_to="2027-12-23",
        clocks__urgent__preserve="2 days 30 min",
        answer="90 min",
        clock_stops="y",
        ratification="1 day",
        default_days="60",
        extensions="0",
        categories=["subscriber"],
        target_types=["ip_address", "email"],
        issuers=["supervisor"],
        emergency_windows="Mon-Fri 8:00-20:00\r\nSat, 10:00 to 24:00",
        languages="HY, ru en",
        drills_a_year="12",
        office_hours="Mon-Thu 9:00-17:30\r\nFri, 09:00 to 24:00",
        observes_holidays="y",
        reply_acknowledges="y",
    )
    form.poplist("disposal_confirmation")
    assert client.post(of(draft, "/edit"), data=form).status_code == 303
    terms = terms_from_json(seen(world, draft)[0].terms)
    assert terms.languages == ("hy", "ru", "en")
    assert [w.closes for w in terms.emergency_windows] == ["20:00", "24:00"]
    assert (terms.clock_stops, terms.disposal_confirmation, terms.drills_a_year) == (
        True,
        False,
        12,
    )
    assert [w.closes for w in terms.office_hours] == ["17:30", "24:00"]
    assert terms.observes_holidays and terms.reply_acknowledges
    text = words(client.get(of(draft)).text)
    for said in (
        "Monday to Thursday, 09:00 to 17:30 (Asia/Yerevan) ; Friday, 09:00 to 24:00",
        "Closed on those of the provider’s country (AM)",
        "The answer “1” to a text message acknowledges receipt",
        "calls people at Meridian Telecom in its office hours only",
        "from 24 Dec 2026 to 23 Dec 2027",
        "Monday to Friday, 08:00 to 20:00",
        "The contact point answers within 1 h 30 min; the clock of a routine order stops",
        "Supervisor",
        "need not be confirmed",
        "12 a year",
    ):
        assert said in text, said


def test_nothing_typed_is_lost_by_an_error(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    given = {
        "reference": "<script>",
        "answer": "soon",
        "default_days": "many",
        "emergency_windows": "whenever",
        "clocks__routine__acknowledge": "60",
    }
    form = filled(client, of(draft, "/edit"), **given)
    answer = client.post(of(draft, "/edit"), data=form)
    assert answer.status_code == 422
    held = fields(answer.text)
    assert {name: held[name.replace("__", "-")] for name in given} == given
    assert "<script>" not in answer.text.partition("<main")[2].partition("<footer")[0]
    for place in ("reference", "answer", "default_days", "emergency_windows"):
        assert f'href="#{place}"' in answer.text
    assert 'href="#clocks-routine-acknowledge"' in answer.text
    assert seen(world, draft)[0].edit == 1


def test_a_form_without_its_fields_changes_nothing(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    whole = filled(client, of(draft, "/edit"))
    form = {name: whole[name] for name in ("csrf_token", "edit")}
    answer = client.post(of(draft, "/edit"), data=form)
    assert answer.status_code == 422
    assert "There are 1" in words(answer.text)
    assert seen(world, draft)[0].edit == 1


def test_who_was_overtaken_reads_so_and_keeps_what_was_typed(
    world: World, signed_in: SignedIn
) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(client, of(draft, "/edit"), answer="7 h")
    write(world, draft, SUPERVISOR, extensions=0)
    answer = client.post(of(draft, "/edit"), data=form)
    assert answer.status_code == 409
    assert "Mariam Grigoryan" in words(answer.text)
    held = fields(answer.text)
    assert held["answer"] == "7 h"
    assert client.post(of(draft, "/edit"), data=held).status_code == 303


@pytest.mark.parametrize("edit", [None, "", "x", "-1", "²", "1" * 5000])
@pytest.mark.parametrize("act", ["edit", "discard", "sign"])
def test_a_form_that_does_not_say_what_was_read_does_nothing(
    world: World, signed_in: SignedIn, act: str, edit: str | None
) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(client, of(draft, f"/{act}"))
    form.poplist("edit")
    if edit is not None:
        form["edit"] = edit
    assert client.post(of(draft, f"/{act}"), data=form).status_code == 409
    row, _ = seen(world, draft)
    assert (row.state, row.edit, row.signatures) == (MemorandumState.DRAFT, 1, [])


def test_what_was_changed_after_the_check_page_is_not_signed(
    world: World, signed_in: SignedIn
) -> None:
    draft, client = begin(world), signed_in(SUPERVISOR)
    form = filled(client, of(draft, "/sign"))
    write(world, draft, KEEPER, extensions=0)
    newer = filled(client, of(draft, "/sign"))
    answer = client.post(of(draft, "/sign"), data={**newer.to_dict(), "sha256": form["sha256"]})
    assert answer.status_code == 409
    assert "Nothing was signed" in words(answer.text)
    assert seen(world, draft)[0].signatures == []


def test_signing_and_ending_ask_for_a_fresh_code_and_come_back_with_what_was_read(
    world: World, signed_in: SignedIn
) -> None:
    draft, client = begin(world), signed_in(SUPERVISOR)
    form = filled(client, of(draft, "/sign"))
    world.clock.move(minutes=6)
    asked = client.post(of(draft, "/sign"), data=form)
    assert asked.location.startswith("/account/fresh")
    write(world, draft, KEEPER, extensions=0)
    back = submit(client, asked.location, {"code": world.unused_code(SUPERVISOR)})
    page = client.get(back.location)
    assert fields(page.text)["sha256"] == form["sha256"]
    assert client.post(of(draft, "/sign"), data=fields(page.text)).status_code == 409
    assert seen(world, draft)[0].signatures == []


def test_what_keeps_it_from_being_signed_stands_on_the_page(
    world: World, signed_in: SignedIn
) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-11-20")
    client = signed_in(SUPERVISOR)
    assert "nothing binds backwards" in words(client.get(of(draft)).text)
    page = client.get(of(draft, "/sign"))
    assert "It cannot be signed yet" in words(page.text)
    assert "Sign this text" not in page.text
    row, sha256 = seen(world, draft)
    form = {**filled(client, "/memoranda/new").to_dict(), "edit": row.edit, "sha256": sha256}
    answer = client.post(of(draft, "/sign"), data=form)
    assert answer.status_code == 422
    assert "nothing binds backwards" in words(answer.text)


def test_the_document_is_taken_away_as_a_file_by_both_parties_people_only(
    world: World, signed_in: SignedIn
) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    assert client.get(of(draft, "/document")).status_code == 404
    form = filled(client, of(draft, "/document/new")).to_dict()
    none = client.post(of(draft, "/document/new"), data=form)
    assert none.status_code == 422
    page = {**form, "document": (io.BytesIO(b"<html><script>"), "a.pdf", "application/pdf")}
    assert client.post(of(draft, "/document/new"), data=page).status_code == 422
    file = {**form, "document": (io.BytesIO(PDF + b"x" * 300_000), 'a"\r\nX: y.pdf')}
    assert client.post(of(draft, "/document/new"), data=file).status_code == 303
    for who in (SUPERVISOR, "officer", "spoc", "auditor"):
        got = signed_in(who).get(of(draft, "/document"))
        assert got.data == PDF + b"x" * 300_000
        assert got.mimetype == "application/pdf"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        name = 'attachment; filename="memorandum-MoU-CP-Meridian-v2.pdf"'
        assert got.headers["Content-Disposition"] == name
    for who in ("foreign_officer", "norvik_spoc"):
        assert signed_in(who).get(of(draft, "/document")).status_code == 404


@pytest.mark.one_database
def test_a_file_that_is_too_long_is_refused(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(client, of(draft, "/document/new")).to_dict()
    path = of(draft, "/document/new")
    a_little = upload(client, path, form, PDF + b"x" * (10 << 20))
    assert a_little.status_code == 422
    assert "at most 10 MB" in words(a_little.text)
    assert upload(client, path, form, PDF + b"x" * (11 << 20)).status_code == 413


def upload(client: FlaskClient, path: str, form: dict[str, str], content: bytes) -> TestResponse:
    """Sends a long file as a browser would; the test client would leave its copy open."""
    parts = [
        f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    ]
    head = '--part\r\nContent-Disposition: form-data; name="document"; filename="a.pdf"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + b"\r\n--part--\r\n"
    return client.post(path, data=body, content_type="multipart/form-data; boundary=part")


def test_ending_it(world: World, signed_in: SignedIn) -> None:
    first, client = first_of(world), signed_in(KEEPER)
    form = filled(client, of(first, "/end"), last_day="soon", reason="We part.")
    answer = client.post(of(first, "/end"), data=form)
    assert answer.status_code == 422
    held = fields(answer.text)
    assert (held["last_day"], held["reason"]) == ("soon", "We part.")
    assert "Enter the last day in force" in words(answer.text)
    held["last_day"] = "2026-11-30"
    assert client.post(of(first, "/end"), data=held).location == of(first)
    page = words(client.get(of(first)).text)
    assert "Ended by Tigran Avagyan, Meridian Telecom" in page
    assert "to 30 Nov 2026" in page


def test_discarding_it(world: World, signed_in: SignedIn) -> None:
    draft, client = begin(world), signed_in(KEEPER)
    form = filled(client, of(draft, "/discard"))
    assert client.post(of(draft, "/discard"), data=form).location == "/memoranda"
    assert "version 2" not in words(client.get("/memoranda").text)
    assert "Discarded" in words(client.get(of(draft)).text)
    for act in ("edit", "sign", "discard", "document/new"):
        page = client.get(of(draft, f"/{act}"))
        assert page.status_code == 409
        assert "was discarded" in words(page.text)


def test_whoever_only_reads_sees_no_buttons(world: World, signed_in: SignedIn) -> None:
    draft = begin(world)
    for who in ("officer", "auditor", "administrator", "spoc"):
        client = signed_in(who)
        for path in (of(draft), of(first_of(world)), "/memoranda"):
            page = client.get(path)
            assert page.status_code == 200
            for act in ("/edit", "/sign", "/end", "/discard", "/document/new", "/memoranda/new"):
                assert f'{act}"' not in page.text, (who, path, act)


def test_a_draft_never_looks_like_something_that_binds(world: World, signed_in: SignedIn) -> None:
    with world.database.transaction() as session:
        for one in session.scalars(select(Memorandum)):
            session.delete(one)
    draft = begin(world, reference="MoU-1")
    write(world, draft, KEEPER, in_force_from="2026-11-01")
    client = signed_in("officer")
    meridian = world.register.providers["Meridian Telecom"]
    assert "In force" not in words(client.get("/providers").text)
    page = words(client.get(f"/providers/{meridian}").text)
    assert "No order can be issued" in page
    assert "MoU-1" not in page
    assert "No memorandum in force" in words(client.get(f"/providers/{meridian}/memorandum").text)
    assert "police.example" not in words(signed_in("spoc").get("/contacts").text)


def test_a_superseded_one_is_not_shown_as_in_force(world: World, signed_in: SignedIn) -> None:
    draft = begin(world)
    write(world, draft, KEEPER, in_force_from="2026-11-23")
    agree(world, draft)
    client = signed_in("officer")
    meridian = world.register.providers["Meridian Telecom"]
    page = words(client.get(f"/providers/{meridian}").text)
    assert page.count("Superseded") == 1
    end(world, draft, date(2026, 11, 23))
    world.clock.move(days=1)
    client = signed_in("officer")
    assert "No order can be issued" in words(client.get(f"/providers/{meridian}").text)
    assert words(client.get("/providers").text).count("None in force") == 1


def test_hostile_names_are_shown_and_do_nothing(world: World, signed_in: SignedIn) -> None:
    first = first_of(world)
    end(world, first, date(2026, 11, 30), reason="<script>alert(1)</script>")
    page = signed_in("officer").get(of(first)).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_log_tells_it(world: World, signed_in: SignedIn) -> None:
    draft = begin(world)
    sign(world, draft, SUPERVISOR)
    write(world, draft, KEEPER, extensions=0)
    agree(world, draft)
    text = words(signed_in("auditor").get("/portal-log?group=memoranda").text)
    which = "Memorandum MoU-CP-Meridian, version 2,"
    for said in ("was begun as a draft", "was changed as a draft: terms", "was agreed by both"):
        assert text.count(f"{which} {said}") == 1, said
    assert "The signature of Mariam Grigoryan counts no longer." in text


PAGES = [
    "",
    "/sign",
    "/compare",
    "/ladders/emergency",
    "/ladders/routine",
    "/what-if",
    "/what-if?urgency=routine",
    "/what-if?urgency=emergency&at=2026-11-28+02:14",
]


def unsolicited(world: World) -> UUID:
    """A draft with an authority that has agreed nothing with the provider, whose rota has gaps."""
    rota = of_duty(Function.DUTY_OFFICER, side="authority", windows=[WEEKDAYS])
    with world.database.transaction() as session:
        first = session.get_one(Memorandum, first_of(world))
        rota(session, first)
        session.delete(first)
    return begin(world, KEEPER)


def rungs_of(world: World, draft: UUID, session: Session) -> list[str]:
    """Contacts of the authority, by id; the supervisor's is not verified any more."""
    row = session.get_one(Memorandum, draft)
    for contact in row.authority.contacts:
        if contact.function is Function.SUPERVISOR:
            contact.email_verified_at = contact.phone_verified_at = None
    return [str(contact.id) for contact in row.authority.contacts]


def test_an_unsolicited_draft_opens_nobodys_duty_book(world: World, signed_in: SignedIn) -> None:
    """Whoever drafts alone reads the authority's functions, no name and no hour of a gap."""
    draft = unsolicited(world)
    with world.database.transaction() as session:
        duty, top = rungs_of(world, draft, session)
    ladder = Ladder(
        (
            Rung(timedelta(0), Whom.NAMED, (Channel.CALL,), contact=duty),
            Rung(timedelta(minutes=5), Whom.NAMED, (Channel.CALL,), contact=top),
            Rung(timedelta(minutes=9), Whom.DUTY_OFFICER, (Channel.EMAIL,)),
        )
    )
    with world.database.transaction() as session:
        keeper = world.actor(KEEPER)
        memoranda.set_ladder(session, keeper, draft, Urgency.EMERGENCY, ladder, 1, world.now)
    theirs = signed_in(KEEPER)
    told = {page: words(theirs.get(of(draft, page)).text) for page in PAGES}
    for page, text in told.items():
        assert "police.example" not in text, page
        assert "Saturday" not in text, page
    assert "Duty officer of National 24/7 Contact Point" in told[""]
    assert (
        "would reach nobody at some hours. National 24/7 Contact Point must see to it" in told[""]
    )
    assert "Duty officer of National 24/7 Contact Point" in told["/ladders/emergency"]
    assert "people of National 24/7 Contact Point (named once" in told["/what-if"]
    form = filled(theirs, of(draft, "/sign"), sha256=seen(world, draft)[1], edit="2")
    refused = theirs.post(of(draft, "/sign"), data=form)
    assert refused.status_code == 422
    assert "police.example" not in words(refused.text)
    assert "police.example" in words(signed_in(SUPERVISOR).get(of(draft)).text)


def test_once_the_authority_writes_the_draft_its_people_are_named(
    world: World, signed_in: SignedIn
) -> None:
    draft = unsolicited(world)
    write(world, draft, KEEPER, longest_days=100)
    assert "police.example" not in words(signed_in(KEEPER).get(of(draft)).text)
    write(world, draft, SUPERVISOR, longest_days=120)
    for page in ("", "/ladders/emergency", "/what-if"):
        assert "police.example" in words(signed_in(KEEPER).get(of(draft, page)).text), page


def test_once_something_is_agreed_a_new_draft_names_both_sides(
    world: World, signed_in: SignedIn
) -> None:
    draft = begin(world, KEEPER)
    for page in ("", "/ladders/emergency", "/what-if"):
        assert "police.example" in words(signed_in(KEEPER).get(of(draft, page)).text), page
