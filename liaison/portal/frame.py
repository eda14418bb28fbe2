"""What stands around every page: the bar, the menu by role, the theme, the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import g, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, may
from liaison.domain.vocabulary import PROVIDER_ROLES, Role
from liaison.portal import watch_bar
from liaison.queries import calls, deliveries, requests
from liaison.queries.queue import emergencies_running
from liaison.services import reviews
from liaison.services.verifications import count_to_call
from liaison.settings import Env
from liaison.web import signin

_DRAFTERS = frozenset({Role.OFFICER, Role.SUPERVISOR})


@dataclass(frozen=True)
class Link:
    """One entry of the menu. ``current`` is ``page``, ``true`` (a page below it) or empty."""

    label: str
    url: str
    current: str = ""
    count: int = 0


@dataclass(frozen=True)
class Frame:
    """The page's surroundings; without a reader only the name and the clock."""

    now: datetime
    here: str
    """The page's own address, as a Refresh link needs it."""
    demo: bool
    side: str = "24/7 contact point"
    name: str = ""
    roles: str = ""
    theme: str = "auto"
    zone: str | None = None
    menu: tuple[Link, ...] = ()
    faults: tuple[str, ...] = ()
    """What is wrong with the portal itself; for contact-point staff."""

    @property
    def signed_in(self) -> bool:
        """Whether a reader is known."""
        return bool(self.name)


def frame() -> Frame:
    """The frame of the running request, made once."""
    if "frame" not in g:
        g.frame = _frame()
    made: Frame = g.frame
    return made


def home(actor: Actor) -> str:
    """The first page of a role: what it works with most."""
    if may(actor.roles, Verb.READ_ORDERS):
        return url_for("orders.index")
    return url_for("contacts.index" if actor.is_provider else "register.providers")


def local(target: str | None) -> str | None:
    """The target of ``?next=`` where it stays in this portal; never another site's."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(char) < 33 for char in target):
        return None
    return target


def _frame() -> Frame:
    bare = Frame(now=web.now(), here=_here(), demo=web.settings().env is Env.DEMO)
    try:
        return _for_reader(bare)
    except SQLAlchemyError:
        # The page that says the database is away must not need the database.
        return bare


def _for_reader(bare: Frame) -> Frame:
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending:
        return bare
    person, actor = visitor.person, visitor.actor
    organisation = person.authority or person.provider
    return Frame(
        now=bare.now,
        here=bare.here,
        demo=bare.demo,
        side=actor.organisation,
        name=person.name,
        roles=", ".join(role.label for role in Role if role in actor.roles),
        theme=person.theme,
        zone=organisation.time_zone if organisation else None,
        menu=_menu(actor),
        faults=watch_bar.faults(actor),
    )


def _menu(actor: Actor) -> tuple[Link, ...]:
    links = []
    if may(actor.roles, Verb.READ_ORDERS):
        count = emergencies_running(web.db(), actor)
        links.append(_link("Orders", url_for("orders.index"), count))
    if actor.roles & _DRAFTERS:
        links.append(_link("New order", url_for("orders.new")))
    if may(actor.roles, Verb.READ_CALLS):
        links.append(_waiting_link("Calls", "calls.index", calls.count(web.db(), actor)))
    if may(actor.roles, Verb.READ_REQUESTS):
        count = requests.waiting(web.db(), actor)
        links.append(_waiting_link("Requests", "requests.index", count))
    if may(actor.roles, Verb.READ_HAND_OVERS):
        links.append(_link("Hand-over", url_for("hand_over.index")))
    links += _register(actor)
    if actor.roles & PROVIDER_ROLES:
        links.append(_link("Contacts", url_for("contacts.index")))
    links += _agreed(actor)
    if may(actor.roles, Verb.READ_PEOPLE):
        links.append(_link("People", url_for("people.index")))
    links += _waiting(actor)
    if may(actor.roles, Verb.MANAGE_RULES):
        links.append(_link("Rules", url_for("rules.index")))
    links += _programs(actor)
    if may(actor.roles, Verb.READ_PORTAL_LOG):
        links.append(_link("Portal log", url_for("portal_log.index")))
    return tuple(_without_parents(links))


def _programs(actor: Actor) -> list[Link]:
    links = []
    if may(actor.roles, Verb.READ_KEYS):
        links.append(_link("API keys", url_for("keys.index")))
    if actor.roles & PROVIDER_ROLES:
        links.append(_link("Webhooks", url_for("webhooks.index")))
    return links


def _agreed(actor: Actor) -> list[Link]:
    """What both sides have agreed, whether it works, and who is on duty for it."""
    links = []
    if may(actor.roles, Verb.READ_REGISTER):
        links.append(_link("Memoranda", url_for("memoranda.index")))
    if may(actor.roles, Verb.READ_DRILLS):
        links.append(_link("Drills", url_for("drills.index")))
    if may(actor.roles, Verb.READ_FIGURES):
        links.append(_link("Figures", url_for("figures.index")))
    if may(actor.roles, Verb.READ_REGISTER):
        links.append(_link("Duty", url_for("duty.index")))
    return links


def _waiting(actor: Actor) -> list[Link]:
    """What is there only while something waits for the reader."""
    links = []
    if may(actor.roles, Verb.REVIEW_ORDERS) and (count := reviews.count(web.db(), actor)):
        links.append(_link(f"Reviews ({count})", url_for("reviews.index")))
    if count := deliveries.count(web.db(), actor):
        links.append(_link(f"Undelivered ({count})", url_for("undelivered.index")))
    if may(actor.roles, Verb.CALL_TO_VERIFY):
        count = count_to_call(web.db(), actor, web.now())
        if count:
            links.append(_link(f"To verify ({count})", url_for("verifying.to_call")))
    return links


def _register(actor: Actor) -> list[Link]:
    """Whoever keeps the authorities has them in the bar; others reach them from the providers."""
    if not actor.is_contact_point:
        return []
    links = [_link("Providers", url_for("register.providers"))]
    if may(actor.roles, Verb.MANAGE_REGISTER):
        links.append(_link("Authorities", url_for("authorities.index")))
    links.append(_link("Contacts", url_for("contacts.index")))
    return links


def _waiting_link(label: str, endpoint: str, count: int) -> Link:
    """An entry that always has its place, and says how many wait."""
    return _link(f"{label} ({count})" if count else label, url_for(endpoint))


def _link(label: str, url: str, count: int = 0) -> Link:
    if request.path == url:
        return Link(label, url, "page", count)
    below = request.path.startswith(f"{url}/")
    return Link(label, url, "true" if below else "", count)


def _without_parents(links: list[Link]) -> list[Link]:
    """“New order” lies below “Orders”: only the nearer one is marked."""
    nearest = max((len(link.url) for link in links if link.current), default=0)
    return [
        Link(link.label, link.url, "" if len(link.url) < nearest else link.current, link.count)
        for link in links
    ]


def _here() -> str:
    kept = [(k, v) for k, v in request.args.items(multi=True) if k != "part"]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
