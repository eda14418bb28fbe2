"""The provider on whom a visitor watches a ladder climb, and the accounts of an older demo."""

from __future__ import annotations

import json
import stat
from datetime import timedelta

from sqlalchemy import select

from liaison.demo import accounts
from liaison.domain.ladder import Climb, outline
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Urgency
from liaison.models import Database, Memorandum, Order, Provider
from liaison.settings import Settings
from tests.world import START

MINUTE = timedelta(minutes=1)


def test_the_second_rung_comes_after_a_minute_and_the_top_after_five(
    demo_database: Database,
) -> None:
    named = Provider.name == accounts.REHEARSES
    with demo_database.reading() as session:
        rows = session.scalars(select(Memorandum).join(Memorandum.provider).where(named))
        terms = terms_from_json(rows.one().terms)
        served = session.scalars(select(Order).join(Order.provider).where(named)).all()
    steps = outline(terms.ladders[Urgency.EMERGENCY], Climb.ACKNOWLEDGE, START)
    assert [(s.due_at - START) / MINUTE for s in steps] == [0, 1, 2, 3, 5, 10]
    assert terms.clocks[Urgency.EMERGENCY].acknowledge == 5 * MINUTE
    assert terms.reply_acknowledges
    assert served == [], "one answer by telephone is enough: no other order is open there"


def test_who_has_an_account_keeps_it_when_a_newer_demo_brings_people(own_demo: Settings) -> None:
    folder = own_demo.data_dir
    before = accounts.kept(folder)
    path = folder / "accounts.json"
    older = json.loads(path.read_text(encoding="utf-8"))
    del older["people"]["spoc@rehearsal.example"], older["keys"][accounts.REHEARSES]
    path.write_text(json.dumps(older), encoding="utf-8")
    after = accounts.kept(folder)
    assert after["people"].keys() == before["people"].keys()
    assert after["keys"].keys() == before["keys"].keys()
    assert after["people"]["officer@police.example"] == before["people"]["officer@police.example"]
    assert accounts.kept(folder) == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
