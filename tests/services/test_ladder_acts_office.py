"""A routine order's ladder in people's hands while the provider is closed.

Yerevan is four hours ahead of UTC; Meridian opens at 09:00 there and closes at 18:00, from Monday
to Friday. The order is issued on a Monday at 22:00 there, so that its first rung falls into the
night; the ladder calls after 24 (on duty), 36 (every SPOC), 44 (fallback) and 48 hours (ours).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from liaison.models import Database, Entry, Order, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.queries.ladder import ladder_of
from liaison.services import answers, escalation, ladder_holds, ladder_moves
from liaison.services.ledger import entry_data
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.keeping import with_terms
from tests.mail import RecordingSender
from tests.threads import routine
from tests.world import MovableClock, World

HOURS = [{"days": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "18:00"}]
DAYS = {"Mon": 23, "Tue": 24, "Wed": 25, "Thu": 26, "Fri": 27, "Sat": 28}
"""Of November 2026."""

PAGED = ("spoc@meridian.example", "deputy@meridian.example", "fallback@meridian.example")
THERE = ("on_duty", "every_spoc", "fallback")


def at(moment: str) -> datetime:
    """``Tue 22:15`` in UTC."""
    day, _, clock = moment.partition(" ")
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, DAYS[day], hour, minute, tzinfo=UTC)


def said(moment: datetime) -> str:
    """A moment as a story has it."""
    return f"{moment:%a %H:%M}"


@dataclass
class Night:
    """An order of somebody who is closed, the worker, and what is done by hand."""

    world: World
    work: Work
    order: Order

    def do(self, verb: Callable[..., Any], *given: Any, by: str = "officer") -> None:
        with self.world.database.transaction() as session:
            verb(session, self.world.actor(by), self.order.name, *given, self.world.now)

    def act(self, moment: str, act: str, *given: Any) -> None:
        """``given``: a step, two steps, or until when; the worker has run up to the moment.

        Where no worker runs until a moment, all that was due meanwhile fires then.
        """
        self.until(moment)
        acts: dict[str, Callable[[], object]] = {
            "escalate": lambda: self.do(ladder_moves.escalate, *given, "It cannot wait."),
            "skip": lambda: self.do(ladder_moves.skip, *given, "They are on leave."),
            "pause": lambda: self.do(ladder_holds.pause, at(given[0]), "I speak with them."),
            "go on": lambda: self.do(ladder_holds.go_on),
            "close": lambda: self.do(escalation.close, "I drive there.", by="supervisor"),
            "reopen": lambda: self.do(ladder_holds.reopen, "The wrong order."),
            "acknowledge": lambda: self.do(answers.acknowledge, by="spoc"),
            "no worker": lambda: self.world.clock.set(at(given[0])),
        }
        acts[act]()
        run_once(self.work)
        self.shown()

    def shown(self) -> None:
        """The order's page names the moment at which the next step comes."""
        with self.world.database.reading() as session:
            view = ladder_of(session, session.get_one(Order, self.order.id))
        due = self.next_due(TimerKind.LADDER)
        assert due is None or view.next_at == due

    def until(self, moment: str) -> None:
        """The worker runs at every moment at which anything is due, and at the last."""
        end = at(moment)
        kinds = (TimerKind.LADDER, TimerKind.PAUSE_END)
        while (due := self.next_due(*kinds)) is not None and due <= end:
            self.world.clock.set(max(due, self.world.now))
            run_once(self.work)
        self.world.clock.set(end)
        run_once(self.work)

    def next_due(self, *kinds: TimerKind) -> datetime | None:
        with self.world.database.reading() as session:
            query = select(Timer.due_at).where(
                Timer.order_id == self.order.id,
                Timer.state == TimerState.WAITING,
                Timer.kind.in_(kinds),
            )
            return session.scalars(query.order_by(Timer.due_at)).first()

    def written(self) -> list[str]:
        """When people at the provider got a page."""
        sender = self.work.sender
        assert isinstance(sender, RecordingSender)
        pages = (one for one in sender.sent if one.address in PAGED)
        return list(dict.fromkeys(said(page.written_at) for page in pages))

    def climbed(self) -> list[str]:
        """Whom the ladder has called, and when."""
        with self.world.database.reading() as session:
            query = select(Entry).where(
                Entry.order_id == self.order.id,
                Entry.type == "order.escalated",
                Entry.stream == f"provider:{self.order.provider_id}",
            )
            entries = session.scalars(query.order_by(Entry.seq))
            found = [(entry.at, entry_data(entry) or {}) for entry in entries]
        return [f"{said(moment)} {told['whom']}" for moment, told in found]


