"""No A or AA violation on any page, by day and by night; no page that breaks its own policy."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from liaison.domain.answer import Refusal
from liaison.domain.vocabulary import Ground
from liaison.models import ApiKey, CallTask, Order
from liaison.services import answers
from tests.browser.conftest import Person
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]


@pytest.fixture(params=["light", "dark"])
def sky(request: pytest.FixtureRequest) -> str:
    scheme: str = request.param
    return scheme


def look(person: Person, paths: list[str]) -> list[str]:
    found = []
    for path in paths:
        person.go(path)
        expect(person.page.locator("h1")).to_be_visible()
        found += person.axe()
    return found + person.complaints


def decline(world: World, order: Order) -> None:
    refusal = Refusal((Ground.OVERBROAD,), "A whole network.", preserved_meanwhile=True)
    with world.database.transaction() as session:
        answers.decline(session, world.actor("sevan_spoc"), order.name, refusal, world.now)


def open_call(world: World, order: Order) -> UUID:
    with world.database.reading() as session:
        return session.scalars(select(CallTask.id).where(CallTask.order_id == order.id)).one()


def provider_pages(world: World) -> list[str]:
    meridian = world.register.providers["Meridian Telecom"]
    return [f"/providers/{meridian}", f"/providers/{meridian}/memorandum", "/contacts"]


def test_pages_of_a_stranger(browse: Callable[..., Person], sky: str) -> None:
    stranger = browse(color_scheme=sky)
    paths = ["/login", "/problems/stale", "/problems/", "/api/docs", "/no-such-page"]
    assert look(stranger, paths) == []


def test_signing_in_with_a_wrong_password(browse: Callable[..., Person], sky: str) -> None:
    stranger = browse(color_scheme=sky)
    page = stranger.go("/login")
    page.get_by_label("E-mail").fill("nobody@police.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert stranger.axe() == []


def test_pages_of_the_contact_point(world: World, sign_in: SignIn, sky: str) -> None:
    issued = world.issue()
    acknowledged = world.issue("05-names-from-everywhere.json")
    world.acknowledge(acknowledged)
    preserved = world.issue("07-botnet-240-targets.json")
    world.preserve(preserved)
    declined = world.issue("06-hostile-text.json")
    decline(world, declined)
    draft = world.draft("03-cgnat-fraud-routine.json")
    refused = world.draft(duration_days=365)
    officer = sign_in("officer", color_scheme=sky)
    orders = [f"/orders/{o.ref}" for o in (issued, acknowledged, preserved, declined)]
    acts = [f"/orders/{issued.ref}/{verb}" for verb in ("withdraw", "close-escalation", "message")]
    drafts = [f"/orders/{draft.name}/{verb}" for verb in ("edit", "issue", "withdraw")]
    others = [f"/orders/{refused.name}/issue", "/orders/new", "/orders/new?urgency=emergency"]
    queues = ["/orders", "/orders?view=all", "/orders?view=drafts", "/orders?q=nothing"]
    rest = ["/providers", "/account", "/orders/CP-2026-9999", *provider_pages(world)]
    calls = [f"/orders/{issued.ref}/calls/{open_call(world, issued)}"]
    assert look(officer, queues + orders + acts + drafts + others + rest + calls) == []


def test_a_form_full_of_errors(world: World, sign_in: SignIn, sky: str) -> None:
    officer = sign_in("officer", color_scheme=sky)
    page = officer.go("/orders/new?urgency=emergency")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert officer.axe() == []


def test_pages_of_a_spoc(world: World, sign_in: SignIn, sky: str) -> None:
    issued = world.issue()
    preserved = world.issue("05-names-from-everywhere.json")
    world.preserve(preserved)
    spoc = sign_in("spoc", color_scheme=sky)
    verbs = ("acknowledge", "preserve", "decline", "question")
    acts = [f"/orders/{issued.ref}/{verb}" for verb in verbs]
    pages = ["/orders", f"/orders/{issued.ref}", f"/orders/{preserved.ref}", "/account"]
    pages += [f"/orders/{preserved.ref}/preserve", f"/orders/{preserved.ref}/acknowledge"]
    assert look(spoc, pages + acts + provider_pages(world)) == []


@pytest.mark.parametrize("who", ["auditor", "administrator", "provider_administrator"])
def test_pages_of_those_who_do_not_act(world: World, sign_in: SignIn, sky: str, who: str) -> None:
    order = world.issue()
    person = sign_in(who, color_scheme=sky)
    paths = ["/", "/account", f"/orders/{order.ref}", "/providers", *provider_pages(world)]
    assert look(person, paths) == []


@pytest.mark.parametrize(
    ("who", "paths"),
    [
        ("administrator", ["/people", "/people/invite", "/people/policy"]),
        ("auditor", ["/portal-log", "/people"]),
        ("provider_administrator", ["/api-keys", "/api-keys/new", "/people"]),
        ("officer", ["/reviews", "/account/password", "/account/authenticator"]),
        ("officer", ["/account/recovery", "/account/passkeys/new", "/account/fresh"]),
    ],
)
def test_pages_of_access(sign_in: SignIn, sky: str, who: str, paths: list[str]) -> None:
    assert look(sign_in(who, color_scheme=sky), paths) == []


def test_forms_of_access(world: World, sign_in: SignIn, sky: str) -> None:
    officer = f"/people/{world.person('officer').id}"
    administrator = sign_in("administrator", color_scheme=sky)
    assert look(administrator, [officer, f"{officer}/disable", f"{officer}/roles"]) == []
    with world.database.reading() as session:
        provider = world.register.providers["Meridian Telecom"]
        key = session.scalars(select(ApiKey.id).where(ApiKey.provider_id == provider)).one()
    keeper = sign_in("provider_administrator", color_scheme=sky)
    assert look(keeper, [f"/api-keys/{key}/roll", f"/api-keys/{key}/revoke"]) == []


def test_a_planted_fault_is_found(browse: Callable[..., Person]) -> None:
    stranger = browse()
    page = stranger.go("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert stranger.axe() != []
