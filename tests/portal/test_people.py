"""Inviting, taking up an invitation, and taking access back, through the pages."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from werkzeug.test import TestResponse

from liaison import create_app
from liaison.models import Invitation, Message, OrderReview, Person
from liaison.services import accounts, totp
from liaison.settings import Settings
from tests.portal.filled import SignedIn
from tests.world import MovableClock, World, csrf_token, submit

NEW = "z.ghukasyan@police.example"
GOOD = "violet trains at noon"
FIELDS = {"email": NEW, "name": "Zara Ghukasyan", "roles": ["officer"]}


def invite(client: FlaskClient, world: World, **changes: object) -> str:
    """Invites by the page; the path of the link in the letter."""
    answer = submit(client, "/people/invite", {**FIELDS, **changes})
    assert answer.status_code == 303, answer.text
    with world.database.reading() as session:
        letter = session.scalars(
            select(Message).where(Message.letter == "invitation").order_by(Message.created_at)
        ).all()[-1]
    link = world.vault.open(letter.sealed_link or "")
    assert link.startswith("http://localhost/invitation/")
    return link.removeprefix("http://localhost")


def secret_on(page_text: str) -> str:
    """The secret as the page has it for typing."""
    found = re.search(r'class="mono secret">([A-Z2-7 ]+)<', page_text)
    assert found is not None
    return found.group(1).replace(" ", "")


def held_on(page_text: str) -> str:
    """The same secret as the form carries it: sealed."""
    found = re.search(r'name="held_secret"[^>]*value="([^"]+)"', page_text)
    assert found is not None
    return found.group(1)


def enrol(
    client: FlaskClient,
    world: World,
    path: str,
    password: str = GOOD,
    page: TestResponse | None = None,
) -> str:
    """Takes the invitation up, on this ``page`` or anew; the page of recovery codes."""
    page = page or client.get(path)
    assert page.status_code == 200
    code = totp.current_code(secret_on(page.text), world.now)
    fields = {"password": password, "password_again": password, "code": code}
    fields["held_secret"] = held_on(page.text)
    answer = client.post(path, data={"csrf_token": csrf_token(page), **fields})
    assert answer.status_code == 200, answer.text
    return answer.text


# The story


def test_invited_enrolled_signed_in(
    client: FlaskClient, app: Flask, world: World, signed_in: SignedIn
) -> None:
    administrator = signed_in("administrator")
    path = invite(administrator, world)
    listed = administrator.get("/people").text
    assert NEW in listed.partition("Invited")[2]
    page = client.get(path)
    for words in ("Zara Ghukasyan", NEW, "Officer", "National 24/7 Contact Point"):
        assert words in page.text
    secret = secret_on(page.text)
    codes = re.findall(r'<li class="mono">([A-Z2-7-]+)</li>', enrol(client, world, path, page=page))
    assert len(set(codes)) == 10
    assert client.get("/account").status_code == 303, "enrolling signs nobody in"
    world.clock.move(minutes=1)
    submit(client, "/login", {"email": NEW, "password": GOOD})
    answer = submit(client, "/login/code", {"code": totp.current_code(secret, world.now)})
    assert answer.status_code == 303
    assert client.get("/orders").status_code == 200
    assert NEW in administrator.get("/people").text.partition("Invited")[0]


@pytest.mark.one_database
def test_the_page_has_a_qr_code_without_styles_and_its_address_is_kept_secret(
    client: FlaskClient, world: World, signed_in: SignedIn
) -> None:
    path = invite(signed_in("administrator"), world)
    page = client.get(path)
    assert '<svg viewBox="0 0' in page.text and 'class="qr"' in page.text
    assert "style=" not in page.text
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert path.rpartition("/")[2] not in page.text, "no link on the page carries the secret"
    shown = enrol(client, world, path)
    assert "style=" not in shown


@pytest.mark.one_database
def test_it_works_under_https_where_a_forms_origin_is_asked_for(
    settings: Settings, clock: MovableClock, world: World
) -> None:
    secure = replace(settings, base_url="https://cp.example")
    app = create_app(secure, clock)
    browser = app.test_client()
    there = {"base_url": "https://cp.example"}
    from liaison.portal.invitation_links import maker
    from liaison.services import invitations

    with world.database.transaction() as session:
        row = invitations.invite(
            session,
            world.vault,
            world.actor("administrator"),
            NEW,
            "Zara Ghukasyan",
            ["officer"],
            world.now,
            link=maker(secure, world.now),
        )
        path = maker(secure, world.now)(row.id).removeprefix("https://cp.example")
    page = browser.get(path, **there)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    fields = {
        "csrf_token": csrf_token(page),
        "password": GOOD,
        "password_again": GOOD,
        "code": totp.current_code(secret_on(page.text), world.now),
        "held_secret": held_on(page.text),
    }
    # What a browser sends from a page under that policy: the origin, and nothing of the path.
    sent = browser.post(path, data=fields, headers={"Referer": "https://cp.example/"}, **there)
    assert sent.status_code == 200, sent.text
    app.extensions["liaison"].database.close()


# Links that count no longer


def test_a_link_used_twice(client: FlaskClient, world: World, signed_in: SignedIn) -> None:
    path = invite(signed_in("administrator"), world)
    stale = client.get(path)
    enrol(client, world, path)
    for page in (
        client.get(path),
        client.post(path, data={"csrf_token": csrf_token(stale), "password": "x"}),
    ):
        assert page.status_code == 410
        assert "used already" in page.text
        assert NEW not in page.text and "Zara" not in page.text
        assert page.headers["Referrer-Policy"] == "strict-origin"


def test_a_link_too_late(client: FlaskClient, world: World, signed_in: SignedIn) -> None:
    path = invite(signed_in("administrator"), world)
    world.clock.move(hours=71, minutes=59)
    assert client.get(path).status_code == 200
    world.clock.move(minutes=2)
    page = client.get(path)
    assert page.status_code == 410
    assert "run out" in page.text
    assert NEW not in page.text


def test_a_link_that_was_taken_back(client: FlaskClient, world: World, signed_in: SignedIn) -> None:
    administrator = signed_in("administrator")
    path = invite(administrator, world)
    with world.database.reading() as session:
        row = session.scalars(select(Invitation)).one()
    answer = submit(administrator, "/people", {}, to=f"/people/invitations/{row.id}/revoke")
    assert answer.status_code == 303
    assert NEW not in administrator.get("/people").text
    page = client.get(path)
    assert page.status_code == 410
    assert "taken back" in page.text
    again = submit(administrator, "/people", {}, to=f"/people/invitations/{row.id}/revoke")
    assert again.status_code == 409


@pytest.mark.one_database
def test_a_link_that_was_tampered_with(
    client: FlaskClient, world: World, signed_in: SignedIn, settings: Settings
) -> None:
    path = invite(signed_in("administrator"), world)
    token = path.rpartition("/")[2]
    payload, stamp, signature = token.split(".")
    with world.database.reading() as session:
        known = str(session.scalars(select(Invitation.id)).one())
    forged = URLSafeTimedSerializer("a guess", salt="invitation").dumps(known)
    of_another_salt = URLSafeTimedSerializer(settings.secret_key, salt="cookie").dumps(known)
    for bad in (
        f"{payload}.{stamp}.{signature[:-2]}xx",
        f"{payload}x.{stamp}.{signature}",
        f"{payload}.zzzzzz.{signature}",
        token[:-1],
        known,
        str(uuid4()),
        forged,
        of_another_salt,
        "x",
        "%00",
        "a" * 3000,
    ):
        page = client.get(f"/invitation/{bad}")
        assert page.status_code == 404, bad[:60]
        assert "no link like this" in page.text
    assert client.get(path).status_code == 200


def test_a_link_in_the_hands_of_somebody_who_is_signed_in(
    world: World, signed_in: SignedIn, client: FlaskClient
) -> None:
    path = invite(signed_in("administrator"), world)
    officer = signed_in("officer")
    token = csrf_token(officer.get("/account"))
    for page in (officer.get(path), officer.post(path, data={"csrf_token": token})):
        assert page.status_code == 403
        assert "Sign out first" in page.text
        assert NEW not in page.text
    assert client.get(path).status_code == 200, "and it is not used up"


@pytest.mark.one_database
def test_what_is_wrong_stands_beside_its_field(
    client: FlaskClient, world: World, signed_in: SignedIn
) -> None:
    path = invite(signed_in("administrator"), world)
    page = submit(client, path, {"password": "short", "password_again": "other", "code": "000000"})
    assert page.status_code == 422
    assert "The two passwords are not the same." in page.text
    page = submit(client, path, {"password": "short", "password_again": "short", "code": "000000"})
    assert 'href="#password"' in page.text and 'href="#code"' in page.text
    assert "short" not in re.findall(r'value="([^"]*)"', page.text)
    with world.database.reading() as session:
        assert session.scalars(select(Person).where(Person.email == NEW)).all() == []


def test_each_page_shows_another_secret_and_a_fault_keeps_it(
    client: FlaskClient, app: Flask, world: World, signed_in: SignedIn
) -> None:
    path = invite(signed_in("administrator"), world)
    page = client.get(path)
    secret, held = secret_on(page.text), held_on(page.text)
    # Whoever read the letter opens the page too, and learns nothing of the owner's secret.
    spied = app.test_client().get(path).text
    assert secret_on(spied) != secret
    assert secret not in held
    fields = {"password": GOOD, "password_again": GOOD, "held_secret": held}
    spys_code = totp.current_code(secret_on(spied), world.now)
    wrong = submit(client, path, {**fields, "code": spys_code})
    assert wrong.status_code == 422
    assert (secret_on(wrong.text), held_on(wrong.text)) == (secret, held)
    right = {**fields, "code": totp.current_code(secret, world.now)}
    assert submit(client, path, right).status_code == 200
    with world.database.reading() as session:
        person = session.scalars(select(Person).where(Person.email == NEW)).one()
        assert world.vault.open(person.totp_secret) == secret


def test_a_secret_of_another_link_or_an_hour_ago_or_of_ones_own_does_not_count(
    client: FlaskClient, world: World, signed_in: SignedIn
) -> None:
    administrator = signed_in("administrator")
    other = client.get(invite(administrator, world, email="b.new@police.example")).text
    path = invite(administrator, world)
    page = client.get(path).text
    mine = totp.new_secret()
    words = {"password": GOOD, "password_again": GOOD}

    def refused(secret: str, held: str) -> None:
        code = totp.current_code(secret, world.now)
        answer = submit(client, path, {**words, "code": code, "held_secret": held})
        assert answer.status_code == 422
        assert "This page is too old" in answer.text
        assert secret_on(answer.text) != secret
        assert held_on(answer.text) != held

    refused(secret_on(other), held_on(other))
    refused(mine, mine)
    refused(mine, "x")
    world.clock.move(minutes=31)
    refused(secret_on(page), held_on(page))


def test_a_form_without_its_token_makes_no_account(
    client: FlaskClient, world: World, signed_in: SignedIn
) -> None:
    path = invite(signed_in("administrator"), world)
    code = totp.current_code(secret_on(client.get(path).text), world.now)
    fields = {"password": GOOD, "password_again": GOOD, "code": code}
    assert client.post(path, data=fields).status_code == 400
    assert client.get(path).status_code == 200


# Inviting


@pytest.mark.one_database
def test_a_look_alike_is_refused_and_what_was_typed_is_kept(
    world: World, signed_in: SignedIn
) -> None:
    page = submit(
        signed_in("administrator"), "/people/invite", {**FIELDS, "email": "z@po1ice.example"}
    )
    assert page.status_code == 422
    assert "po1ice.example is not police.example, but resembles it" in page.text
    assert 'value="z@po1ice.example"' in page.text
    assert 'value="Zara Ghukasyan"' in page.text
    assert re.search(r'value="officer"[^>]* checked', page.text)


def test_inviting_with_an_old_factor_asks_for_a_fresh_code(
    world: World, signed_in: SignedIn
) -> None:
    administrator = signed_in("administrator")
    page = administrator.get("/people/invite")
    world.clock.move(minutes=6)
    fields = {"csrf_token": csrf_token(page), **FIELDS}
    answer = administrator.post("/people/invite", data=fields)
    assert answer.status_code == 303
    assert answer.location.startswith("/account/fresh")
    with world.database.reading() as session:
        assert session.scalars(select(Invitation)).all() == []


@pytest.mark.one_database
def test_who_sees_people_and_what(world: World, signed_in: SignedIn) -> None:
    own = "s.martirosyan@police.example"
    for who in ("administrator", "supervisor", "auditor"):
        page = signed_in(who).get("/people")
        assert page.status_code == 200
        assert own in page.text
        assert "meridian.example" not in page.text, "nobody sees another organisation's people"
        assert "politie.example" not in page.text
        assert ("Invite a person" in page.text) == (who == "administrator")
        assert 'href="/people"' in page.text.partition("</nav>")[0]
    for who in ("officer", "spoc"):
        page = signed_in(who).get("/people")
        assert page.status_code == 403
        assert 'href="/people"' not in page.text.partition("</nav>")[0]
    page = signed_in("provider_administrator").get("/people")
    assert "r.vardanyan@meridian.example" in page.text
    assert "police.example" not in page.text


def test_another_organisations_people_and_absent_ones_are_answered_alike(
    world: World, signed_in: SignedIn
) -> None:
    administrator = signed_in("administrator")
    token = csrf_token(administrator.get("/people"))
    invite(signed_in("provider_administrator"), world, email="n@meridian.example", roles=["spoc"])
    with world.database.reading() as session:
        theirs = session.scalars(select(Invitation.id)).one()
    for path, absent in (
        (f"/people/{world.person('spoc').id}", f"/people/{uuid4()}"),
        (f"/people/{world.person('spoc').id}/roles", f"/people/{uuid4()}/roles"),
        (f"/people/{world.person('foreign_officer').id}/disable", f"/people/{uuid4()}/disable"),
    ):
        first, second = administrator.get(path), administrator.get(absent)
        assert first.status_code == second.status_code == 404
    for tail in ("disable", "enable", "roles"):
        path = f"/people/{world.person('spoc').id}/{tail}"
        sent = administrator.post(path, data={"csrf_token": token, "reason": "x"})
        assert sent.status_code == 404
    for invitation in (theirs, uuid4()):
        path = f"/people/invitations/{invitation}/revoke"
        assert administrator.post(path, data={"csrf_token": token}).status_code == 404


# Taking back


def test_a_disabled_persons_cookie_is_worth_nothing(
    world: World, signed_in: SignedIn, client: FlaskClient
) -> None:
    officer, administrator = signed_in("officer"), signed_in("administrator")
    assert officer.get("/orders").status_code == 200
    path = f"/people/{world.person('officer').id}/disable"
    empty = submit(administrator, path, {"reason": " "})
    assert empty.status_code == 422
    assert officer.get("/orders").status_code == 200
    assert submit(administrator, path, {"reason": "Phished"}).status_code == 303
    assert officer.get("/orders").status_code == 303
    shown = administrator.get(f"/people/{world.person('officer').id}").text
    assert "Disabled since" in shown
    submit(client, "/login", {"email": world.person("officer").email, "password": accounts.UNKNOWN})
    back = f"/people/{world.person('officer').id}/enable"
    assert submit(administrator, back, {"reason": "Cleared"}).status_code == 303
    assert officer.get("/orders").status_code == 303, "what ended stays ended"


def test_the_last_administrator_is_told_why_not(world: World, signed_in: SignedIn) -> None:
    administrator = signed_in("administrator")
    me = world.person("administrator").id
    page = submit(administrator, f"/people/{me}/disable", {"reason": "Leaving"})
    assert page.status_code == 403
    assert "the last administrator cannot remove themselves" in page.text
    page = submit(administrator, f"/people/{me}/roles", {"reason": "x", "roles": ["auditor"]})
    assert page.status_code == 403
    assert administrator.get("/people").status_code == 200


def test_roles_are_changed_and_hold_from_the_next_click(world: World, signed_in: SignedIn) -> None:
    officer, administrator = signed_in("officer"), signed_in("administrator")
    path = f"/people/{world.person('officer').id}/roles"
    assert re.search(r'value="officer"[^>]* checked', administrator.get(path).text)
    assert officer.get("/people").status_code == 403
    fields = {"roles": ["auditor"], "reason": "Moves desk"}
    assert submit(administrator, path, fields).status_code == 303
    assert officer.get("/people").status_code == 200
    assert officer.get("/orders/new").status_code == 403


def test_open_orders_wait_for_another_person(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    supervisor = signed_in("supervisor")
    assert "Reviews (" not in supervisor.get("/orders").text
    path = f"/people/{world.person('officer').id}/disable"
    submit(signed_in("administrator"), path, {"reason": "Phished"})
    assert "Reviews (1)" in supervisor.get("/orders").text
    assert f"Review {order.name}" in supervisor.get("/reviews").text
    with world.database.reading() as session:
        review = f"/reviews/{session.scalars(select(OrderReview.id)).one()}"
    page = supervisor.get(review)
    assert "Anahit Petrosyan" in page.text
    assert not re.search(r'name="decision"[^>]* checked', page.text)
    faulty = submit(supervisor, review, {"reason": ""})
    assert faulty.status_code == 422
    answer = submit(supervisor, review, {"decision": "withdrawn", "reason": "Forged"})
    assert answer.status_code == 303
    assert world.order(order.name, by="supervisor").withdrawal == "Forged"
    assert "decided by" in supervisor.get(review).text
    assert "Nothing waits" in supervisor.get("/reviews").text
    for who, status in (("foreign_officer", 404), ("auditor", 403), ("spoc", 403)):
        assert signed_in(who).get(review).status_code == status
    assert supervisor.get(f"/reviews/{uuid4()}").status_code == 404
