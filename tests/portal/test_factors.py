"""One's own access, lost factors and the rule about passkeys, through the pages."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from liaison.documents.letters import compose
from liaison.models import Authority, Message, Person, SignIn
from liaison.services import recovery, totp
from tests.authenticator import Authenticator
from tests.portal.filled import SignedIn
from tests.register import PASSWORD
from tests.world import World, csrf_token, submit

NEW = "otter lantern gravel mustard"


def options(client: FlaskClient, page: str, where: str) -> dict[str, Any]:
    token = csrf_token(client.get(page))
    answer = client.post(where, headers={"X-CSRFToken": token})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


def add_passkey(client: FlaskClient, name: str = "Laptop") -> Authenticator:
    device = Authenticator()
    asked = options(client, "/account/passkeys/new", "/account/passkeys/options")
    answer = submit(
        client, "/account/passkeys/new", {"name": name, "credential": device.create(asked)}
    )
    assert answer.status_code == 303, answer.text
    return device


def use_passkey(client: FlaskClient, device: Authenticator, target: str) -> None:
    """Makes the factor fresh by passkey, on the page that asks for it."""
    page = f"/account/fresh?next={target}"
    asked = options(client, page, "/login/passkey/options")
    given = {"credential": device.get(asked), "next": target}
    answer = submit(client, page, given, to="/account/passkeys/fresh")
    assert answer.location == target, answer.text


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(
    signed_in: SignedIn, client: FlaskClient, world: World
) -> None:
    here, elsewhere = signed_in("officer"), signed_in("officer")
    given = {"old_password": PASSWORD, "new_password": NEW, "again_password": NEW}
    answer = submit(here, "/account/password", given)
    assert answer.status_code == 303, answer.text
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    email = world.person("officer").email
    assert submit(client, "/login", {"email": email, "password": PASSWORD}).status_code == 401
    assert submit(client, "/login", {"email": email, "password": NEW}).status_code == 303
    with world.database.reading() as session:
        assert "password_changed" in session.scalars(select(SignIn.ended_why)).all()
        assert session.scalars(select(Message.letter)).all() == ["factor_changed"]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"old_password": "something else"}, "This is not your password."),
        ({"again_password": "something else"}, "The two new passwords differ."),
        ({"new_password": "short", "again_password": "short"}, "12 to 128"),
        ({"new_password": PASSWORD, "again_password": PASSWORD}, "differs from the one"),
    ],
)
def test_a_password_that_will_not_do(
    signed_in: SignedIn, changes: dict[str, str], said: str
) -> None:
    given = {"old_password": PASSWORD, "new_password": NEW, "again_password": NEW, **changes}
    page = submit(signed_in("officer"), "/account/password", given)
    assert page.status_code == 422
    assert said in page.text
    assert NEW not in page.text


@pytest.mark.one_database
def test_guessing_the_old_password_at_an_open_session_is_throttled(signed_in: SignedIn) -> None:
    client = signed_in("officer")
    given = {"old_password": "guess", "new_password": NEW, "again_password": NEW}
    for _ in range(5):
        assert "not your password" in submit(client, "/account/password", given).text
    right = {**given, "old_password": PASSWORD}
    assert "Too many tries" in submit(client, "/account/password", right).text


@pytest.mark.one_database
@pytest.mark.parametrize(
    "path", ["/account/password", "/account/authenticator", "/account/recovery"]
)
def test_each_asks_for_a_fresh_factor_first(signed_in: SignedIn, world: World, path: str) -> None:
    client = signed_in("officer")
    world.clock.move(minutes=6)
    asked = client.get(path)
    assert asked.status_code == 303
    assert asked.location.startswith("/account/fresh")
    code = world.unused_code("officer")
    back = submit(client, asked.location, {"code": code})
    assert back.location == path
    assert client.get(path).status_code == 200


def secret_on(page: str) -> str:
    found = re.search(r"data-secret>([^<]+)<", page)
    assert found is not None
    return found.group(1).replace(" ", "")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found.group(1))


def test_a_new_authenticator_counts_once_a_code_has_shown_that_it_works(
    signed_in: SignedIn, world: World
) -> None:
    here, elsewhere = signed_in("officer"), signed_in("officer")
    page = here.get("/account/authenticator").text
    secret, held = secret_on(page), hidden(page, "held_secret")
    assert secret not in held
    fields = {"csrf_token": csrf_token(here.get("/account/authenticator")), "held_secret": held}
    wrong = here.post("/account/authenticator", data={**fields, "code": "000000"})
    assert wrong.status_code == 422
    assert secret_on(wrong.text) == secret
    assert world.unused_code("officer")
    right = {**fields, "code": totp.current_code(secret, world.now)}
    # Another session's page is no way in: the seal binds the secret to its own.
    token = csrf_token(elsewhere.get("/account/authenticator"))
    planted = elsewhere.post("/account/authenticator", data={**right, "csrf_token": token})
    assert planted.status_code == 422
    assert here.post("/account/authenticator", data=right).status_code == 303
    assert elsewhere.get("/account").status_code == 303
    with world.database.reading() as session:
        person = session.get_one(Person, world.person("officer").id)
        assert world.vault.open(person.totp_secret) == secret


def test_the_secrets_page_writes_nothing(signed_in: SignedIn, world: World) -> None:
    client = signed_in("officer")
    client.get("/account/authenticator")
    with world.database.reading() as session:
        person = session.get_one(Person, world.person("officer").id)
        assert world.vault.open(person.totp_secret) == world.person("officer").totp_secret
        assert not any(session.scalars(select(SignIn.challenge)))


@pytest.mark.one_database
def test_the_qr_code_has_no_style_and_says_what_the_secret_says(signed_in: SignedIn) -> None:
    page = signed_in("officer").get("/account/authenticator").text
    assert "<svg" in page.partition("<main")[2]
    assert "style=" not in page


def test_recovery_codes_are_shown_once_and_lead_in_without_the_authenticator(
    signed_in: SignedIn, client: FlaskClient, world: World
) -> None:
    page = submit(signed_in("officer"), "/account/recovery", {}).text
    codes = re.findall(r"<li>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</li>", page)
    assert len(codes) == 10
    submit(client, "/login", {"email": world.person("officer").email, "password": PASSWORD})
    assert "/login/recovery" in client.get("/login/code").text
    wrong = submit(client, "/login/recovery", {"code": "AAAA-AAAA-AAAA-AAAA"})
    assert wrong.status_code == 401
    used = submit(client, "/login/recovery", {"code": codes[4].lower()})
    assert used.status_code == 303
    account = client.get(used.location).text
    assert "9 of your codes are left" in account
    assert codes[4] not in account


def test_a_recovery_code_takes_a_new_authenticator_and_issues_nothing(
    client: FlaskClient, world: World
) -> None:
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person("officer").id)
        (code, *_) = recovery.make(session, person, world.now)
    submit(client, "/login", {"email": world.person("officer").email, "password": PASSWORD})
    submit(client, "/login/recovery", {"code": code})
    drafted = world.draft()
    asked = submit(
        client, f"/orders/{drafted.name}/issue", {"code": "", "version": str(drafted.version)}
    )
    assert asked.status_code == 422
    assert client.get("/account/password").status_code == 303
    assert client.get("/account/authenticator").status_code == 200


def test_sessions_are_listed_by_device_and_ended_one_by_one_or_all(
    signed_in: SignedIn, world: World
) -> None:
    here, other, third = (signed_in("officer") for _ in range(3))
    with world.database.transaction() as session:
        session.execute(
            update(SignIn).values(agent="Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/140.0")
        )
        rows = session.scalars(select(SignIn).order_by(SignIn.created_at, SignIn.id)).all()
    page = here.get("/account")
    assert page.text.count("Firefox on Windows</span>") == 3
    token = csrf_token(page)
    ended = here.post(f"/account/sessions/{rows[1].id}/end", data={"csrf_token": token})
    assert ended.status_code == 303
    assert [c.get("/account").status_code for c in (here, other, third)].count(303) == 1
    here.post("/account/sessions/end-others", data={"csrf_token": token})
    assert [c.get("/account").status_code for c in (here, other, third)] == [200, 303, 303]


def test_nobody_ends_anothers_session(signed_in: SignedIn, world: World) -> None:
    officer, spoc = signed_in("officer"), signed_in("spoc")
    with world.database.reading() as session:
        whose = SignIn.person_id == world.person("officer").id
        row = session.scalars(select(SignIn.id).where(whose)).one()
    token = csrf_token(spoc.get("/account"))
    answer = spoc.post(f"/account/sessions/{row}/end", data={"csrf_token": token})
    assert answer.status_code == 404
    assert officer.get("/account").status_code == 200


def test_a_passkey_is_added_renamed_used_and_removed(
    signed_in: SignedIn, client: FlaskClient, world: World
) -> None:
    here = signed_in("officer")
    device = add_passkey(here, "Laptop <b>")
    page = here.get("/account").text
    assert "Laptop &lt;b&gt;" in page
    (path,) = re.findall(r'href="(/account/passkeys/[0-9a-f-]{36})"', page)
    asked_first = here.get(path)
    assert asked_first.location.startswith("/account/fresh")
    fresh = here.get(asked_first.location).text
    assert "a code does not do" in fresh
    assert "one-time-code" not in fresh
    use_passkey(here, device, path)
    assert submit(here, path, {"name": "Desk"}).status_code == 303
    submit(client, "/login", {"email": world.person("officer").email, "password": PASSWORD})
    asked = options(client, "/login/code", "/login/passkey/options")
    given = {"credential": device.get(asked)}
    assert submit(client, "/login/code", given, to="/login/passkey").status_code == 303
    assert client.get("/account").status_code == 200
    assert submit(here, path, {}, to=f"{path}/remove").status_code == 303
    assert "Desk" not in here.get("/account").text


def test_a_wrong_answer_leaves_the_door_shut(
    signed_in: SignedIn, client: FlaskClient, world: World
) -> None:
    add_passkey(signed_in("officer"))
    submit(client, "/login", {"email": world.person("officer").email, "password": PASSWORD})
    asked = options(client, "/login/code", "/login/passkey/options")
    given = {"credential": Authenticator().get(asked)}
    refused = submit(client, "/login/code", given, to="/login/passkey")
    assert refused.status_code == 401
    assert client.get("/account").status_code == 303


def test_an_order_is_issued_by_passkey_where_the_authority_demands_it(
    signed_in: SignedIn, world: World
) -> None:
    client, administrator = signed_in("officer"), signed_in("administrator")
    page = administrator.get("/people/policy")
    assert world.person("officer").name in page.text
    submit(administrator, "/people/policy", {"passkey_to_issue": "y"})
    drafted = world.draft()
    path, version = f"/orders/{drafted.name}/issue", {"version": str(drafted.version)}
    assert "with a passkey only" in client.get(path).text
    refused = submit(client, path, {**version, "code": world.unused_code("officer")})
    assert refused.status_code == 422
    assert "Use yours" in refused.text
    device = add_passkey(client)
    asked = options(client, path, "/login/passkey/options")
    early = submit(client, path, {**version, "credential": device.get(asked)})
    assert early.status_code == 422
    assert "added 24 hours ago or earlier; this one" in early.text
    world.clock.move(hours=24)
    client = signed_in("officer")
    asked = options(client, path, "/login/passkey/options")
    served = submit(client, path, {**version, "credential": device.get(asked)})
    assert served.status_code == 303, served.text
    assert world.order(drafted.name).ref


@pytest.mark.one_database
@pytest.mark.parametrize("who", ["officer", "auditor", "spoc", "provider_administrator"])
def test_the_rule_is_an_authoritys_administrators(
    signed_in: SignedIn, world: World, who: str
) -> None:
    client = signed_in(who)
    assert client.get("/people/policy").status_code == 403
    token = csrf_token(client.get("/account"))
    given = {"csrf_token": token, "passkey_to_issue": "y"}
    assert client.post("/people/policy", data=given).status_code == 403
    with world.database.reading() as session:
        assert not any(session.scalars(select(Authority.passkey_to_issue)))


def test_a_lost_factor_from_the_request_to_the_new_codes(
    signed_in: SignedIn, client: FlaskClient, world: World
) -> None:
    officer = world.person("officer")
    administrator = signed_in("administrator")
    place = f"/people/{officer.id}/factor/reset"
    assert submit(administrator, place, {"reason": ""}).status_code == 422
    assert submit(administrator, place, {"reason": "Lost."}).location == f"/people/{officer.id}"
    world.clock.move(hours=24)
    administrator = signed_in("administrator")
    token = csrf_token(administrator.get("/account"))
    sent = administrator.post(f"{place}/send", data={"csrf_token": token})
    assert sent.status_code == 303
    with world.database.reading() as session:
        letter = session.scalars(select(Message).where(Message.letter == "factor_reset")).one()
    link = world.vault.open(letter.sealed_link or "").removeprefix("http://localhost")
    opened = client.get(link)
    page = opened.text
    assert opened.headers["Referrer-Policy"] == "strict-origin"
    assert opened.headers["X-Robots-Tag"] == "noindex"
    secret, held = secret_on(page), {"held_secret": hidden(page, "held_secret")}
    # A reader of the letter has opened it too, and was shown another one.
    assert secret_on(client.application.test_client().get(link).text) != secret
    assert secret not in held["held_secret"]
    code = totp.current_code(secret, world.now)
    wrong = submit(client, link, {"password": "not it", "code": code, **held})
    assert wrong.status_code == 422
    assert "The password is wrong." in wrong.text
    assert secret_on(wrong.text) == secret
    done = submit(client, link, {"password": PASSWORD, "code": code, **held})
    assert done.status_code == 200
    assert len(re.findall(r"<li>[A-Z2-7]{4}-", done.text)) == 10
    dead = client.get(link)
    assert dead.status_code == 404
    assert dead.headers["Referrer-Policy"] == "strict-origin"


def test_a_reset_that_ran_out_is_asked_for_again(signed_in: SignedIn, world: World) -> None:
    place = f"/people/{world.person('officer').id}"
    submit(signed_in("administrator"), f"{place}/factor/reset", {"reason": "Lost."})
    world.clock.move(hours=24 + 72)
    page = signed_in("administrator").get(place).text
    assert f"{place}/factor/reset/send" not in page
    assert f'{place}/factor/reset"' in page


def test_a_switched_off_factor_is_not_brought_back_by_a_new_authenticator(
    signed_in: SignedIn, world: World
) -> None:
    client = signed_in("officer")
    page = client.get("/account/authenticator")
    with world.database.transaction() as session:
        off = update(Person).where(Person.id == world.person("officer").id)
        session.execute(off.values(factor_off_at=world.now, factor_failures=100))
    secret = secret_on(page.text)
    fields = {
        "csrf_token": csrf_token(page),
        "held_secret": hidden(page.text, "held_secret"),
        "code": totp.current_code(secret, world.now),
    }
    refused = client.post("/account/authenticator", data=fields)
    assert refused.status_code == 422
    assert totp.OFF in html.unescape(refused.text)
    with world.database.reading() as session:
        person = session.get_one(Person, world.person("officer").id)
        assert person.factor_off_at is not None
        assert world.vault.open(person.totp_secret) != secret


def test_new_recovery_codes_end_the_other_sessions(signed_in: SignedIn) -> None:
    here, elsewhere = signed_in("officer"), signed_in("officer")
    submit(here, "/account/recovery", {})
    assert elsewhere.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_the_person_sees_that_a_reset_was_asked_for_and_stops_it(
    signed_in: SignedIn, world: World
) -> None:
    officer = world.person("officer")
    place = f"/people/{officer.id}/factor/reset"
    administrator = signed_in("administrator")
    submit(administrator, place, {"reason": "Lost, he says."})
    client = signed_in("officer")
    page = client.get("/account")
    assert "Lost, he says." in page.text
    stopped = client.post("/account/reset/stop", data={"csrf_token": csrf_token(page)})
    assert stopped.status_code == 303
    assert "Lost, he says." not in client.get("/account").text


def test_without_its_token_no_challenge_is_given(signed_in: SignedIn) -> None:
    client = signed_in("officer")
    assert client.post("/account/passkeys/options").status_code == 400
    assert client.post("/login/passkey/options").status_code == 400


def test_an_administrator_finds_reset_and_switch_on_the_persons_page(
    signed_in: SignedIn, world: World
) -> None:
    officer = world.person("officer")
    administrator = signed_in("administrator")
    place = f"/people/{officer.id}"
    page = administrator.get(place).text
    assert f"{place}/factor/reset" in page
    submit(administrator, f"{place}/factor/reset", {"reason": "Lost."})
    page = administrator.get(place).text
    assert "Reset asked for" in page
    # Whoever asked does not confirm; stopping is anybody's who may ask.
    assert f"{place}/factor/reset/confirm" not in page
    assert f"{place}/factor/reset/send" not in page
    token = csrf_token(administrator.get(place))
    stopped = administrator.post(f"{place}/factor/reset/cancel", data={"csrf_token": token})
    assert stopped.location == place
    with world.database.transaction() as session:
        off = update(Person).where(Person.id == officer.id)
        session.execute(off.values(factor_off_at=world.now, factor_failures=100))
    assert f"{place}/factor/on" in administrator.get(place).text
    done = submit(administrator, f"{place}/factor/on", {"reason": "Spoke to her."})
    assert done.location == place
    with world.database.reading() as session:
        assert session.get_one(Person, officer.id).factor_off_at is None


@pytest.mark.one_database
@pytest.mark.parametrize("act", ["reset", "on"])
@pytest.mark.parametrize("who", ["officer", "supervisor", "provider_administrator", "spoc"])
def test_nobody_else_does(signed_in: SignedIn, world: World, who: str, act: str) -> None:
    place = f"/people/{world.person('second_officer').id}/factor/{act}"
    client = signed_in(who)
    expected = 404 if who == "provider_administrator" else 403
    assert client.get(place).status_code == expected
    given = {"csrf_token": csrf_token(client.get("/account")), "reason": "Mine now."}
    assert client.post(place, data=given).status_code == expected


def test_every_letter_about_access_can_be_written(signed_in: SignedIn, world: World) -> None:
    client = signed_in("officer")
    add_passkey(client)
    submit(client, "/account/recovery", {})
    place = f"/people/{world.person('officer').id}/factor/reset"
    administrator = signed_in("administrator")
    submit(administrator, place, {"reason": "Lost."})
    world.clock.move(hours=24)
    administrator = signed_in("administrator")
    token = csrf_token(administrator.get("/account"))
    administrator.post(f"{place}/send", data={"csrf_token": token})
    with world.database.reading() as session:
        rows = session.scalars(select(Message).where(Message.order_id.is_(None))).all()
    assert {row.letter for row in rows} == {
        "factor_changed",
        "factor_reset_asked",
        "factor_reset",
    }
    for row in rows:
        letter = compose(row.letter, row.params, "https://portal.example", "test")
        assert world.person("officer").name in letter.text
        assert "{{" not in letter.text
