"""A ladder edited as a list: rows come and go, nothing typed is lost, faults are told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from liaison.domain.ladder import Ladder, Whom
from liaison.domain.ladder_entry import MOST_RUNGS
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Function, Urgency
from liaison.models import Contact, Memorandum
from liaison.services import memoranda as verbs
from tests.portal.filled import SignedIn, fields
from tests.portal.test_memoranda import filled, words
from tests.world import World

pytestmark = pytest.mark.one_database

KEEPER, SUPERVISOR = "provider_administrator", "supervisor"


@pytest.fixture
def draft(world: World) -> UUID:
    """The next version between the contact point and Meridian Telecom."""
    with world.database.transaction() as session:
        side = {"provider_id": str(world.register.providers["Meridian Telecom"])}
        return verbs.draft(session, world.actor(SUPERVISOR), side, world.now).id


def path(draft: UUID, urgency: str = "emergency") -> str:
    return f"/memoranda/{draft}/ladders/{urgency}"


def act(client: FlaskClient, draft: UUID, button: str, form: MultiDict[str, str]) -> str:
    """Presses a button that is not the last one; the page that comes back."""
    answer = client.post(path(draft), data={**form.to_dict(flat=False), "act": button})
    assert answer.status_code == 200
    return answer.text


def our_noc(world: World, session: Session) -> Contact:
    """Meridian Telecom's network operations centre."""
    return session.scalars(
        select(Contact).where(
            Contact.provider_id == world.register.providers["Meridian Telecom"],
            Contact.function == Function.NOC,
        )
    ).one()


def kept(world: World, draft: UUID, urgency: Urgency = Urgency.EMERGENCY) -> Ladder:
    """The ladder as it is stored."""
    with world.database.reading() as session:
        return terms_from_json(session.get_one(Memorandum, draft).terms).ladders[urgency]


def column(html: str, name: str) -> list[str]:
    """One field of all rungs, from the top."""
    form = fields(html)
    found = []
    for index in range(MOST_RUNGS + 1):
        if f"rungs-{index}-after" in form:
            found.append("+".join(form.getlist(f"rungs-{index}-{name}")))
    return found


def test_a_ladder_is_changed_and_kept(world: World, signed_in: SignedIn, draft: UUID) -> None:
    """Two times and the pages at the top, by the provider's administrator."""
    client = signed_in(KEEPER)
    form = filled(client, path(draft), rungs__1__after="10", page_every="20", act="save")
    answer = client.post(path(draft), data=form)
    assert (answer.status_code, answer.location) == (
        303,
        f"/memoranda/{draft}#ladder-emergency",
    )
    ladder = kept(world, draft)
    assert [r.after.total_seconds() / 60 for r in ladder.rungs] == [0, 10, 30, 45]
    assert ladder.page_every.total_seconds() == 1200


