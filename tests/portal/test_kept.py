"""What was typed into a form when the session ran out is there again after signing in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from liaison.models import KeptForm, Order, Person
from liaison.services import guards, housekeeping, kept_forms
from liaison.services import orders as verbs
from tests.portal.filled import SignedIn, fields, typed
from tests.register import PASSWORD
from tests.world import MovableClock, World, csrf_token, submit

pytestmark = pytest.mark.one_database

LINE = "You were signed out; this is what you had typed. Nothing was sent."
TYPED = {
    "provider": "Meridian Telecom",
    "investigating_authority-case_number": "MP-2026-0231",
    "offence": "Abduction <of> a “minor”",
    "facts": "Line one.\r\nLine two & three.",
    "targets-0-value": "198.51.100.24",
    "targets-0-start": "2026-11-23 01:10",
    "targets-0-categories": ["subscriber", "content"],
    "targets-1-value": "+37491000118",
    "targets-2-value": "someone@example.org",
    "targets-2-relation": "The suspect's",
}


def kept_rows(world: World) -> list[KeptForm]:
    with world.database.reading() as session:
        return list(session.scalars(select(KeptForm)))


def three_targets(client: FlaskClient) -> TestResponse:
    page = client.get("/orders/new?urgency=emergency")
    page = client.post("/orders/new", data=typed(page.text, {}, "add-target"))
    return client.post("/orders/new?urgency=emergency", data=typed(page.text, {}, "add-target"))


def sign_in_on(client: FlaskClient, world: World, location: str, who: str) -> TestResponse:
    """Signs in by the pages, from where the answer led; gives the answer that leads on."""
    target = parse_qs(urlsplit(location).query)["next"][0]
    page = client.get(location)
    given = {"email": world.person(who).email, "password": PASSWORD, "next": target}
    answer = client.post("/login", data={"csrf_token": csrf_token(page), **given})
    code = {"code": world.unused_code(who), "next": target}
    return submit(client, answer.location, code, to="/login/code")


def idle(world: World, _client: FlaskClient) -> None:
    world.clock.move(hours=1, seconds=1)


def whole(world: World, client: FlaskClient) -> None:
    for _ in range(13):
        world.clock.move(minutes=58)
        client.get("/account")


def ended_elsewhere(world: World, _client: FlaskClient) -> None:
    from liaison.models import SignIn

    with world.database.transaction() as session:
        session.execute(update(SignIn).values(ended_at=world.now))


@pytest.mark.parametrize("end", [idle, whole, ended_elsewhere])
def test_a_long_form_is_whole_again_after_signing_in_again(
    world: World, signed_in: SignedIn, end: Callable[[World, FlaskClient], None]
) -> None:
    client = signed_in("officer")
    form = typed(three_targets(client).text, TYPED)
    end(world, client)

    answer = client.post("/orders/new?urgency=emergency", data=form)
    assert answer.status_code == 303
    back = sign_in_on(client, world, answer.location, "officer")
    assert back.location.startswith("/orders/new?urgency=emergency&kept=")
    page = client.get(back.location)

    assert page.status_code == 200
    assert LINE in page.text
    held, sent = fields(page.text), form
    for name in sent:
        if name not in ("csrf_token", "act", "next"):
            assert [t.replace("\r\n", "\n") for t in held.getlist(name)] == [
                t.replace("\r\n", "\n") for t in sent.getlist(name)
            ], name
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0, "nothing was sent"
    sent_again = client.post(back.location, data=typed(page.text, {}))
    assert sent_again.status_code == 422, "a ground and two dates are missing still"
    assert len(kept_rows(world)) == 1
    rest = {f"targets-{n}-start": "2026-11-23 01:10" for n in (1, 2)}
    rest["emergency_ground"] = "Risk to the life of a child."
    sent_again = client.post(back.location, data=typed(sent_again.text, rest))
    assert sent_again.status_code == 303
    assert len(world.order(sent_again.location.split("/")[2]).targets) == 3
    assert kept_rows(world) == [], "once it was taken nothing of it is kept"


def test_another_person_gets_nothing_of_it(world: World, signed_in: SignedIn, app: Flask) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, TYPED)
    idle(world, client)
    answer = client.post("/orders/new", data=form)
    back = sign_in_on(client, world, answer.location, "second_officer")
    page = client.get(back.location)
    assert page.status_code == 200
    assert "MP-2026-0231" not in page.text
    assert LINE not in page.text
    own = app.test_client()
    world.sign_in(own, "officer")
    assert "MP-2026-0231" in own.get(back.location).text
    elsewhere = back.location.replace("/orders/new", f"/orders/{world.draft().name}/edit")
    assert "someone@example.org" not in own.get(elsewhere).text, "it is no other form's"


def test_it_is_kept_sealed_and_without_what_proves_who_somebody_is(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    order = world.draft()
    form = typed(client.get(f"/orders/{order.name}/issue").text, {"code": "123456"})
    more = {"password": "a", "new_password": "b", "codes": "c", "recovery_code": "d", "x!": "e"}
    idle(world, client)
    answer = client.post(f"/orders/{order.name}/issue", data=form | more)
    assert answer.status_code == 303
    (row,) = kept_rows(world)
    assert "version" not in row.sealed
    with world.database.reading() as session:
        kept = kept_forms.take(
            session, world.vault, row.id, world.person("officer").id, row.path, world.now
        )
    assert kept is not None
    # ``next`` is the theme form's, which stands on the same page.
    # Each form of the page has a version; read together they come more than once.
    assert {pair for pair in kept.fields if pair[0] != "next"} == {("version", str(order.version))}


def test_an_act_on_an_order_comes_back_too(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/decline"
    changes = {"grounds": ["not_our_customer"], "explanation": "We have no such line."}
    form = typed(client.get(path).text, changes)
    idle(world, client)
    answer = client.post(path, data=form)
    page = client.get(sign_in_on(client, world, answer.location, "spoc").location)
    assert fields(page.text)["explanation"] == "We have no such line."


def test_a_button_without_a_page_of_its_own_leads_to_the_first_page(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/account")
    idle(world, client)
    data = {"csrf_token": csrf_token(page), "theme": "night"}
    assert client.post("/account/theme", data=data).location == "/login"
    assert kept_rows(world) == []


def test_nothing_is_kept_for_who_was_disabled_or_is_unknown(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, TYPED)
    with world.database.transaction() as session:
        session.execute(update(Person).values(disabled_at=world.now))
    assert client.post("/orders/new", data=form).location == "/login?next=/orders/new"
    client.delete_cookie("liaison")
    answer = client.post("/orders/new", data=form)
    assert answer.status_code == 400
    assert "Go back: your browser still holds what you typed." in answer.text
    assert kept_rows(world) == []


def test_a_form_of_an_earlier_session_is_shown_again_where_our_own_page_sent_it(
    world: World, signed_in: SignedIn
) -> None:
    """Signed in again in another window: the token is worth nothing, the typing is not lost."""
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, TYPED)
    world.clock.move(hours=2)
    world.sign_in(client, "officer")
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert client.post("/orders/new", data=form, headers=site).status_code == 400
    assert kept_rows(world) == []
    answer = client.post("/orders/new", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert LINE in page.text
    assert fields(page.text)["targets-2-value"] == "someone@example.org"
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_form_beyond_all_measure_is_not_kept_and_says_so(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, {"facts": "x" * (513 * 1024)})
    rows = typed(
        client.get("/orders/new").text, {f"legal_basis-{n}-articles": "16" for n in range(1001)}
    )
    idle(world, client)
    for sent in (form, rows):
        answer = client.post("/orders/new", data=sent)
        assert answer.status_code == 400
        assert "too long to be kept" in answer.text
    assert kept_rows(world) == []


def test_ten_forms_are_kept_for_half_a_day(world: World) -> None:
    one, other = world.person("officer").id, world.person("spoc").id

    def keep(person: Any, text: str) -> Any:
        world.clock.move(seconds=1)
        with world.database.transaction() as session:
            return kept_forms.keep(
                session, world.vault, person, "/orders/new", [("facts", text)], world.now
            )

    def take(kept: Any, person: Any = one) -> Any:
        with world.database.reading() as session:
            return kept_forms.take(session, world.vault, kept, person, "/orders/new", world.now)

    theirs = keep(other, "theirs")
    mine = [keep(one, str(n)) for n in range(12)]
    assert [take(kept) is not None for kept in mine] == [False] * 2 + [True] * 10
    assert take(theirs, other) is not None
    world.clock.move(hours=11, minutes=59)
    assert take(mine[-1]) is not None
    world.clock.move(minutes=1)
    assert take(mine[-1]) is None
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now + timedelta(seconds=20))
    assert kept_rows(world) == []


def test_what_needs_a_fresh_code_is_kept_while_the_code_is_given(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
) -> None:
    withdraw = verbs.withdraw

    def guarded(session: Any, actor: Any, *rest: Any, **more: Any) -> Any:
        guards.fresh_factor(actor, clock.now())
        return withdraw(session, actor, *rest, **more)

    monkeypatch.setattr(verbs, "withdraw", guarded)
    order = world.issue()
    client = signed_in("officer")
    world.clock.move(minutes=6)
    path = f"/orders/{order.name}/withdraw"
    form = typed(client.get(path).text, {"reason": "The child is found."})
    asked = client.post(path, data=form)
    assert asked.status_code == 303
    assert asked.location.startswith(f"/account/fresh?next={path}?kept")
    page = client.get(asked.location)
    assert "Give a fresh code" in page.text
    wrong = submit(client, asked.location, {"code": "000000"})
    assert wrong.status_code == 401
    answer = submit(client, asked.location, {"code": world.unused_code("officer")})
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert "Your code counts now" in page.text
    assert fields(page.text)["reason"] == "The child is found."
    assert world.order(order.name).state.value == "issued"
    assert client.post(answer.location, data=typed(page.text, {})).status_code == 303
    assert world.order(order.name).state.value == "withdrawn"
    assert client.get(asked.location).status_code == 303, "no code is asked for that is there"


def test_a_fresh_code_never_leads_out_of_the_portal(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "x"):
        assert client.get("/account/fresh", query_string={"next": target}).location == "/orders"
    world.clock.move(minutes=6)
    page = client.get("/account/fresh", query_string={"next": "//evil.example"})
    assert 'action="/account/fresh"' in page.text
    data = {"csrf_token": csrf_token(page), "code": world.unused_code("officer")}
    assert client.post("/account/fresh?next=//evil.example", data=data).location == "/orders"
