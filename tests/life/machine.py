"""Lives of orders at random: two authorities, two providers, the clock, and everybody tries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import select

from liaison.domain.lifecycle import SERVED, TRANSITIONS, Action, OrderState, allowed, decide
from liaison.domain.permissions import Verb, may
from liaison.domain.vocabulary import Channel
from liaison.errors import Forbidden, InvalidTransition, LiaisonError, NotFound
from liaison.models import Order
from liaison.services import ledger_check, ledger_orders, replies
from liaison.services.replies import LOOKED_BACK, Came, Reply
from liaison.worker import Work
from liaison.worker.messages import send_some
from liaison.worker.timers import fire_one
from tests.gateways import reach_by
from tests.keeping import with_terms
from tests.life import holds, texts
from tests.life.acts import ACTS, Try
from tests.mail import RecordingSender
from tests.world import World

PEOPLE = {
    "CP": ("officer", "second_officer", "supervisor", "auditor", "administrator"),
    "NL": ("foreign_officer", "foreign_supervisor"),
    "Meridian Telecom": ("spoc", "program", "provider_administrator"),
    "Norvik Mobile": ("norvik_spoc", "norvik_program"),
}
EVERYBODY = tuple(who for side in PEOPLE.values() for who in side)
FILES = {
    "emergency": "01-emergency-missing-child.json",
    "urgent": "05-names-from-everywhere.json",
    "routine": "03-cgnat-fraud-routine.json",
}
SPANS = (1, 20, 90, 9 * 60, 24 * 60, 5 * 24 * 60, 40 * 24 * 60)
"""Minutes that may pass at once."""

HOURS = [{"days": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "18:00"}]
"""When one of the providers may be called about a routine order; the clock begins in them."""

SURE = (
    Action.ACKNOWLEDGE,
    Action.DECLINE,
    Action.RELEASE,
    Action.NOTE,
    Action.ASK,
    Action.REPORT_ROUTE,
)
"""Acts that nothing but the table can refuse."""

Opened = Callable[[], AbstractContextManager[tuple[World, Work]]]


class Lives(RuleBasedStateMachine):
    """One database; orders are known by their ids, and marked with words that nobody else has."""

    opened: ClassVar[Opened]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world, self.work = self.stack.enter_context(type(self).opened())
        self.written: dict[str, dict[str, str]] = {}
        """By id: the canary, its authority, its provider, the urgency."""
        self.notes = 0
        self.replies = 0
        reach_by(self.world, Channel.TEXT)
        with_terms(self.world, office_hours=HOURS, observes_holidays=True)

    def teardown(self) -> None:
        """The whole ledger and everybody's view once more; then the database goes."""
        try:
            self.nobody_sees_anothers()
            with self.world.database.reading() as session:
                found = ledger_check.verify(session)
                assert not [one for one in found if isinstance(one, ledger_check.Break)]
                assert not list(ledger_orders.missing(session))
        finally:
            self.stack.close()

    @initialize(urgency=st.sampled_from(sorted(FILES)))
    def begin(self, urgency: str) -> None:
        self.draft("CP", "Meridian Telecom", urgency)

    @precondition(lambda self: len(self.written) < 8)
    @rule(
        authority=st.sampled_from(("CP", "CP", "NL")),
        provider=st.sampled_from(("Meridian Telecom", "Norvik Mobile")),
        urgency=st.sampled_from(sorted(FILES)),
    )
    def draft(self, authority: str, provider: str, urgency: str) -> None:
        type(self).steps += 1
        word = f"CANARY{len(self.written):03d}X"
        by = PEOPLE[authority][0]
        order = self.world.draft(FILES[urgency], by=by, provider=provider, facts=f"Of {word}.")
        self.written[str(order.id)] = {
            "word": word,
            "authority": authority,
            "provider": provider,
            "urgency": urgency,
        }
        self.holds(order.name)

    @rule(
        number=st.integers(0, 7),
        who=st.sampled_from(EVERYBODY),
        action=st.sampled_from(sorted(ACTS)),
        pick=st.integers(0, 34),
    )
    def anybody_tries_anything(self, number: int, who: str, action: Action, pick: int) -> None:
        self.attempt(self.chosen(number), who, action, pick)

    @rule(number=st.integers(0, 7), way=st.integers(0, 200), pick=st.integers(0, 34))
    def somebody_goes_on(self, number: int, way: int, pick: int) -> None:
        self.go_on(number, way, pick)

    @rule(number=st.integers(0, 7), way=st.integers(0, 200), pick=st.integers(0, 34))
    def somebody_else_goes_on(self, number: int, way: int, pick: int) -> None:
        self.go_on(number, way, pick)

    @rule(minutes=st.sampled_from(SPANS))
    def time_passes(self, minutes: int) -> None:
        type(self).steps += 1
        self.world.clock.move(minutes=minutes)
        while fire_one(self.work):
            pass
        for id_ in self.written:
            self.holds(id_)

    @rule()
    def what_waits_leaves(self) -> None:
        """Every message that may; no page among them comes too late."""
        type(self).steps += 1
        self.send_all()

    @precondition(lambda self: len(self.written) < 8)
    @rule(minutes=st.sampled_from((0, 1, 20)))
    def an_emergency_is_served(self, minutes: int) -> None:
        """And its first page has left, or waits: the time in which people answer by text."""
        self.draft("CP", "Meridian Telecom", "emergency")
        self.attempt(self.by_id(list(self.written)[-1]), "officer", Action.ISSUE, 0)
        self.time_passes(minutes)
        if minutes:
            self.send_all()

    @precondition(lambda self: len(self.written) < 8)
    @rule(
        hours=st.sampled_from((7, 20, 28, 45)),
        action=st.sampled_from((Action.ESCALATE, Action.SKIP_RUNGS, Action.PAUSE_LADDER)),
        pick=st.integers(0, 34),
        minutes=st.sampled_from(SPANS[:4]),
    )
    def a_ladder_is_moved_by_hand(
        self, hours: int, action: Action, pick: int, minutes: int
    ) -> None:
        """Of a routine order: whom it calls next is open or closed by then."""
        self.draft("CP", "Meridian Telecom", "routine")
        id_ = list(self.written)[-1]
        for who, act in (
            ("officer", Action.SUBMIT),
            ("supervisor", Action.AUTHORISE),
            ("supervisor", Action.ISSUE),
        ):
            self.attempt(self.by_id(id_), who, act, 0)
        self.time_passes(60 * hours)
        self.attempt(self.by_id(id_), "officer", action, pick)
        self.time_passes(minutes)

    @rule(
        number=st.integers(0, 7),
        action=st.sampled_from((Action.ACKNOWLEDGE, Action.CLOSE_LADDER, Action.CLOSE_LADDER)),
    )
    def the_waiting_ends(self, number: int, action: Action) -> None:
        """While pages wait to be sent, as often as not: an act of many would seldom meet one."""
        order = self.chosen(number)
        told = self.written[str(order.id)]
        self.time_passes(0)
        side = "provider" if action is Action.ACKNOWLEDGE else "authority"
        self.attempt(order, PEOPLE[told[side]][0], action, 0)

    @rule(
        number=st.integers(0, 7),
        text=st.sampled_from(texts.TEXTS),
        named=st.sampled_from((False, False, True)),
        again=st.sampled_from((False, False, False, True)),
    )
    def somebody_answers_by_text(self, number: int, text: str, named: bool, again: bool) -> None:
        """``named``: within one message's own thread; ``again``: the gateway repeats the last."""
        type(self).steps += 1
        again = again and self.replies > 0
        with self.world.database.reading() as session:
            asked = texts.newest(session, number)
        if asked is None:
            return
        # A number that nothing was sent to lately is nobody's, but for a message's own thread.
        named = named or asked.created_at <= self.world.now - LOOKED_BACK
        self.replies += not again
        once, number_ = f"reply-{self.replies}", asked.address
        self.answered(Reply(text, once, number_, asked.id if named else None), again=again)

    # What the rules do

    def send_all(self) -> None:
        """The worker sends until nothing is left; no page may leave without its reason."""
        sender = self.work.sender
        assert isinstance(sender, RecordingSender)
        before = len(sender.sent)
        while send_some(self.work)[0]:
            pass
        with self.world.database.reading() as session:
            left = (one.idem for one in sender.sent[before:])
            texts.rightly_sent(session, left, self.world.now)

    def answered(self, reply: Reply, *, again: bool) -> None:
        """It is the receipt of the one order that waits for it, or moves none."""
        before = self.states()
        with self.world.database.reading() as session:
            meant = texts.may_mean(session, reply, self.world.now)
            doubtful = texts.is_doubtful(session, reply, meant, self.world.now)
        with self.world.database.transaction() as session:
            came = replies.take(session, reply, self.world.now)
        right = texts.allowed_outcomes(reply, meant, again=again, doubtful=doubtful)
        assert came in right, (came, reply, meant)
        if came is Came.ACKNOWLEDGED:
            before |= {str(id_): OrderState.ACKNOWLEDGED for id_ in meant}
        assert self.states() == before, came
        for id_ in self.written:
            self.holds(id_)

    def states(self) -> dict[str, OrderState]:
        """Where each order stands."""
        with self.world.database.reading() as session:
            found = session.execute(select(Order.id, Order.state)).all()
        return {str(id_): state for id_, state in found}

    def go_on(self, number: int, way: int, pick: int) -> None:
        """Whoever may, does something that the order's state allows."""
        order = self.chosen(number)
        told = self.written[str(order.id)]
        able = [
            (who, action)
            for side in (told["authority"], told["provider"])
            for who in PEOPLE[side]
            for action in sorted(allowed(order.state, self.world.actor(who).roles))
            if action in ACTS
        ]
        who, action = able[way % len(able)]
        self.attempt(order, who, action, pick)

    def chosen(self, number: int) -> Order:
        ids = list(self.written)  # in the order of their making: runs must repeat
        return self.by_id(ids[number % len(ids)])

    def by_id(self, id_: str) -> Order:
        """The order as it is now."""
        with self.world.database.reading() as session:
            return self.read(session.get_one(Order, _uuid(id_)))

    @staticmethod
    def read(order: Order) -> Order:
        _ = (order.targets, order.authority, order.provider)
        return order

    def attempt(self, order: Order, who: str, action: Action, pick: int) -> None:
        """The act is done as the table says, or refused for a reason, and then nothing changed."""
        type(self).steps += 1
        actor, refused = self.world.actor(who), None
        told = self.written[str(order.id)]
        note = f"NOTE{self.notes:04d}X"
        self.notes += 1
        data = self.world.data(
            FILES[told["urgency"]], provider=told["provider"], facts=f"Of {told['word']}."
        )
        try:
            with self.world.database.transaction() as session:
                ACTS[action](Try(session, self.world, actor, order, pick, note, data))
        except LiaisonError as error:
            refused = error
        after = self.world.database.reading()
        with after as session:
            state = session.scalar(select(Order.state).where(Order.id == order.id))
        ours = PEOPLE[told["authority"]]
        theirs = PEOPLE[told["provider"]] if order.state in SERVED and order.ref else ()
        if who not in (*ours, *theirs) or not may(actor.roles, Verb.READ_ORDERS):
            assert isinstance(refused, NotFound), (who, action, refused)
        elif refused is None:
            assert state is decide(order.state, _done(action, order), actor.roles)
        else:
            self.rightly_refused(order, who, action, refused)
        if refused is not None:
            assert state is order.state
        self.holds(order.name)

    def rightly_refused(
        self, order: Order, who: str, action: Action, refused: LiaisonError
    ) -> None:
        roles = self.world.actor(who).roles
        may_ever = any(a is action and rule.roles & roles for (_, a), rule in TRANSITIONS.items())
        if not may_ever:
            assert isinstance(refused, Forbidden), (who, action, refused)
        elif (order.state, action) not in TRANSITIONS:
            assert isinstance(refused, InvalidTransition | NotFound) or action in (
                Action.PRESERVE,
                Action.AMEND,
                Action.ACKNOWLEDGE_BY_PHONE,  # whose word it is, is looked at first
            ), (order.state, action, refused)
        assert not (action in SURE and action in allowed(order.state, roles)), (
            who,
            action,
            refused,
        )

    def holds(self, name: str) -> None:
        """What must be true of one order now."""
        told = self.written.get(name)
        with self.world.database.reading() as session:
            order = session.scalars(
                select(Order).where((Order.id == _uuid(name)) if told else (Order.ref == name))
            ).one_or_none() or session.get_one(Order, _uuid(name))
            told = self.written[str(order.id)]
            cp = self.world.actor(PEOPLE[told["authority"]][0])
            provider = self.world.actor(PEOPLE[told["provider"]][0])
            holds.ledger_tells(session, order, cp, provider)
            holds.clocks_fit(order)
            holds.timers_fit(session, order, self.world.now)
            holds.hours_are_kept(session, order)
            texts.no_page_without_reason(session, order)

    def nobody_sees_anothers(self) -> None:
        """Canaries: each side's whole view holds the words of its own orders and no others."""
        with self.world.database.reading() as session:
            for side, people in PEOPLE.items():
                actor = self.world.actor(people[0])
                of_provider = actor.is_provider
                seen = (
                    holds.seen_by_provider(session, actor)
                    if of_provider
                    else holds.seen_by_contact_point(session, actor, self.world.now)
                )
                for told in self.written.values():
                    its_own = side in (told["authority"], told["provider"])
                    assert its_own or told["word"] not in seen, (side, told)
                if of_provider:
                    assert "NOTE" not in seen
                    drafts = select(Order).where(Order.ref.is_(None))
                    for order in session.scalars(drafts):
                        assert self.written[str(order.id)]["word"] not in seen


def _done(action: Action, order: Order) -> Action:
    """Confirming a second time amends; a call that is logged may acknowledge."""
    if action in (Action.PRESERVE, Action.AMEND):
        return Action.AMEND if order.state is OrderState.PRESERVED else Action.PRESERVE
    return action


def _uuid(text: str) -> object:
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        return None
