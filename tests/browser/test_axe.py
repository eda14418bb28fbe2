"""No A or AA violation on any page, by day and by night; no page that breaks its own policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from liaison.domain.answer import Refusal
from liaison.domain.request import LetterKind
from liaison.domain.vocabulary import Ground
from liaison.models import (
    ApiKey,
    CallTask,
    Contact,
    DeliveryAttempt,
    Order,
    PartyRule,
    Verification,
)
from liaison.models.work import MessageState
from liaison.services import (
    answers,
    cases,
    contacts,
    doubts,
    duty,
    duty_overrides,
    escalation,
    ladder_holds,
    notes,
    order_templates,
    presence,
    register_imports,
    unfinished,
    verifications,
)
from tests import incoming
from tests import keeping as after
from tests.browser.conftest import Person
from tests.drills import begin, plan
from tests.hooks import made
from tests.portal.test_key_requests import note
from tests.services import test_memoranda as memorandum
from tests.services.test_undelivered import failed
from tests.threads import accepted, ask
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


def with_thread(world: World, order: Order) -> None:
    """A question with a file, and a note beside it."""
    ask(world, order, files=accepted())
    with world.database.transaction() as session:
        notes.write(session, world.actor("officer"), order.name, "Call him.", world.now)


def provider_pages(world: World) -> list[str]:
    meridian = world.register.providers["Meridian Telecom"]
    return [f"/providers/{meridian}", f"/providers/{meridian}/memorandum", "/contacts"]


def contact_of(world: World) -> UUID:
    """Meridian's SPOC, whose number is to change: a change waits, and a call."""
    meridian = world.register.providers["Meridian Telecom"]
    with world.database.transaction() as session:
        query = select(Contact).where(Contact.provider_id == meridian).order_by(Contact.position)
        contact = session.scalars(query.limit(1)).one()
        keeper = world.actor("provider_administrator")
        given = contacts.as_kept(contact) | {"name": contact.name, "languages": "en"}
        given["phone"] = "+37410000299"
        contacts.change(session, keeper, contact.id, given, world.now)
        verifications.ask(session, world.vault, keeper, contact.id, "phone", world.now)
        return contact.id


def test_pages_of_a_stranger(browse: Callable[..., Person], sky: str) -> None:
    stranger = browse(color_scheme=sky)
    paths = ["/login", "/verify", "/problems/stale", "/problems/", "/api/docs", "/no-such-page"]
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
    with_thread(world, issued)
    acknowledged = world.issue("05-names-from-everywhere.json")
    world.acknowledge(acknowledged)
    preserved = world.issue("07-botnet-240-targets.json")
    world.preserve(preserved)
    declined = world.issue("06-hostile-text.json")
    decline(world, declined)
    draft = world.draft("03-cgnat-fraud-routine.json")
    refused = world.draft(duration_days=365)
    officer = sign_in("officer", color_scheme=sky)
    waiting = world.submit(world.draft("03-cgnat-fraud-routine.json"))
    supervisor = sign_in("supervisor", color_scheme=sky)
    theirs = [f"/orders/{waiting.name}{verb}" for verb in ("", "/authorise", "/return")]
    assert look(supervisor, [*theirs, f"/orders/{issued.ref}/ratify"]) == []
    assert look(officer, [f"/orders/{waiting.name}", f"/orders/{draft.name}/submit"]) == []
    orders = [f"/orders/{o.ref}" for o in (issued, acknowledged, preserved, declined)]
    acts = [
        f"/orders/{issued.ref}/{verb}"
        for verb in ("withdraw", "close-escalation", "message", "note")
    ]
    drafts = [f"/orders/{draft.name}/{verb}" for verb in ("edit", "issue", "withdraw")]
    others = [f"/orders/{refused.name}/issue", "/orders/new", "/orders/new?urgency=emergency"]
    queues = ["/orders", "/orders?view=all", "/orders?view=drafts", "/orders?q=nothing"]
    queues += ["/orders?urgency=urgent&party=nowhere&state=issued", "/orders/filters"]
    queues += ["/hand-over", "/calls"]
    rest = ["/providers", "/account", "/orders/CP-2026-9999", *provider_pages(world)]
    calls = [f"/orders/{issued.ref}/calls/{open_call(world, issued)}"]
    assert look(officer, queues + orders + acts + drafts + others + rest + calls) == []


