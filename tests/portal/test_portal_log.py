"""The portal's log: who reads what of it, its filters, its file."""

from __future__ import annotations

import ast
import csv
import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from liaison.documents import csv_file
from liaison.portal.log_words import SENTENCES
from liaison.queries.portal_log import PAGE, TYPES
from liaison.services import keyring, portal_log
from tests.floors import PACKAGE
from tests.portal.filled import SignedIn
from tests.world import World


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<tbody>")[2]).split())


def note(world: World, type_: str, organisation: str, **data: Any) -> None:
    with world.database.transaction() as session:
        portal_log.note(session, world.now, type_, "operator", organisation, data)


def own(world: World) -> str:
    return f"authority:{world.register.authorities['CP']}"


def by(name: str, organisation: str = "Somewhere") -> dict[str, str]:
    return {"name": name, "organisation": organisation}


def rows(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "who",
    ["officer", "supervisor", "administrator", "spoc", "provider_administrator"],
)
def test_only_auditors_read_it(signed_in: SignedIn, who: str) -> None:
    browser = signed_in(who)
    assert browser.get("/portal-log").status_code == 403
    assert browser.get("/portal-log.csv").status_code == 403
    assert "Portal log" not in browser.get("/account").text


def test_an_auditor_finds_it_in_the_menu(signed_in: SignedIn) -> None:
    browser = signed_in("auditor")
    assert 'href="/portal-log"' in browser.get("/account").text
    assert browser.get("/portal-log").status_code == 200


def test_nobody_reads_it_without_signing_in(client: FlaskClient, world: World) -> None:
    for path in ("/portal-log", "/portal-log.csv"):
        assert client.get(path).location.startswith("/login?next=/portal-log")


def test_an_auditor_reads_their_own_authority_and_providers(
    signed_in: SignedIn, world: World
) -> None:
    other = f"authority:{world.register.authorities['NL']}"
    provider = f"provider:{world.register.providers['Norvik Mobile']}"
    note(world, "disabled", own(world), name="Ours", by=by("A"))
    note(world, "disabled", provider, name="Providers", by=by("B"))
    note(world, "disabled", "portal", name="Nobodys", by=by("C"))
    note(world, "disabled", other, name="Foreign", by=by("D"))
    # Names that look like our own: what somebody is called decides nothing.
    note(world, "disabled", other, name="Posing one", by=by("E", own(world)))
    forged = f'x","organisation":"{own(world)}","y":"'
    note(world, "disabled", other, name=f"Posing two {forged}", by=by(forged, forged))
    note(world, "disabled", other, name="Posing three", z=own(world), by=by("F"))
    browser = signed_in("auditor")
    page = words(browser.get("/portal-log").text)
    for seen in ("Ours", "Providers", "Nobodys"):
        assert f"The account of {seen} was disabled" in page
    file = browser.get("/portal-log.csv").text
    for text in (page, file):
        assert "Foreign" not in text
        assert "Posing" not in text


def test_it_is_newest_first_and_in_pages(app: Flask, signed_in: SignedIn, world: World) -> None:
    with world.database.transaction() as session:
        for n in range(PAGE * 2 + 5):
            portal_log.note(
                session, world.now, "disabled", "operator", own(world), {"name": f"No{n:03}"}
            )
    browser = signed_in("auditor")
    seen: list[str] = []
    path = "/portal-log?group=people"
    while path:
        text = browser.get(path).text
        found = re.findall(r"No\d{3}", words(text))
        assert len(found) <= PAGE
        seen += found
        link = re.search(r'href="(/portal-log\?[^"]*before=\d+)"', text)
        path = link.group(1).replace("&amp;", "&") if link else ""
        assert not path or "group=people" in path
    assert seen == [f"No{n:03}" for n in reversed(range(PAGE * 2 + 5))]
    file = rows(browser.get("/portal-log.csv?group=people"))
    assert len(file) == PAGE * 2 + 6