def test_rows_come_and_go_and_nothing_typed_is_lost(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """Also what no ladder can be made of; nothing is stored by it."""
    client = signed_in(SUPERVISOR)
    before = kept(world, draft)
    form = filled(client, path(draft), rungs__1__after="soon", rungs__1__repeats="99")
    html = act(client, draft, "add-rung", form)
    assert column(html, "after") == ["0", "soon", "30", "45", ""]
    html = act(client, draft, "remove-rung-2", fields(html))
    assert column(html, "after") == ["0", "soon", "45", ""]
    assert column(html, "whom") == ["on_duty", "every_spoc", "duty_officer", "on_duty"]
    assert column(html, "repeats")[1] == "99"
    assert kept(world, draft) == before


def test_earlier_and_later_exchange_whom_is_called_and_leave_the_times(
    signed_in: SignedIn, draft: UUID
) -> None:
    """A list that is sorted by time has no other order."""
    client = signed_in(SUPERVISOR)
    html = act(client, draft, "up-rung-1", fields(client.get(path(draft)).text))
    assert column(html, "whom")[:3] == ["every_spoc", "on_duty", "fallback"]
    assert column(html, "channels")[:2] == ["email", "email+call"]
    html = act(client, draft, "down-rung-1", fields(html))
    assert column(html, "whom")[:3] == ["every_spoc", "fallback", "on_duty"]
    assert column(html, "after") == ["0", "15", "30", "45"]
    for out_of_range in ("up-rung-0", "down-rung-3", "remove-rung-9", "up-rung-99"):
        same = act(client, draft, out_of_range, fields(html))
        assert column(same, "whom") == column(html, "whom")


def test_a_rung_that_names_one_of_the_two_sides_contacts(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """They are offered by name; nobody else's contact is taken."""
    client = signed_in(KEEPER)
    with world.database.reading() as session:
        own = our_noc(world, session)
        other = session.scalars(
            select(Contact).where(Contact.provider_id == world.register.providers["Norvik Mobile"])
        ).first()
        assert other is not None
        ours, theirs, name = str(own.id), str(other.id), other.name
    page = client.get(path(draft)).text
    assert "Network operations centre at meridian.example" in page
    assert name not in page
    named: dict[str, Any] = {"rungs__0__whom": "named", "act": "save"}
    refused = client.post(
        path(draft), data=filled(client, path(draft), rungs__0__contact=theirs, **named)
    )
    assert refused.status_code == 422
    assert "Choose one of the two sides’ contacts." in words(refused.text)
    assert name not in refused.text
    taken = filled(client, path(draft), rungs__0__contact=ours, **named)
    assert client.post(path(draft), data=taken).status_code == 303
    rung = kept(world, draft).rungs[0]
    assert (rung.whom, rung.contact) == (Whom.NAMED, ours)


def test_every_fault_stands_beside_its_field(signed_in: SignedIn, draft: UUID) -> None:
    """And in the summary, with a link."""
    client = signed_in(SUPERVISOR)
    form = filled(
        client,
        path(draft),
        rungs__0__after="-5",
        rungs__2__repeats="21",
        page_every="1",
        act="save",
    )
    answer = client.post(path(draft), data=form)
    assert answer.status_code == 422
    for field in ("rungs-0-after", "rungs-2-repeats", "page_every"):
        assert f'href="#{field}"' in answer.text
    assert "There are 3 problems" in answer.text


def test_what_stands_in_the_way_is_said_of_what_is_typed(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """Before anything is stored; it can be kept all the same, for it is a draft."""
    with world.database.transaction() as session:
        noc = our_noc(world, session)
        noc.email_verified_at = noc.phone_verified_at = None
        chosen = str(noc.id)
    client = signed_in(SUPERVISOR)
    page = client.get(path(draft)).text
    assert "reaches somebody at every hour of the week" in page
    form = filled(client, path(draft), rungs__0__whom="named", rungs__0__contact=chosen)
    html = act(client, draft, "redraw", form)
    told = words(html)
    assert "Emergency: rung 1 (Named contact, at once) would reach nobody." in told
    assert "Network operations centre at meridian.example" in told
    assert "not verified" in told
    form.setlist("act", ["save"])
    assert client.post(path(draft), data=form).status_code == 303
    assert "would reach nobody" in words(client.get(f"/memoranda/{draft}").text)


def test_the_picture_is_drawn_anew(signed_in: SignedIn, draft: UUID) -> None:
    """A mark for each rung that can be read, the pages at the top and each repeat."""
    client = signed_in(SUPERVISOR)
    first = client.get(path(draft)).text
    assert first.count('class="rungdot"') == 5
    form = filled(
        client, path(draft), rungs__0__repeats="2", rungs__0__every="4", rungs__3__after="late"
    )
    html = act(client, draft, "redraw", form)
    assert html.count('class="rungdot"') == 4
    assert html.count('y1="8" y2="18"') == 2
    assert "Rungs that are not filled in yet are left out." in html


def test_whoever_was_overtaken_keeps_what_they_typed(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """And is told who it was; sent again it takes the newer one's place."""
    ours, theirs = signed_in(SUPERVISOR), signed_in(KEEPER)
    slow = filled(ours, path(draft), rungs__1__after="12", act="save")
    quick = filled(theirs, path(draft), rungs__1__after="13", act="save")
    assert theirs.post(path(draft), data=quick).status_code == 303
    answer = ours.post(path(draft), data=slow)
    assert answer.status_code == 409
    assert "Tigran Avagyan" in words(answer.text)
    assert column(answer.text, "after")[1] == "12"
    again = fields(answer.text)
    again.setlist("act", ["save"])
    assert ours.post(path(draft), data=again).status_code == 303
    assert kept(world, draft).rungs[1].after.total_seconds() == 720


def test_a_ladder_of_twenty_rungs_fits_and_one_more_does_not(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """The button goes; who sends more is told."""
    client = signed_in(SUPERVISOR)
    form = fields(client.get(path(draft)).text)
    for index in range(MOST_RUNGS):
        row = {"after": str(index), "whom": "on_duty", "contact": "", "repeats": "0", "every": ""}
        for name, value in row.items():
            form.setlist(f"rungs-{index}-{name}", [value])
        form.setlist(f"rungs-{index}-channels", ["email", "call"])
    html = act(client, draft, "add-rung", form)
    assert len(column(html, "after")) == MOST_RUNGS
    assert "Add a rung" not in html
    form.setlist("act", ["save"])
    assert client.post(path(draft), data=form).status_code == 303
    assert len(kept(world, draft).rungs) == MOST_RUNGS
    form.setlist(f"rungs-{MOST_RUNGS}-after", ["1"])
    answer = client.post(path(draft), data=form)
    assert answer.status_code == 422
    assert "at most 20 rungs. There are 21." in words(answer.text)


def test_only_drafts_of_ones_own_and_known_urgencies(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """What both sides signed is never changed."""
    client = signed_in(SUPERVISOR)
    assert client.get(path(draft, "leisurely")).status_code == 404
    assert signed_in("norvik_spoc").get(path(draft)).status_code == 403
    assert signed_in("officer").get(path(draft)).status_code == 403
    with world.database.reading() as session:
        agreed = session.scalars(
            select(Memorandum.id).where(
                Memorandum.authority_id == world.register.authorities["CP"],
                Memorandum.provider_id == world.register.providers["Norvik Mobile"],
            )
        ).one()
    assert client.get(path(agreed)).status_code == 409


def test_several_ways_are_kept_and_one_without_a_gateway_is_told(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """No obstacle: a carrier may come later, and until then a call task opens."""
    client = signed_in(KEEPER)
    form = filled(client, path(draft))
    form.setlist("rungs-0-channels", ["text", "email", "voice"])
    form.setlist("rungs-1-channels", ["text"])
    page = act(client, draft, "redraw", form)
    told = words(page)
    assert "Rung 1 uses text message and automatic call, and this installation has no" in told
    assert "Rung 2 uses text message, and this installation has no gateway. Nothing else" in told
    assert "is not to be reached by text message" in told, "no contact has chosen it"
    with world.database.transaction() as session:
        for contact in session.scalars(select(Contact)):
            contact.channels = ["email", "text", "call"]
    assert "would reach nobody" not in words(act(client, draft, "redraw", form))
    sent = client.post(path(draft), data={**form.to_dict(flat=False), "act": "save"})
    assert sent.status_code == 303
    ways = [[way.value for way in rung.channels] for rung in kept(world, draft).rungs[:2]]
    assert ways == [["email", "text", "voice"], ["text"]]