def test_pages_of_what_reached_nobody(world: World, sign_in: SignIn, sky: str) -> None:
    order = world.issue()
    (notice,) = failed(world, order)
    failed(world, world.issue(), state=MessageState.QUEUED, urgent=True)
    with world.database.transaction() as session:
        session.add(
            DeliveryAttempt(
                message_id=notice.id, number=1, at=world.now, took_ms=9, ok=False, answer="550 no"
            )
        )
    world.clock.move(minutes=1)
    officer = sign_in("officer", color_scheme=sky)
    paths = ["/undelivered", "/undelivered?programs=1", f"/undelivered/{notice.id}"]
    assert look(officer, [*paths, f"/orders/{order.ref}", f"/contacts/{notice.contact_id}"]) == []


def test_a_ladder_in_peoples_hands(world: World, sign_in: SignIn, sky: str) -> None:
    climbing, paused, closed = (world.issue() for _ in range(3))
    with world.database.transaction() as session:
        actor, until = world.actor("supervisor"), world.now + timedelta(minutes=30)
        ladder_holds.pause(session, actor, paused.name, until, "By phone.", world.now)
        escalation.close(session, actor, closed.name, "By phone.", world.now)
    officer = sign_in("officer", color_scheme=sky)
    acts = [f"/orders/{climbing.name}/{v}" for v in ("escalate", "skip", "pause-escalation")]
    held = [f"/orders/{paused.name}{v}" for v in ("", "/go-on", "/escalate")]
    over = [f"/orders/{closed.name}{v}" for v in ("", "/reopen-escalation", "/skip")]
    assert look(officer, [*acts, *held, *over]) == []


def test_unfinished_drafts_and_templates(world: World, sign_in: SignIn, sky: str) -> None:
    typed = (("offence", "Fraud"),)
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        draft = unfinished.save(session, world.vault, actor, None, None, typed, 0, world.now)
        row = order_templates.save(session, world.vault, actor, "Fraud", typed, world.now)
    officer = sign_in("officer", color_scheme=sky)
    drafts = [f"/orders/drafts{end}" for end in ("", f"/{draft.id}", f"/{draft.id}/discard")]
    kept = [f"/templates{end}" for end in ("", f"/{row.id}/edit", f"/{row.id}/delete")]
    assert look(officer, [*drafts, *kept, "/orders?view=drafts"]) == []


def test_cases_copies_and_who_else_is_here(world: World, sign_in: SignIn, sky: str) -> None:
    order, other = world.draft("03-cgnat-fraud-routine.json"), world.issue()
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        case = cases.add(session, actor, order.name, other.name, world.now)
        presence.here(session, actor, other.id, world.now, writing=True)
    officer = sign_in("officer", color_scheme=sky)
    orders = [f"/orders/{other.name}", f"/orders/{other.name}/case", f"/cases/{case.id}"]
    assert look(officer, [*orders, f"/orders/new?copy={order.name}"]) == []


def test_a_draft_of_240_targets(world: World, sign_in: SignIn, sky: str) -> None:
    order = world.draft("07-botnet-240-targets.json")
    assert look(sign_in("officer", color_scheme=sky), [f"/orders/{order.name}/edit"]) == []


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
    verbs = ("acknowledge", "preserve", "decline", "question", "route")
    with_thread(world, issued)
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
        ("provider_administrator", ["/api-keys", "/api-keys/new", "/people", "/webhooks/new"]),
        ("officer", ["/reviews", "/account/password", "/account/authenticator"]),
        ("administrator", ["/rules", "/rules/new", "/providers/import"]),
        ("officer", ["/account/recovery", "/account/passkeys/new", "/account/fresh"]),
    ],
)
def test_pages_of_access(sign_in: SignIn, sky: str, who: str, paths: list[str]) -> None:
    assert look(sign_in(who, color_scheme=sky), paths) == []