def test_it_is_read_with_as_many_queries_whatever_its_length(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    browser = signed_in("auditor")
    browser.get("/portal-log")  # how the portal itself is is looked at once in five seconds
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(app.extensions["liaison"].database.engine, "before_cursor_execute", count)
    counts = []
    for _ in range(2):
        for who in world.register.people.values():
            note(world, "disabled", own(world), person=str(who.id))
        asked.clear()
        assert browser.get("/portal-log").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_it_is_narrowed_by_person(signed_in: SignedIn, world: World) -> None:
    spoc, admin = world.person("spoc"), world.person("provider_administrator")
    provider = f"provider:{spoc.provider_id}"
    note(world, "disabled", provider, person=str(spoc.id))
    note(world, "enabled", provider, person=str(admin.id))
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        keyring.make(session, actor, keyring.Wanted("Probe", ["read"]), world.now)
    browser = signed_in("auditor")

    def found(person: str) -> str:
        return words(browser.get("/portal-log", query_string={"person": person}).text)

    assert "Ruben Vardanyan was disabled" in found("vardanyan")
    assert "Avagyan" not in found("R.VARDANYAN@")
    assert "Probe was made: read, from anywhere" in found("Tigran")
    assert "was enabled again" in found("Tigran")
    for nobody in ("nobody at all", "%", "_", "'"):
        assert "Nothing fits" in found(nobody), nobody
    assert browser.get("/portal-log?person=%00").status_code == 200


def test_it_is_narrowed_by_kind_and_days(signed_in: SignedIn, world: World) -> None:
    note(world, "disabled", own(world), name="Monday")
    world.clock.move(hours=12)
    note(world, "disabled", own(world), name="Tuesday")
    note(world, "key_revoked", own(world), name="Nightly", reason="Lost")
    browser = signed_in("auditor")

    def found(query: str) -> str:
        return words(browser.get(f"/portal-log?{query}").text)

    assert "Tuesday" not in found("until=2026-11-23")
    assert "Monday" in found("until=2026-11-23")
    assert "Monday" not in found("since=2026-11-24")
    assert "Tuesday" in found("since=2026-11-24&until=2026-11-24")
    keys = found("group=keys")
    assert "API key Nightly was revoked. Reason: Lost" in keys
    assert "Tuesday" not in keys
    assert "Tuesday" in found("until=9999-12-31")
    wrong = browser.get("/portal-log?since=soon&until=2026-13-01&group=x&before=-1")
    assert wrong.status_code == 200
    assert wrong.text.count("is no date") == 2


def test_sign_ins_and_refusals_are_told_in_words(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    browser = signed_in("auditor")
    provider = f"provider:{world.person('spoc').provider_id}"
    told = {"person": str(world.person("spoc").id), "factor": "password"}
    note(world, "sign_in_refused", provider, **told, via={"address": "203.0.113.5"})
    note(world, "sign_in_refused", "portal", person=None, factor="password")
    page = words(browser.get("/portal-log?group=sign-ins").text)
    assert "Sign-in refused for Ruben Vardanyan: wrong password." in page
    assert "203.0.113.5" in page
    assert "for an address that has no account: wrong password." in page
    assert "Levon Hakobyan signed in with password and authenticator." in page


def test_cells_that_a_spreadsheet_would_run_are_neutralised(
    signed_in: SignedIn, world: World
) -> None:
    evil = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1+1", "a\nb"]
    for name in evil:
        note(world, "disabled", own(world), name="x", by=by(name, name))
    browser = signed_in("auditor")
    answer = browser.get("/portal-log.csv?group=people")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "no-store"
    found = rows(answer)[1:]
    assert len(found) == len(evil)
    assert not [c for row in found for c in row if c.lstrip(" ")[:1] in set("=+-@\t\r\n")]
    assert '\'=HYPERLINK("http://x")' in {row[4] for row in found}


@pytest.mark.one_database
@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", " =x", "＝1", "\u00a0=x", "\u200b=x", "\x0b=x"],
)
def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert csv_file.cell(text) == f"'{text}"
    assert csv_file.cell(f"a{text}") == f"a{text}"


def test_hostile_text_is_shown_as_text(signed_in: SignedIn, world: World) -> None:
    note(world, "disabled", own(world), name="<script>x</script>", by=by("<b>y</b>"))
    text = signed_in("auditor").get("/portal-log").text
    assert "<script>x" not in text
    assert "<b>y" not in text
    assert "&lt;script&gt;x" in text


@pytest.mark.one_database
def test_every_type_has_a_sentence_and_a_kind() -> None:
    grouped = [type_ for types in TYPES.values() for type_ in types]
    assert sorted(grouped) == sorted(SENTENCES)
    assert len(grouped) == len(set(grouped))


@pytest.mark.one_database
def test_every_type_that_is_written_has_a_sentence() -> None:
    """Reads the verbs' own text: a new type of entry must be told in words."""
    written = set()
    for path in sorted((PACKAGE / "services").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(call, "func", None), "attr", None) or getattr(
                getattr(call, "func", None), "id", None
            )
            if isinstance(call, ast.Call) and name in ("note", "_note"):
                words = [a.value for a in call.args if isinstance(a, ast.Constant)]
                written |= {f"portal.{word}" for word in words if isinstance(word, str)}
    written -= {"portal.unknown", "portal.clock"}  # who did it, where that is no person
    assert {"portal.key_made", "portal.key_rolled", "portal.signed_in"} <= written
    assert not written - set(SENTENCES)
