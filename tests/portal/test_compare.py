"""Two versions side by side: what differs first, then what is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from liaison.domain.terms import terms_from_json, terms_json
from liaison.domain.vocabulary import Urgency
from liaison.models import Memorandum
from liaison.services import memoranda as verbs
from tests.portal.filled import SignedIn
from tests.portal.test_memoranda import words
from tests.world import World

pytestmark = pytest.mark.one_database


def agreed(world: World, provider: str = "Meridian Telecom") -> UUID:
    """The memorandum in force with a provider."""
    with world.database.reading() as session:
        return session.scalars(
            select(Memorandum.id).where(
                Memorandum.authority_id == world.register.authorities["CP"],
                Memorandum.provider_id == world.register.providers[provider],
                Memorandum.signed_on.is_not(None),
            )
        ).one()


@pytest.fixture
def draft(world: World) -> UUID:
    """The next version, with other terms."""
    with world.database.transaction() as session:
        side = {"provider_id": str(world.register.providers["Meridian Telecom"])}
        made = verbs.draft(session, world.actor("supervisor"), side, world.now)
        terms = terms_from_json(made.terms)
        ladder = terms.ladders[Urgency.EMERGENCY]
        shorter = replace(ladder, rungs=ladder.rungs[:1] + ladder.rungs[2:])
        other = replace(
            terms,
            answer=timedelta(hours=2),
            ladders={**terms.ladders, Urgency.EMERGENCY: shorter},
        )
        made.terms = terms_json(other)
        return made.id


def changed(html: str) -> str:
    return words("<main " + html.partition('id="changed-h"')[2].partition("</section>")[0])


def test_what_differs_comes_first(world: World, signed_in: SignedIn, draft: UUID) -> None:
    """A rung that went is one line, though all behind it moved."""
    html = signed_in("spoc").get(f"/memoranda/{draft}/compare").text
    told = changed(html)
    assert "3 terms differ from MoU-CP-Meridian, version 1 to MoU-CP-Meridian, version 2" in told
    assert "In force from 1 Jan 2026 to 31 Dec 2028" in told
    assert "answered by the contact point within 24 h answered by the contact point within 2 h" in (
        told
    )
    assert "Emergency: ladder, rung 2 after 15 min, every SPOC by e-mail taken out" in told
    assert "rung 3" not in told
    assert "Who may issue" in words(html).partition("What is the same")[2]


def test_the_other_way_round(world: World, signed_in: SignedIn, draft: UUID) -> None:
    """The one in force against the draft, where its address is chosen."""
    html = signed_in("officer").get(f"/memoranda/{agreed(world)}/compare?with={draft}").text
    assert "rung 2 not there after 15 min, every SPOC by e-mail" in changed(html)


def test_one_that_is_alone_says_so(world: World, signed_in: SignedIn) -> None:
    """Nothing to compare it with."""
    page = words(signed_in("officer").get(f"/memoranda/{agreed(world)}/compare").text)
    assert "There is no other version" in page


def test_both_are_of_the_same_two_organisations(
    world: World, signed_in: SignedIn, draft: UUID
) -> None:
    """Another pair's, an absent one and nonsense are answered alike."""
    client = signed_in("officer")
    for other in (agreed(world, "Norvik Mobile"), uuid4(), "nonsense", "%00"):
        assert client.get(f"/memoranda/{draft}/compare?with={other}").status_code == 404
    for who in ("foreign_officer", "norvik_spoc"):
        assert signed_in(who).get(f"/memoranda/{draft}/compare").status_code == 404