def test_pages_of_duty(world: World, sign_in: SignIn, sky: str) -> None:
    rota = on_duty(world)
    spoc = sign_in("spoc", color_scheme=sky)
    forms = ["rotas/new", f"rotas/{rota}/edit", "overrides/new", "swap", "feeds", "import"]
    assert look(spoc, ["/duty", *(f"/duty/{form}" for form in forms)]) == []
    page = spoc.go("/duty/overrides/new")
    page.get_by_role("button", name="Enter it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert spoc.axe() == []
    officer = sign_in("officer", color_scheme=sky)
    assert look(officer, ["/duty", provider_pages(world)[0]]) == []


def on_duty(world: World) -> UUID:
    """A rota of Meridian's that leaves a gap on Sundays, and somebody who stands in."""
    meridian = world.register.providers["Meridian Telecom"]
    with world.database.transaction() as session:
        query = select(Contact).where(Contact.provider_id == meridian).order_by(Contact.position)
        first, second = session.scalars(query.limit(2))
        rota = duty.make_rota(
            session,
            world.actor("spoc"),
            {
                "name": "Desk",
                "turn": "daily",
                "handover": "08:00",
                "weekday": 0,
                "time_zone": "Asia/Yerevan",
                "starts_on": "2026-11-20",
                "members": [str(first.id), str(second.id)],
                "windows": ["Mon to Sat, 00:00 to 24:00"],
                "holidays": "as_usual",
            },
            world.now,
        )
        stands_in = {"contact": str(second.id), "note": "Ill"}
        stands_in |= {"starts_at": "2026-11-24 08:00", "ends_at": "2026-11-24 20:00"}
        duty_overrides.override(session, world.actor("spoc"), stands_in, world.now)
        return rota.id


def test_pages_of_drills(world: World, sign_in: SignIn, sky: str) -> None:
    planned = plan(world, world.now + timedelta(hours=30), announced=True)
    world.preserve(begin(world), days=1)
    running = begin(world)
    real = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    world.acknowledge(real)
    card = f"/providers/{world.register.providers['Meridian Telecom']}/scorecard"
    supervisor = sign_in("supervisor", color_scheme=sky)
    pages = ["/drills", "/drills/new", f"/drills/{planned.id}/cancel", card, "/orders?view=drills"]
    assert look(supervisor, [*pages, f"/orders/{running.ref}"]) == []
    spoc = sign_in("spoc", color_scheme=sky)
    assert look(spoc, ["/drills", card, f"/orders/{running.ref}"]) == []


def test_forms_of_access(world: World, sign_in: SignIn, sky: str) -> None:
    officer = f"/people/{world.person('officer').id}"
    administrator = sign_in("administrator", color_scheme=sky)
    assert look(administrator, [officer, f"{officer}/disable", f"{officer}/roles"]) == []
    with world.database.reading() as session:
        provider = world.register.providers["Meridian Telecom"]
        key = session.scalars(select(ApiKey.id).where(ApiKey.provider_id == provider)).one()
    keeper = sign_in("provider_administrator", color_scheme=sky)
    note(world, key, 422, problem="validation", pointers=("/days",), method="POST")
    note(world, key, 304)
    page = f"/api-keys/{key}"
    assert look(keeper, [page, f"{page}?problems=1", f"{page}/roll", f"{page}/revoke"]) == []


def test_pages_of_webhooks(world: World, sign_in: SignIn, sky: str) -> None:
    hook, _ = made(world, "https://hooks.meridian.example/liaison")
    world.issue()
    keeper = sign_in("provider_administrator", color_scheme=sky)
    page = f"/webhooks/{hook}"
    assert look(keeper, ["/webhooks", page, f"{page}/edit", f"{page}/roll", f"{page}/remove"]) == []
    assert look(sign_in("supervisor", color_scheme=sky), ["/webhooks"]) == []


def test_pages_of_contacts(world: World, sign_in: SignIn, sky: str) -> None:
    page = f"/contacts/{contact_of(world)}"
    keeper = sign_in("provider_administrator", color_scheme=sky)
    forms = [f"{page}/edit", f"{page}/remove", f"{page}/verify/phone", "/contacts/new"]
    assert look(keeper, [page, *forms]) == []
    officer = sign_in("officer", color_scheme=sky)
    with world.database.reading() as session:
        number = session.scalars(select(Verification.id)).one()
    assert look(officer, [page, "/contacts/to-verify", f"/contacts/to-verify/{number}"]) == []


def test_a_rule_and_a_file_of_providers(world: World, sign_in: SignIn, sky: str) -> None:
    content = b"name,country,time_zone\nNewcomer,AM,Asia/Yerevan\nNorvik Mobile,PT,Europe/Lisbon\n"
    actor = world.actor("administrator")
    with world.database.transaction() as session:
        rule = session.scalars(select(PartyRule.id).where(PartyRule.name == "Canada")).one()
        made = [
            register_imports.check(session, actor, "list.csv", text, world.now)
            for text in (content, content, content + b"X,??,Nowhere\n")
        ]
        register_imports.confirm(session, actor, made[1].id, world.now)
    foreign = world.draft("02-foreign-ransomware-hosting.json")
    paths = [f"/providers/import/{one.id}" for one in made]
    administrator = sign_in("administrator", color_scheme=sky)
    assert look(administrator, [*paths, f"/rules/{rule}/edit", f"/rules/{rule}/remove"]) == []
    officer = sign_in("officer", color_scheme=sky)
    assert look(officer, [f"/orders/{foreign.name}/issue"]) == []
    page = officer.go(f"/orders/{foreign.name}/edit")
    page.get_by_role("button", name="Show the rule").click()
    expect(page.get_by_role("heading", name="The rule of the asking Party")).to_be_in_viewport()
    assert officer.axe() == []


def test_entries_of_the_register(world: World, sign_in: SignIn, sky: str) -> None:
    own = f"/providers/{world.register.providers['Norvik Mobile']}"
    authority = f"/authorities/{world.register.authorities['NL']}"
    keeper = sign_in("administrator", color_scheme=sky)
    pages = [f"{place}{page}" for place in (own, authority) for page in ("", "/edit")]
    pages += [f"{own}/first-administrator", f"{authority}/first-administrator"]
    pages += ["/providers/new", "/authorities", "/authorities/new", "/providers?q=192.0.2.144"]
    assert look(keeper, pages) == []
    page = keeper.go("/providers/new")
    page.get_by_label("Address ranges").fill("10.0.0.0/8")
    page.get_by_role("button", name="Register the provider").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert keeper.axe() == []


def test_the_provider_is_found_and_chosen(world: World, sign_in: SignIn, sky: str) -> None:
    draft = world.draft(provider="Norvik Mobile")
    officer = sign_in("officer", color_scheme=sky)
    page = officer.go(f"/orders/{draft.name}/edit")
    page.get_by_role("button", name="Find the provider").click()
    expect(page.get_by_role("heading", name="The register proposes")).to_be_in_viewport()
    assert officer.axe() == []
    page.get_by_role("button", name="Choose Meridian Telecom").click()
    expect(page.get_by_label("Provider", exact=True)).to_have_value("Meridian Telecom")
    assert officer.axe() == []
    assert look(officer, [f"/orders/{draft.name}/issue"]) == []


def test_pages_of_memoranda(world: World, sign_in: SignIn, sky: str) -> None:
    draft = memorandum.begin(world)
    keeper = sign_in("provider_administrator", color_scheme=sky)
    acts = ("", "/edit", "/sign", "/document/new", "/discard")
    pages = [f"/memoranda/{draft}{act}" for act in acts]
    page = keeper.go(f"/memoranda/{draft}/edit")
    page.get_by_label("Longest duration").fill("none")
    page.get_by_role("button", name="Keep the draft").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert keeper.axe() == []
    assert look(keeper, ["/memoranda", "/memoranda/new", *pages]) == []
    memorandum.sign(world, draft, "supervisor")
    memorandum.write(world, draft, "supervisor", in_force_from="2026-11-01")
    assert look(keeper, [f"/memoranda/{draft}", f"/memoranda/{draft}/sign"]) == []
    first = memorandum.first_of(world)
    assert look(keeper, [f"/memoranda/{first}/end"]) == []
    memorandum.end(world, first, world.now.date())
    officer = sign_in("officer", color_scheme=sky)
    assert look(officer, ["/memoranda", f"/memoranda/{first}", f"/memoranda/{draft}"]) == []


def test_ladder_what_if_and_comparison(world: World, sign_in: SignIn, sky: str) -> None:
    draft = memorandum.begin(world)
    keeper = sign_in("provider_administrator", color_scheme=sky)
    pages = [f"/memoranda/{draft}/{act}" for act in ("ladders/urgent", "what-if", "compare")]
    assert look(keeper, [*pages, f"/memoranda/{draft}/what-if?at=soon"]) == []
    page = keeper.go(f"/memoranda/{draft}/ladders/emergency")
    page.get_by_role("button", name="Add a rung").click()
    page.get_by_role("button", name="Keep the ladder").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert keeper.axe() == []


def test_pages_of_a_doubt(world: World, sign_in: SignIn, sky: str) -> None:
    order, other = world.issue(), world.issue("05-names-from-everywhere.json")
    with world.database.transaction() as session:
        doubts.raise_(session, world.actor("spoc"), order.name, "Odd.", None, world.now)
    papers = [f"/orders/{order.ref}/{paper}" for paper in ("print", "record")]
    spoc = sign_in("spoc", color_scheme=sky)
    asked = [f"/orders/{other.ref}/doubt", f"/orders/{order.ref}/doubt", f"/orders/{order.ref}"]
    assert look(spoc, asked + papers) == []
    page = spoc.go(f"/orders/{other.ref}/doubt")
    page.get_by_role("button", name="I doubt this order").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert spoc.axe() == []
    pages = [f"/orders/{order.ref}", f"/orders/{order.ref}/vouch", "/orders"]
    for who in ("officer", "supervisor"):
        assert look(sign_in(who, color_scheme=sky), pages) == []


def test_a_planted_fault_is_found(browse: Callable[..., Person]) -> None:
    stranger = browse()
    page = stranger.go("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert stranger.axe() != []


def test_pages_after_preservation(sign_in: SignIn, world: World, sky: str) -> None:
    asked, kept_on, gone = (world.preserve(world.issue()) for _ in range(3))
    after.ask(world, asked, reason="The request is at the court.")
    after.record_mla(world, kept_on, note="By way of the ministry.")
    fresh = world.preserve(world.issue(mla={"intended": True, "expected_by": "2027-01-15"}))
    after.release(world, gone, note="Found.")
    names = [f"/orders/{o.ref}" for o in (asked, kept_on, gone, fresh)]
    officer = sign_in("officer", color_scheme=sky)
    acts = [f"/orders/{fresh.ref}/{act}" for act in ("extension", "mla", "release")]
    assert look(officer, [*names, *acts, "/figures", "/figures?period=2025"]) == []
    spoc = sign_in("spoc", color_scheme=sky)
    acts = [f"/orders/{asked.ref}/extension", f"/orders/{gone.ref}/disposal"]
    assert look(spoc, [*names, *acts]) == []


def test_pages_of_requests(sign_in: SignIn, world: World, sky: str) -> None:
    whole = incoming.register(world, incoming.RANSOMWARE)
    lacking = incoming.register(world, incoming.FOLLOW_UP, targets=[{"value": "x@harbour.example"}])
    incoming.write(world, whole, LetterKind.RECEIPT)
    world.preserve(incoming.served(world, whole, incoming.RANSOMWARE), by="sevan_spoc")
    incoming.made(world, whole, incoming.RANSOMWARE)
    officer = sign_in("officer", color_scheme=sky)
    pages = ["/requests", "/requests?view=waiting", "/requests?q=none", "/requests/new"]
    pages += [f"/requests/{whole.id}{end}" for end in ("", "/progress", "/result", "/refuse")]
    ends = ("", "/edit", "/receipt", "/missing", "/refuse", "/close")
    pages += [f"/requests/{lacking.id}{end}" for end in ends]
    assert look(officer, [*pages, f"/orders/new?request={lacking.id}"]) == []
    page = officer.go("/requests/new")
    page.get_by_role("button", name="Register the request").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert officer.axe() == []
