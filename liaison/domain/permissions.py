"""Who may do what beside orders: one table, role by verb. Orders have theirs in lifecycle.py."""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role, Term
from liaison.errors import Forbidden


class Verb(Term):
    """What can be done to the register, people, keys and records."""

    READ_ORDERS = "read_orders", "Read orders", "Queue, orders and their papers."
    EXPORT = "export", "Export", "Take lists and records away as files."
    READ_HAND_OVERS = "read_hand_overs", "Read hand-overs", "What a shift told the next one."
    READ_CALLS = "read_calls", "See whom to call", "Phone calls that are open."
    HAND_OVER = "hand_over", "Hand over", "Sign a shift off, take the desk over."
    READ_REGISTER = "read_register", "Read the register", "Providers, contacts, memoranda."
    READ_UNDELIVERED = "read_undelivered", "See what is undelivered", "Notices that nobody got."
    HANDLE_UNDELIVERED = (
        "handle_undelivered",
        "Handle what is undelivered",
        "Send a notice again, or say that it was dealt with.",
    )
    READ_PORTAL_LOG = "read_portal_log", "Read the portal log", "Sign-ins, people, keys, factors."
    READ_PEOPLE = "read_people", "See people", "Who has which role in one's own organisation."
    INVITE = "invite", "Invite people", "To one's own organisation."
    MANAGE_PEOPLE = "manage_people", "Manage people", "Roles, disabling, lost factors."
    SET_POLICY = "set_policy", "Set rules of access", "Such as: a passkey to issue."
    REVIEW_ORDERS = "review_orders", "Review orders", "Those that a disabled person touched."
    READ_KEYS = "read_keys", "See API keys", "Of one's own organisation."
    MANAGE_KEYS = "manage_keys", "Manage API keys", "Make, roll over and revoke them."
    READ_WEBHOOKS = (
        "read_webhooks",
        "See webhooks",
        "Of one's own provider; the contact point sees of all that they are there and how they do.",
    )
    MANAGE_WEBHOOKS = (
        "manage_webhooks",
        "Keep webhooks",
        "Of one's own provider: make, change, try and remove them.",
    )
    MANAGE_REGISTER = "manage_register", "Keep the register", "Authorities and providers."
    MANAGE_CONTACTS = "manage_contacts", "Keep contacts", "Enter, change, verify, review, remove."
    CALL_TO_VERIFY = (
        "call_to_verify",
        "Verify numbers by a call",
        "Call a number that was entered and read its code out.",
    )
    MANAGE_DUTY = "manage_duty", "Keep the rota", "Of one's own organisation."
    AGREE_MEMORANDA = "agree_memoranda", "Agree memoranda", "Write, sign and end them."
    READ_DRILLS = "read_drills", "See drills", "Past ones, and the scorecard."
    PLAN_DRILLS = "plan_drills", "Plan drills", "See those to come, plan and cancel them."
    READ_REQUESTS = "read_requests", "Read requests", "Counterparts' requests and their letters."
    HANDLE_REQUESTS = (
        "handle_requests",
        "Handle requests",
        "Register counterparts' requests, write to them, refuse and close.",
    )
    MANAGE_RULES = "manage_rules", "Keep the Parties' rules", "Shown as help on foreign orders."
    READ_FIGURES = "read_figures", "Read figures", "Shares and counts of the own orders."


_OFFICER, _SUPERVISOR, _AUDITOR = Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR
_ADMIN, _SPOC, _PROVIDER_ADMIN = Role.ADMINISTRATOR, Role.SPOC, Role.PROVIDER_ADMINISTRATOR

VERBS: Mapping[Verb, frozenset[Role]] = MappingProxyType(
    {
        # Administrators keep people and register; orders are not theirs to read.
        Verb.READ_ORDERS: frozenset(
            {_OFFICER, _SUPERVISOR, _AUDITOR, _SPOC, Role.PROGRAM, Role.CASE_SYSTEM}
        ),
        Verb.EXPORT: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR, _SPOC}),
        Verb.READ_HAND_OVERS: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR}),
        Verb.READ_CALLS: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR}),
        Verb.HAND_OVER: frozenset({_OFFICER, _SUPERVISOR}),
        Verb.READ_REGISTER: frozenset(
            {_OFFICER, _SUPERVISOR, _AUDITOR, _ADMIN, _SPOC, _PROVIDER_ADMIN}
        ),
        # An order's notices are for those who read orders; letters about access for administrators.
        Verb.READ_UNDELIVERED: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR, _ADMIN}),
        Verb.HANDLE_UNDELIVERED: frozenset({_OFFICER, _SUPERVISOR, _ADMIN}),
        Verb.READ_PORTAL_LOG: frozenset({_AUDITOR}),
        Verb.READ_PEOPLE: frozenset({_SUPERVISOR, _AUDITOR, _ADMIN, _PROVIDER_ADMIN}),
        Verb.INVITE: frozenset({_ADMIN, _PROVIDER_ADMIN}),
        Verb.MANAGE_PEOPLE: frozenset({_ADMIN, _PROVIDER_ADMIN}),
        Verb.SET_POLICY: frozenset({_ADMIN}),
        Verb.REVIEW_ORDERS: frozenset({_OFFICER, _SUPERVISOR}),
        Verb.READ_KEYS: frozenset({_ADMIN, _PROVIDER_ADMIN, _SPOC}),
        Verb.MANAGE_KEYS: frozenset({_ADMIN, _PROVIDER_ADMIN}),
        # A provider's key may what its scopes name; services/webhook_keepers.py asks for that one.
        Verb.READ_WEBHOOKS: frozenset({_SUPERVISOR, _ADMIN, _SPOC, _PROVIDER_ADMIN, Role.PROGRAM}),
        Verb.MANAGE_WEBHOOKS: frozenset({_PROVIDER_ADMIN, Role.PROGRAM}),
        Verb.MANAGE_REGISTER: frozenset({_ADMIN}),
        Verb.MANAGE_CONTACTS: frozenset({_ADMIN, _PROVIDER_ADMIN}),
        Verb.CALL_TO_VERIFY: frozenset({_OFFICER, _SUPERVISOR}),
        Verb.MANAGE_DUTY: frozenset({_SUPERVISOR, _ADMIN, _SPOC, _PROVIDER_ADMIN}),
        # Whoever signs answers for it: a supervisor there, the provider's administrator here.
        Verb.AGREE_MEMORANDA: frozenset({_SUPERVISOR, _PROVIDER_ADMIN}),
        Verb.READ_DRILLS: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR, _SPOC, _PROVIDER_ADMIN}),
        Verb.PLAN_DRILLS: frozenset({_SUPERVISOR}),
        Verb.READ_REQUESTS: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR}),
        Verb.HANDLE_REQUESTS: frozenset({_OFFICER, _SUPERVISOR}),
        Verb.MANAGE_RULES: frozenset({_ADMIN}),
        Verb.READ_FIGURES: frozenset({_OFFICER, _SUPERVISOR, _AUDITOR}),
    }
)


def may(roles: Set[Role], verb: Verb) -> bool:
    """Whether one of the roles may do it: pages show what this allows and nothing else."""
    return bool(VERBS[verb] & roles)


def demand(actor: Actor, verb: Verb) -> None:
    """``Forbidden`` unless one of the actor's roles may do it."""
    if not may(actor.roles, verb):
        raise Forbidden(f"Your role does not allow you to {verb.in_sentence}.")