@pytest.fixture
def night(
    settings: Settings,
    world: World,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Night:
    with_terms(world, office_hours=HOURS)
    clock.set(at("Mon 18:00"))
    work = Work(settings, database, clock, sender, name="worker-1")
    order = routine(world)
    run_once(work)
    sender.sent.clear()  # the order itself, which calls nobody
    return Night(world, work, order)


@dataclass(frozen=True)
class Story:
    """What is done by hand and when; until when the worker runs; who was called by then."""

    acts: Sequence[tuple[Any, ...]]
    until: str
    called: Sequence[str]


AS_PLANNED = (
    "Wed 05:00 on_duty",
    "Wed 06:00 every_spoc",
    "Wed 18:00 duty_officer",
    "Thu 05:00 fallback",
    "Thu 05:15 supervisor",
)
"""Nobody touches it. Those who are closed wait; ours, who is called later, comes before."""

STORIES = {
    "nobody touches it": Story((), "Thu 05:20", AS_PLANNED),
    # Whoever escalates by hand means now, closed or not; whoever comes behind waits again.
    "called ahead at night": Story(
        (("Mon 19:00", "escalate", 0),),
        "Wed 05:20",
        (
            "Mon 19:00 on_duty",
            "Tue 07:00 every_spoc",
            "Tue 19:00 duty_officer",
            "Wed 05:00 fallback",
            "Wed 05:15 supervisor",
        ),
    ),
    "called ahead twice in one night": Story(
        (("Mon 19:00", "escalate", 0), ("Mon 23:00", "escalate", 1)),
        "Tue 11:20",
        (
            "Mon 19:00 on_duty",
            "Mon 23:00 every_spoc",
            "Tue 07:00 fallback",
            "Tue 11:00 duty_officer",
            "Tue 11:15 supervisor",
        ),
    ),
    # Its time had come already, and only the night held it: nothing behind it moves.
    "called when it waits for the opening": Story(
        (("Tue 22:00", "escalate", 0),), "Thu 05:20", ("Tue 22:00 on_duty", *AS_PLANNED[1:])
    ),
    "skipped at night to people there": Story(
        (("Tue 22:00", "skip", 0, 1),),
        "Wed 10:20",
        (
            "Tue 22:00 every_spoc",
            "Wed 06:00 fallback",
            "Wed 10:00 duty_officer",
            "Wed 10:15 supervisor",
        ),
    ),
    # Those who come later than ours because they are closed are not skipped with it.
    "skipped at night to ours": Story(
        (("Mon 19:00", "skip", 0, 3),),
        "Tue 05:10",
        ("Mon 19:00 duty_officer", "Tue 05:00 fallback"),
    ),
    # In the order in which they come ours is before the fallback: it is skipped, too.
    # Nobody of ours waits for the opening because those who are closed were called before it.
    "skipped at night past ours": Story(
        (("Mon 19:00", "skip", 0, 2),),
        "Mon 19:35",
        ("Mon 19:00 fallback", "Mon 19:15 supervisor", "Mon 19:30 supervisor"),
    ),
    # Whoever was called by hand puts nobody off: the next come when they open, not after it.
    "skipped at night to the second": Story(
        (("Mon 19:00", "skip", 0, 1),),
        "Tue 07:20",
        (
            "Mon 19:00 every_spoc",
            "Tue 05:00 fallback",
            "Tue 07:00 duty_officer",
            "Tue 07:15 supervisor",
        ),
    ),
    # A held ladder keeps what was done by hand: the page comes as late as it was held.
    "skipped at night past ours, then paused": Story(
        (("Mon 19:00", "skip", 0, 2), ("Mon 19:05", "pause", "Mon 20:00")),
        "Mon 20:20",
        ("Mon 19:00 fallback", "Mon 20:00 supervisor", "Mon 20:15 supervisor"),
    ),
    # The fallback's new time is 11:00: then they were open, but nobody calls them at 15:00.
    "skipped after they closed to ours": Story(
        (("Tue 15:00", "skip", 0, 3),),
        "Wed 05:20",
        ("Tue 15:00 duty_officer", "Wed 05:00 fallback", "Wed 05:15 supervisor"),
    ),
    "ours called ahead after they closed": Story(
        (("Wed 15:00", "escalate", 3),),
        "Thu 05:20",
        (*AS_PLANNED[:2], "Wed 15:00 duty_officer", *AS_PLANNED[3:]),
    ),
    "the fallback called when it waits for the opening": Story(
        (("Wed 20:00", "escalate", 2),),
        "Wed 20:35",
        (
            *AS_PLANNED[:3],
            "Wed 20:00 fallback",
            "Wed 20:15 supervisor",
            "Wed 20:30 supervisor",
        ),
    ),
    "skipped by day to the top": Story(
        (("Tue 15:00", "skip", 0, 4),),
        "Tue 15:35",
        ("Tue 15:00 supervisor", "Tue 15:15 supervisor", "Tue 15:30 supervisor"),
    ),
    # They need not answer any more when the worker is back; ours is called all the same.
    "no worker until they closed": Story(
        (("Wed 05:30", "no worker", "Wed 15:00"),),
        "Thu 05:35",
        (
            "Wed 05:00 on_duty",
            "Wed 18:00 duty_officer",
            "Thu 05:00 every_spoc",
            "Thu 05:15 fallback",
            "Thu 05:30 supervisor",
        ),
    ),
    "no worker until they are open again": Story(
        (("Tue 12:00", "no worker", "Wed 05:40"),),
        "Wed 06:20",
        ("Wed 05:40 on_duty", "Wed 06:00 every_spoc"),
    ),
    "skipped at night to the top": Story(
        (("Mon 19:00", "skip", 0, 4),),
        "Mon 19:35",
        ("Mon 19:00 supervisor", "Mon 19:15 supervisor", "Mon 19:30 supervisor"),
    ),
    # One call when the pause ends, not those of the opening in a volley; and it costs no day.
    "paused over the opening": Story(
        (("Wed 04:00", "pause", "Wed 07:00"),),
        "Thu 05:20",
        (
            "Wed 07:00 on_duty",
            "Wed 08:00 every_spoc",
            "Wed 20:00 duty_officer",
            *AS_PLANNED[3:],
        ),
    ),
    "paused over the second call": Story(
        (("Wed 05:30", "pause", "Wed 07:00"),),
        "Wed 19:10",
        ("Wed 05:00 on_duty", "Wed 07:00 every_spoc", "Wed 19:00 duty_officer"),
    ),
    "paused within the night": Story(
        (("Tue 23:00", "pause", "Wed 03:00"),), "Thu 05:20", AS_PLANNED
    ),
    "paused into the night": Story(
        (("Wed 05:30", "pause", "Wed 16:00"),),
        "Thu 05:10",
        ("Wed 05:00 on_duty", "Thu 04:00 duty_officer", "Thu 05:00 every_spoc"),
    ),
    "let go on in the night": Story(
        (("Tue 23:00", "pause", "Wed 09:00"), ("Wed 02:00", "go on")), "Thu 05:20", AS_PLANNED
    ),
    "let go on after the opening": Story(
        (("Wed 04:00", "pause", "Wed 09:00"), ("Wed 05:10", "go on")),
        "Wed 20:00",
        ("Wed 05:10 on_duty", "Wed 06:10 every_spoc", "Wed 18:10 duty_officer"),
    ),
    # To open it again is no call: who is closed is called when they open.
    "opened again in the night": Story(
        (("Tue 20:00", "close"), ("Thu 03:00", "reopen")),
        "Thu 16:20",
        (
            "Thu 05:00 on_duty",
            "Thu 05:15 every_spoc",
            "Thu 12:00 fallback",
            "Thu 16:00 duty_officer",
            "Thu 16:15 supervisor",
        ),
    ),
    # It would have called them at 11:00; they have closed since.
    "opened again late when ours was next": Story(
        (("Wed 15:00", "close"), ("Thu 15:00", "reopen")),
        "Fri 05:20",
        (
            *AS_PLANNED[:2],
            "Thu 15:00 duty_officer",
            "Fri 05:00 fallback",
            "Fri 05:15 supervisor",
        ),
    ),
    "closed while they were to be called, and opened after they closed": Story(
        (("Tue 20:00", "close"), ("Wed 15:00", "reopen")),
        "Thu 05:50",
        (
            "Thu 04:00 duty_officer",
            "Thu 05:00 on_duty",
            "Thu 05:15 every_spoc",
            "Thu 05:30 fallback",
            "Thu 05:45 supervisor",
        ),
    ),
    "opened again in the night when ours was next": Story(
        (("Wed 15:00", "close"), ("Wed 20:00", "reopen")),
        "Thu 05:20",
        (*AS_PLANNED[:2], "Wed 20:00 duty_officer", *AS_PLANNED[3:]),
    ),
    # The time to preserve ends on the Saturday: in the second climb ours would come first.
    "skipped in the second climb to people there": Story(
        (("Wed 05:30", "acknowledge"), ("Fri 20:00", "skip", 3, 0)),
        "Sat 20:10",
        ("Wed 05:00 on_duty", "Fri 20:00 on_duty"),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_whom_it_calls_and_when(night: Night, name: str) -> None:
    story = STORIES[name]
    for one in story.acts:
        night.act(*one)
    night.until(story.until)
    assert night.climbed() == list(story.called)
    theirs = [one for one in story.called if one.partition(" ")[2].split()[1] in THERE]
    assert night.written() == [one.rpartition(" ")[0] for one in theirs]
