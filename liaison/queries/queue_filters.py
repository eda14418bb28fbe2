"""What a reader narrows the queue down to, as the address says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.reading import unstorable
from liaison.domain.vocabulary import Term, Urgency
from liaison.models import CaseFile, Order, Person, Provider
from liaison.queries import orders
from liaison.queries.queue_views import OWN_ONLY, View
from liaison.queries.registry import provider_named

T = TypeVar("T", bound=Term)

LONGEST_SEARCH = 200


class Waiting(Term):
    """Who owes the next step."""

    US = "us", "Waiting for us"
    PROVIDER = "provider", "Waiting for the provider"
    CONTACT_POINT = "contact-point", "Waiting for the contact point"


@dataclass(frozen=True)
class Filters:
    """What is asked for; everything that is set must be met."""

    view: View = View.OPEN
    text: str = ""
    """A ref, an identifier, a case number, a reference, or a provider's name."""
    state: OrderState | None = None
    urgency: Urgency | None = None
    waiting: Waiting | None = None
    provider: UUID | None = None
    party: str = ""
    """Two letters."""
    officer: UUID | None = None
    """The person in charge."""
    case: UUID | None = None

    def args(self) -> dict[str, str]:
        """The address's arguments, in one order: what is as it always is, is left out."""
        found = {
            "view": "" if self.view is View.OPEN else self.view.value,
            "q": self.text,
            "state": self.state.value if self.state else "",
            "urgency": self.urgency.value if self.urgency else "",
            "waiting": self.waiting.value if self.waiting else "",
            "provider": str(self.provider) if self.provider else "",
            "party": self.party,
            "officer": str(self.officer) if self.officer else "",
            "case": str(self.case) if self.case else "",
        }
        return {name: value for name, value in found.items() if value}

    def query(self) -> str:
        """The same as a query string: what a saved filter keeps."""
        return urlencode(self.args())

    def without(self, name: str) -> Filters:
        """The same with one of them taken away."""
        field = {"q": "text"}.get(name, name)
        return replace(self, **{field: getattr(Filters(), field)})

    @property
    def narrows(self) -> bool:
        """Whether anything beside the view is set."""
        return bool(self.args().keys() - {"view"})


@dataclass(frozen=True)
class Chip:
    """One filter that is set, in words; ``name`` is its argument."""

    name: str
    words: str


def read(session: Session, actor: Actor, args: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """What the address asks for; what cannot be meant is left out, and said."""
    faults: list[str] = []
    text = args.get("q", "").strip()[:LONGEST_SEARCH]
    found = Filters(
        view=_view(actor, args.get("view", "")),
        text="" if unstorable(text) else text,
        state=_word(OrderState, args, "state", "state", faults),
        urgency=_word(Urgency, args, "urgency", "urgency", faults),
        waiting=_word(Waiting, args, "waiting", "waiting for", faults),
    )
    if actor.is_provider:
        return found, faults
    return (
        replace(
            found,
            provider=_provider(session, args.get("provider", "").strip(), faults),
            party=_party(args.get("party", "").strip(), faults),
            officer=_person(session, actor, args.get("officer", ""), faults),
            case=_case(session, actor, args.get("case", ""), faults),
        ),
        faults,
    )


def narrowed(filters: Filters, actor: Actor, *, few: bool = False) -> Iterator[ColumnElement[bool]]:
    """What an order must meet, beside the view, what was searched for and whose it is.

    What most likely leaves the fewest comes first. ``few``: the orders are named by their ids
    beside this.
    """
    if filters.case is not None:
        yield Order.case_id == filters.case
    if filters.waiting is not None:
        theirs = filters.waiting is Waiting.PROVIDER
        theirs = theirs or (filters.waiting is Waiting.US and actor.is_provider)
        yield (Order.waits_provider if theirs else Order.waits_contact_point) == 1
    if filters.party:
        yield Order.party == filters.party
    if filters.provider is not None:
        yield orders.of(Order.provider_id, filters.provider, few=few)
    if filters.state is not None:
        yield Order.state == filters.state
    if filters.urgency is not None:
        yield Order.urgency == filters.urgency
    if filters.officer is not None:
        yield Order.officer_id == filters.officer


def chips(session: Session, filters: Filters) -> list[Chip]:
    """The filters that are set, in words, beside the view; names of a few rows are looked up."""
    found = []
    if filters.text:
        found.append(Chip("q", f"“{filters.text}”"))
    if filters.state:
        found.append(Chip("state", filters.state.label))
    if filters.urgency:
        found.append(Chip("urgency", filters.urgency.label))
    if filters.waiting:
        found.append(Chip("waiting", filters.waiting.label))
    if filters.party:
        found.append(Chip("party", f"From {filters.party}"))
    rows = (
        ("provider", select(Provider.name).where(Provider.id == filters.provider)),
        ("officer", select(Person.name).where(Person.id == filters.officer)),
        ("case", select(CaseFile.name).where(CaseFile.id == filters.case)),
    )
    for name, query in rows:
        if getattr(filters, name) is not None:
            what = {"officer": "In charge: ", "case": "Case: "}.get(name, "")
            found.append(Chip(name, f"{what}{session.scalar(query) or 'unknown'}"))
    return found


def _view(actor: Actor, text: str) -> View:
    view = next((view for view in View if view.value == text), View.OPEN)
    return View.OPEN if actor.is_provider and view in OWN_ONLY else view


def _word(
    kind: type[T], args: Mapping[str, str], name: str, words: str, faults: list[str]
) -> T | None:
    text = args.get(name, "").strip()
    word = next((word for word in kind if word.value == text), None)
    if text and word is None:
        faults.append(f"There is no such choice for “{words}”; it was left out.")
    return word


def _provider(session: Session, text: str, faults: list[str]) -> UUID | None:
    """By id, as links carry it, or by name or domain, as people type it."""
    if not text or unstorable(text) or len(text) > LONGEST_SEARCH:
        return None
    query = select(Provider.id).where(Provider.id == _uuid(text))
    found = session.scalar(query) if _uuid(text) else None
    if found is None and (named := provider_named(session, text)) is not None:
        found = named.id
    if found is None:
        faults.append("No provider of this name or domain is registered; it was left out.")
    return found


def _party(text: str, faults: list[str]) -> str:
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        faults.append("A Party is two letters, like NL; it was left out.")
        return ""
    return text.upper()


def _person(session: Session, actor: Actor, text: str, faults: list[str]) -> UUID | None:
    if not text:
        return None
    query = select(Person.id).where(
        Person.id == _uuid(text), Person.authority_id == actor.authority_id
    )
    found = session.scalar(query)
    if found is None:
        faults.append("There is no such person in charge; it was left out.")
    return found


def _case(session: Session, actor: Actor, text: str, faults: list[str]) -> UUID | None:
    if not text:
        return None
    query = select(CaseFile.id).where(
        CaseFile.id == _uuid(text), CaseFile.authority_id == actor.authority_id
    )
    found = session.scalar(query)
    if found is None:
        faults.append("There is no such case; it was left out.")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
