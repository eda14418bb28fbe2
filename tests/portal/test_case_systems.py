"""A contact point's case system in the portal: its key, and the orders that a program wrote."""

from __future__ import annotations

import re

from flask import Flask

from tests.api.case_systems import ADDRESS_OF
from tests.api.program import Program
from tests.portal.filled import SignedIn, fields
from tests.world import World, submit

ROUTINE = "03-cgnat-fraud-routine.json"
FORM = {"name": "CaseDesk 4", "scopes": ["read", "draft"], "networks": "", "days": "60"}


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_from_the_key_to_an_order_that_people_stand_behind(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    # An administrator makes the key: other scopes than a provider's, and no webhooks beside.
    admin = signed_in("administrator")
    new = admin.get("/api-keys/new").text
    assert 'value="draft"' in new
    assert 'value="respond"' not in new
    assert "counts as a writer of what its program writes" in new
    assert submit(admin, "/api-keys/new", {**FORM, "scopes": ["respond"]}).status_code == 422
    page = submit(admin, "/api-keys/new", FORM)
    key = re.search(r'id="key" value="(lsn_[\w-]+)"', page.text)
    assert key is not None
    assert "http://localhost/api/v1/authority/whoami" in page.text
    listed = admin.get("/api-keys").text
    assert "CaseDesk 4" in listed
    assert "follows its orders and drafts new ones" in listed
    assert admin.get("/webhooks/new").status_code == 403
    assert signed_in("spoc").get("/api-keys").text.count("CaseDesk 4") == 0

    # Its program drafts and submits.
    case = Program(app.test_client(), {"Authorization": f"Bearer {key.group(1)}"})
    assert case.get("/authority/whoami").get_json()["key"]["name"] == "CaseDesk 4"
    made = case.post(ADDRESS_OF, world.data(ROUTINE)).get_json()
    path = f"/orders/{made['id']}"
    officer = signed_in("officer")
    draft = words(officer.get(path).text)
    assert "Written by a program , with the API key CaseDesk 4 ." in draft
    assert "whoever submits it is" in draft
    typed = {"written_by": [world.person("second_officer").email]}
    case.post(f"{ADDRESS_OF}/{made['id']}/submission", typed)

    # Its people read who wrote it before one of them authorises it.
    shown = words(officer.get(path).text)
    assert "Submitted by a program" in shown
    assert "names as its writers: Davit Sahakyan" in shown
    check = words(officer.get(f"{path}/authorise").text)
    assert "Compare it with the case before you do" in check
    assert "whoever authorises it is" in check
    other = signed_in("second_officer")
    assert "somebody else must authorise it" in words(other.get(f"{path}/authorise").text)
    assert "The program that submitted it finds your note" in words(
        officer.get(f"{path}/return").text
    )
    world.clock.move(minutes=6)
    page = officer.get(f"{path}/authorise")
    assert "It signs the order with your name, and you are in charge of it." in page.text
    form = fields(page.text).to_dict()
    form["code"] = world.unused_code("officer")
    assert officer.post(f"{path}/authorise", data=form).status_code == 303

    # Afterwards it stands on the contact point's page and in no provider's.
    served = world.order(made["id"])
    assert served.officer is not None
    assert served.officer.name == "Anahit Petrosyan"
    assert "CaseDesk 4" in officer.get(f"/orders/{served.ref}").text
    theirs = signed_in("norvik_spoc").get(f"/orders/{served.ref}")
    assert theirs.status_code == 200
    assert "CaseDesk 4" not in theirs.text
    # The log names the key's making to whoever may read it.
    assert "CaseDesk 4" in signed_in("auditor").get("/portal-log").text
