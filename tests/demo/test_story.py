"""What stands in the demo's database."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from liaison.clock import SystemClock
from liaison.demo import accounts, accounts_json, build, place
from liaison.demo.letters import listed
from liaison.demo.orderbook import WRITTEN, order_as_of
from liaison.demo.stage import officer
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import OrderState
from liaison.domain.scorecard import Share
from liaison.domain.vocabulary import Channel, DrillState, Role, Urgency
from liaison.errors import OutsideTerms
from liaison.models import CallTask, Database, Drill, Message, Order, Provider, Stream
from liaison.models.work import CallState, MessageState
from liaison.queries.scorecard import scorecards
from liaison.services import accounts as sign_ins
from liaison.services import authorising, keys, ledger_check
from liaison.services.vault import Vault
from liaison.settings import Settings
from tests.world import ORDERS

MINUTE = timedelta(minutes=1)


def _orders(database: Database) -> dict[str, Order]:
    with database.reading() as session:
        found = session.scalars(select(Order).where(Order.test.is_(False))).all()
        return {f"{o.provider.name}, {o.urgency}, {o.state}": o for o in found}


def _built_at(demo: Settings) -> datetime:
    stamp = json.loads((demo.data_dir / "story.json").read_text(encoding="utf-8"))
    return datetime.fromisoformat(stamp["built_at"])


def test_the_story(demo: Settings, demo_database: Database) -> None:
    now = _built_at(demo)
    found = _orders(demo_database)
    assert len(found) == 10
    emergency = found["Meridian Telecom, emergency, issued"]
    assert emergency.acknowledge_by == now + 18 * MINUTE
    waiting = found["Meridian Telecom, routine, issued"]
    assert waiting.acknowledge_by is not None
    assert waiting.acknowledge_by > now
    assert str(waiting.ref) > str(emergency.ref), "a program finds the emergency first"
    overdue = found["Norvik Mobile, routine, issued"]
    assert overdue.acknowledge_by is not None
    assert overdue.acknowledge_by < now
    question = found["Meridian Telecom, urgent, acknowledged"]
    assert question.question_open_since is not None
    declined = found["Meridian Telecom, routine, declined"]
    assert declined.refusal is not None
    expiring = found["Harbour Cable, routine, preserved"]
    assert expiring.preserved_until is not None
    assert timedelta(0) < expiring.preserved_until - now < timedelta(days=14)
    lasting = found["Sevan Hosting, urgent, preserved"]
    assert lasting.preserved_until is not None
    assert lasting.preserved_until - now > timedelta(days=90)
    assert found["Norvik Mobile, emergency, preserved"].state is OrderState.PRESERVED
    assert found["Sevan Hosting, routine, issued"].issued_at == now
    assert found["Harbour Cable, routine, draft"].ref is None


def test_nothing_in_it_looks_like_an_attack(demo_database: Database) -> None:
    """Whoever sees the demo first must not take a test's hostile text for a burglar's."""
    with demo_database.reading() as session:
        orders = session.scalars(select(Order)).all()
        told = [[o.facts, o.offence, *(t.value for t in o.targets)] for o in orders]
    assert not [text for texts in told for text in texts if text and "alert(" in text]


def test_past_rungs_have_fired_and_nothing_is_left_to_send(
    demo: Settings, demo_database: Database
) -> None:
    emergency = _orders(demo_database)["Meridian Telecom, emergency, issued"]
    with demo_database.reading() as session:
        notices = session.scalars(select(Message)).all()
        calls = session.scalars(select(CallTask).where(CallTask.order_id == emergency.id)).all()
    assert {n.state for n in notices} == {MessageState.SENT}
    theirs = [n for n in notices if n.order_id == emergency.id]
    mailed = [n.address for n in theirs if n.channel is Channel.EMAIL]
    assert sorted(mailed) == [
        "deputy@meridian.example",
        "noc@meridian.example",
        "officer@police.example",  # it has to be ratified
        "spoc@meridian.example",
        "spoc@meridian.example",
        "supervisor@police.example",
    ]
    assert {c.state for c in calls} == {CallState.LOGGED, CallState.OPEN}
    texts = [n.address for n in theirs if n.channel is Channel.TEXT]
    assert sorted(texts) == ["+37410000101", "+37410000101", "+37410000102"]
    letters = listed(demo.data_dir / "mail")
    assert sorted(letter.key for letter in letters) == sorted(
        n.idem for n in notices if n.channel is Channel.EMAIL
    )
    assert all(letter.subject.startswith("[DEMO] ") for letter in letters)


def test_drills_of_the_year_before_are_on_the_scorecard(
    demo: Settings, demo_database: Database
) -> None:
    now = _built_at(demo)
    with demo_database.reading() as session:
        drills = session.scalars(select(Drill).order_by(Drill.planned_at)).all()
        assert [d.state for d in drills if d.planned_at < now] == [DrillState.ENDED] * 8
        assert {d.state for d in drills if d.planned_at > now} == {DrillState.PLANNED}
        assert len(drills) == 16, "the worker found nothing left to plan"
        refs = session.scalars(select(Order.ref).where(Order.test.is_(False), Order.ref > ""))
        assert sorted(ref[-4:] for ref in refs if ref) == [f"{n:04d}" for n in range(1, 10)]
        meridian = session.scalars(select(Provider).where(Provider.name == "Meridian Telecom"))
        (card,) = scorecards(session, officer(session, now), meridian.one(), 12, now)
    assert (card.drills.number, card.drills.answered) == (2, 2)
    assert card.drills.median == 9 * MINUTE
    assert card.drills.ninetieth == 95 * MINUTE
    assert card.drills.in_time == Share(1, 2)
    assert (card.drills.hours[2].whole, card.drills.hours[3].whole) == (1, 1)
    reached = {(r.whom, r.channel): r for r in card.reach}
    assert reached[Whom.FALLBACK, Channel.CALL].good == 1
    assert reached[Whom.ON_DUTY, Channel.CALL].bad == 1
    assert card.real.number == 4


def test_the_ledger_holds(demo_database: Database) -> None:
    with demo_database.reading() as session:
        found = list(ledger_check.verify(session))
    assert len(found) >= 5
    assert all(isinstance(one, Stream) for one in found)


def test_the_draft_shows_which_term_stands_in_the_way(
    demo: Settings, demo_database: Database
) -> None:
    draft = _orders(demo_database)["Harbour Cable, routine, draft"]
    now = _built_at(demo)
    with demo_database.writing() as session:
        with pytest.raises(OutsideTerms) as caught:
            authorising.submit(session, officer(session, now), str(draft.id), None, now)
        session.rollback()
    said = " ".join(fault.detail for fault in caught.value.errors)
    assert "Location data" in said
    assert "MoU-03" in said


def test_the_accounts_sign_in(
    demo: Settings, demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIAISON_DATA_DIR", str(demo.data_dir))
    told = json.loads(accounts_json())
    assert set(told) == {"url", "accounts", "api_keys"}
    assert {a["role"] for a in told["accounts"]} == {
        role.value for role in Role if role not in (Role.PROGRAM, Role.CASE_SYSTEM, Role.CLOCK)
    }
    now = SystemClock().now()
    vault = Vault(demo.encryption_key)
    with demo_database.writing() as session:
        for account in told["accounts"]:
            names = ("email", "role", "organisation", "password", "totp_secret", "totp_now")
            assert tuple(account) == names
            tried = sign_ins.count_try(session, account["email"], "127.0.0.1", now)
            assert isinstance(tried, sign_ins.Tried)
            right = tried.fits(account["password"])
            started = sign_ins.start(session, tried, right, "127.0.0.1", "test", now)
            assert isinstance(started, sign_ins.Started)
            row = sign_ins.resume(session, started.token, now)
            assert row is not None
            code = pyotp.TOTP(account["totp_secret"]).at(now)
            passed = sign_ins.give_code(session, vault, row, code, "127.0.0.1", now)
            assert isinstance(passed, sign_ins.Passed)
        for given in told["api_keys"]:
            _, actor = keys.actor_for_key(session, given["key"], "127.0.0.1", now)
            assert actor.organisation == given["provider"]
        session.rollback()


def test_secrets_are_their_owners_only(demo: Settings) -> None:
    mode = stat.S_IMODE((demo.data_dir / "accounts.json").stat().st_mode)
    assert mode == 0o600
    assert len({p["password"] for p in accounts.kept(demo.data_dir)["people"].values()}) == 11


@pytest.mark.timeout(600)  # a year is told three times
def test_a_fresh_story_is_kept_and_a_stale_one_told_anew(
    own_demo: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    build.prepare(own_demo)
    assert "there is none yet" in capsys.readouterr().out
    first = _built_at(own_demo)
    people = accounts.kept(own_demo.data_dir)
    build.prepare(own_demo)
    assert "is there" in capsys.readouterr().out
    assert _built_at(own_demo) == first
    stamp = own_demo.data_dir / "story.json"
    told = json.loads(stamp.read_text(encoding="utf-8"))
    told["built_at"] = (first - timedelta(hours=13)).isoformat()
    stamp.write_text(json.dumps(told), encoding="utf-8")
    build.prepare(own_demo)
    assert "older than 12 hours" in capsys.readouterr().out
    assert _built_at(own_demo) > first
    assert accounts.kept(own_demo.data_dir) == people, "whoever has an account keeps it"
    (own_demo.data_dir / "keys.json").unlink()
    other = place.demo_settings({"LIAISON_DATA_DIR": os.fspath(own_demo.data_dir)})
    build.prepare(other)
    assert "programs or keys" in capsys.readouterr().out


@pytest.mark.parametrize("file", sorted(path.name for path in ORDERS.glob("*.json")))
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        datetime(2027, 3, 1, 0, 5, tzinfo=UTC),
        datetime(2025, 1, 1, 23, 59, tzinfo=UTC),
    ],
)
def test_an_order_is_moved_by_whole_days_and_ends_before_the_moment(
    file: str, moment: datetime
) -> None:
    before = json.loads((ORDERS / file).read_text(encoding="utf-8"))
    after = order_as_of(file, moment)
    moved = [
        datetime.fromisoformat(a[name]) - datetime.fromisoformat(b[name])
        for b, a in zip(before["targets"], after["targets"], strict=True)
        for name in ("from", "to")
    ]
    assert set(moved) == {moved[0]}
    assert moved[0] % timedelta(days=1) == timedelta(0)
    assert all(datetime.fromisoformat(t["to"]) <= moment for t in after["targets"])
    wished = (moment.date() - WRITTEN).days
    assert wished - 1 <= moved[0].days <= wished
    for name in ("provider", "legal_basis", "duration_days"):
        assert after[name] == before[name]


def test_days_in_the_prose_are_moved_too() -> None:
    moment = datetime(2026, 12, 25, 12, tzinfo=UTC)
    told = order_as_of("02-foreign-ransomware-hosting.json", moment)
    assert "Between 5 December and 11 December 2026" in told["facts"]
    assert "until 1 January" in told["necessity"]
    french = order_as_of("04-foreign-followup-mail.json", moment)
    assert "le 21 décembre" in french["necessity"]
    assert Urgency(told["urgency"]) is Urgency.URGENT
