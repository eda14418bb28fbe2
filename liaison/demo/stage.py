"""The stage: a clock that is moved by hand, people who act, and the worker along the past.

Everything goes through the verbs, so that ledger, timers, notices and calls are as real as if
it had happened then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.demo.accounts import TOY
from liaison.demo.orderbook import order_as_of
from liaison.demo.register import named
from liaison.domain.actors import Actor, Via
from liaison.domain.answer import Preservation, Refusal, TargetAnswer
from liaison.domain.vocabulary import (
    CallOutcome,
    DrillState,
    Ground,
    Outcome,
    Role,
    TargetType,
    Urgency,
)
from liaison.models import ApiKey, CallTask, Contact, Drill, Message, Order, Provider, Timer
from liaison.models.work import CallState, MessageState, TimerState
from liaison.portal.invitation_links import maker
from liaison.services import answers, authorising, calls, invitations, orders, ratification
from liaison.services.drills import ANNOUNCED_AHEAD
from liaison.services.vault import Vault
from liaison.worker import Work, run_once

Given = TypeVar("Given")


class StageClock:
    """Shows whatever moment the story has reached."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """That moment."""
        return self.moment


class Stage:
    """Plays acts at moments of the past, in time order."""

    def __init__(self, work: Work, clock: StageClock) -> None:
        self.work, self.clock = work, clock

    def until(self, moment: datetime) -> None:
        """Lets time pass: all that falls due on the way happens when it is due."""
        while (due := self._next_due()) is not None and due <= moment:
            self.clock.moment = max(due, self.clock.moment)
            run_once(self.work)
        self.clock.moment = moment
        run_once(self.work)

    def _next_due(self) -> datetime | None:
        waiting = select(func.min(Timer.due_at)).where(Timer.state == TimerState.WAITING)
        unsent = select(func.min(Message.next_at)).where(Message.state == MessageState.QUEUED)
        planned = select(func.min(Drill.planned_at)).where(Drill.state == DrillState.PLANNED)
        untold = planned.where(Drill.announced.is_(True), Drill.announced_at.is_(None))
        with self.work.database.reading() as session:
            told = session.scalar(untold)
            moments = (
                session.scalar(waiting),
                session.scalar(unsent),
                session.scalar(planned),
                told and told - ANNOUNCED_AHEAD,
            )
        return min((m for m in moments if m is not None), default=None)

    def act(self, moment: datetime, verb: Callable[[Session, datetime], Given]) -> Given:
        """One verb in one transaction, and what it sets going."""
        self.until(moment)
        with self.work.database.transaction() as session:
            given = verb(session, moment)
        run_once(self.work)
        return given

    def draft(self, moment: datetime, file: str, provider: str | None = None) -> str:
        """The officer loads a draft; its name."""
        data = order_as_of(file, moment)
        if provider is not None:
            data["provider"] = provider
        return self.act(moment, lambda s, now: orders.draft(s, officer(s, now), data, now).name)

    def issue(self, moment: datetime, file: str) -> str:
        """The officer loads a draft, and two minutes later it is served; its ref.

        An emergency the officer issues at once; any other order the supervisor authorises.
        """
        name = self.draft(moment - timedelta(minutes=2), file)
        with self.work.database.reading() as session:
            emergency = session.get_one(Order, UUID(name)).urgency is Urgency.EMERGENCY
        if emergency:
            return self.act(
                moment, lambda s, now: orders.issue(s, officer(s, now), name, None, now).name
            )
        self.submit(moment - timedelta(minutes=1), name)
        return self.act(
            moment,
            lambda s, now: authorising.authorise(s, supervisor(s, now), name, None, now).name,
        )

    def submit(self, moment: datetime, name: str) -> None:
        """The officer hands a draft to another person."""
        self.act(moment, lambda s, now: authorising.submit(s, officer(s, now), name, None, now))

    def ratify(self, moment: datetime, ref: str) -> None:
        """The supervisor stands behind an emergency that the officer issued at once."""
        self.act(moment, lambda s, now: ratification.ratify(s, supervisor(s, now), ref, None, now))

    def acknowledge(self, moment: datetime, ref: str, reference: str | None = None) -> None:
        """The provider opens the order and acknowledges it."""

        def verb(session: Session, now: datetime) -> None:
            actor = _provider_actor(session, ref, now)
            orders.note_fetched(session, actor, ref, now)
            answers.acknowledge(session, actor, ref, now, reference=reference)

        self.act(moment, verb)

    def preserve(
        self, moment: datetime, ref: str, days: int, missing: TargetType | None = None
    ) -> None:
        """The provider confirms; nothing is held for targets of the ``missing`` type."""

        def verb(session: Session, now: datetime) -> None:
            targets = tuple(
                TargetAnswer(t.id, Outcome.NOTHING_HELD, note="No such record in that period.")
                if t.type is missing
                else TargetAnswer(t.id, Outcome.PRESERVED)
                for t in _order(session, ref).targets
            )
            answer = Preservation(days=days, targets=targets, reference=f"T-{ref[-4:]}")
            answers.preserve(session, _provider_actor(session, ref, now), ref, answer, now)

        self.act(moment, verb)

    def decline(self, moment: datetime, ref: str, explanation: str, *grounds: Ground) -> None:
        """The provider declines; the data are kept meanwhile."""
        refusal = Refusal(grounds, explanation, preserved_meanwhile=True)
        self.act(
            moment,
            lambda s, now: answers.decline(s, _provider_actor(s, ref, now), ref, refusal, now),
        )

    def ask(self, moment: datetime, ref: str, text: str) -> None:
        """The provider asks a question."""
        self.act(
            moment, lambda s, now: answers.ask(s, _provider_actor(s, ref, now), ref, text, now)
        )

    def call(
        self,
        moment: datetime,
        ref: str,
        who: str,
        outcome: CallOutcome,
        note: str,
        *,
        acknowledged: bool = False,
    ) -> None:
        """The officer logs a call to a contact, who may have acknowledged by phone."""

        def verb(session: Session, now: datetime) -> None:
            task = session.scalars(
                select(CallTask)
                .join(Contact, Contact.id == CallTask.contact_id)
                .join(Order, Order.id == CallTask.order_id)
                .where(Order.ref == ref, Contact.name == who, CallTask.state == CallState.OPEN)
            ).one()
            by = officer(session, now)
            calls.log(session, by, ref, task.id, outcome, note, now, acknowledged=acknowledged)

        self.act(moment, verb)

    def invite(self, moment: datetime, email: str, name: str) -> None:
        """The administrator invites an officer; the invitation waits to be taken up."""
        settings = self.work.settings
        vault, link = Vault(settings.encryption_key), maker(settings, moment)

        def verb(session: Session, now: datetime) -> None:
            by = acting(session, "administrator@police.example", now)
            roles = [Role.OFFICER.value]
            invitations.invite(session, vault, by, email, name, roles, now, link=link)

        self.act(moment, verb)


def _order(session: Session, ref: str) -> Order:
    return session.scalars(select(Order).where(Order.ref == ref)).one()


def officer(session: Session, now: datetime) -> Actor:
    """The contact point's officer, who has just given a code."""
    return acting(session, "officer@police.example", now)


