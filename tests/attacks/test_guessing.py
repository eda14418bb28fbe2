"""Guessing, racing and waiting against four real processes: the limits are exact."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select, update

from liaison.clock import SystemClock
from liaison.models import ApiKey, Person, SignIn
from liaison.services import accounts, totp
from tests.attacks.conftest import Portal, Serve, pending

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("gunicorn")]

TRIES = 60


def form_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1)


def guess(portal: Portal, email: str, forwarded: str) -> int:
    """One try of a wrong password, with a browser of its own."""
    with portal.client(forwarded) as client:
        token = form_token(client.get("/login"))
        data = {"csrf_token": token, "email": email, "password": "a wrong password"}
        return client.post("/login", data=data).status_code


def together(what: Callable[[int], int], times: int) -> Counter[int]:
    """All at once, as nearly as a machine can; how often which status came."""
    gate = threading.Barrier(times)

    def one(number: int) -> int:
        gate.wait()
        return what(number)

    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(one, range(times)))


def ten_addresses(number: int) -> str:
    return f"203.0.113.{number % 10 + 1}"


def test_forged_addresses_are_one_address_and_five_tries_reach_the_password(serve: Serve) -> None:
    """No proxy is named in the settings: whatever ``X-Forwarded-For`` says counts for nothing."""
    portal = serve()
    email = portal.world.person("officer").email
    came = together(lambda n: guess(portal, email, ten_addresses(n)), TRIES)
    assert came == {401: accounts.PER_PAIR, 429: TRIES - accounts.PER_PAIR}


def test_ten_real_addresses_reach_the_password_ten_times_and_the_owner_gets_in(
    serve: Serve,
) -> None:
    """Behind a proxy that is named, ten attackers; each claims the owner's own."""
    portal = serve(trusted="127.0.0.1")
    someone = portal.world.person("officer")
    home = "198.51.100.77"
    with portal.world.database.transaction() as session:
        now = SystemClock().now()
        session.add(
            SignIn(
                token_hash="an earlier sign-in",
                person_id=someone.id,
                address=home,
                agent="",
                created_at=now,
                last_seen_at=now,
                expires_at=now,
                factor_at=now,
                ended_at=now,
            )
        )

    def attack(number: int) -> int:
        return guess(portal, someone.email, f"{home}, 10.9.8.{number}, {ten_addresses(number)}")

    came = together(attack, TRIES)
    assert came == {401: accounts.PER_ACCOUNT, 429: TRIES - accounts.PER_ACCOUNT}
    with portal.client(home) as owner:
        token = form_token(owner.get("/login"))
        data = {"csrf_token": token, "email": someone.email, "password": someone.password}
        answer = owner.post("/login", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login/code")


def test_one_code_used_eight_times_at_once_lets_one_in(serve: Serve) -> None:
    """From eight addresses, so that no limit on tries stands in between."""
    portal = serve(trusted="127.0.0.1")
    someone = portal.world.person("officer")
    browsers = []
    for number in range(8):
        token = f"pending-{number}"
        pending(portal, someone.id, token)
        browser = portal.client(f"203.0.113.{number + 1}")
        browser.cookies.set("liaison", portal.cookie(token), domain="127.0.0.1")
        browsers.append((browser, form_token(browser.get("/login/code"))))
    code = totp.current_code(someone.totp_secret, SystemClock().now())

    def use(number: int) -> int:
        browser, token = browsers[number]
        return browser.post("/login/code", data={"csrf_token": token, "code": code}).status_code

    came = together(use, 8)
    assert came == {303: 1, 401: 7}
    opened = [browser.get("/account").status_code for browser, _ in browsers]
    assert Counter(opened) == {200: 1, 303: 7}
    with portal.world.database.reading() as session:
        whole = session.scalars(
            select(SignIn).where(SignIn.person_id == someone.id, SignIn.factor_at.is_not(None))
        ).all()
        assert len(whole) == 1
        assert session.get_one(Person, someone.id).totp_last_step > 0
    for browser, _ in browsers:
        browser.close()


def test_a_key_that_is_revoked_while_it_polls_gets_nothing_more(serve: Serve) -> None:
    portal = serve()
    world = portal.world
    answers: list[httpx.Response] = []

    def poll() -> None:
        with portal.client() as program:
            answers.append(program.get("/api/v1/events?after=0&wait=20", headers=world.bearer()))

    waiting = threading.Thread(target=poll)
    waiting.start()
    waiting.join(timeout=2)
    assert waiting.is_alive(), "there is nothing to tell yet"
    with world.database.transaction() as session:
        mine = ApiKey.provider_id == world.register.providers["Meridian Telecom"]
        session.execute(update(ApiKey).where(mine).values(revoked_at=SystemClock().now()))
    world.issue()
    waiting.join(timeout=30)
    assert answers[0].status_code == 401
    assert "revoked" in answers[0].json()["detail"]
    assert "CP-2026-0001" not in answers[0].text
    with portal.client() as program:
        assert program.get("/api/v1/events", headers=world.bearer()).status_code == 401