def supervisor(session: Session, now: datetime) -> Actor:
    """The contact point's supervisor, who has just given a code."""
    return acting(session, "supervisor@police.example", now)


def acting(session: Session, email: str, now: datetime) -> Actor:
    """Somebody of the demo, who has just given a code."""
    person = named(session, email)
    organisation = person.authority or person.provider
    return Actor(
        id=f"person:{person.id}",
        name=person.name,
        roles=person.role_set,
        authority_id=person.authority_id,
        provider_id=person.provider_id,
        person_id=person.id,
        organisation=organisation.name if organisation else "",
        via=Via("totp", "demo", "127.0.0.1", factor_at=now),
    )


def _provider_actor(session: Session, ref: str, now: datetime) -> Actor:
    """The SPOC of the order's provider; for the toy's provider its program."""
    provider = _order(session, ref).provider
    if provider.name == TOY:
        return _program(session, provider)
    return acting(session, f"spoc@{provider.domains[0]}", now)


def _program(session: Session, provider: Provider) -> Actor:
    key = session.scalars(select(ApiKey).where(ApiKey.provider_id == provider.id)).one()
    return Actor(
        id=f"key:{key.id}",
        name=key.name,
        roles=frozenset({Role.PROGRAM}),
        provider_id=provider.id,
        organisation=provider.name,
        via=Via("api-key", str(key.id), "127.0.0.1"),
    )
