"""An order's life: one table says which act is allowed in which state, to whom, leading where.

A test walks every state x action x role, so a new state breaks the build until each cell is
decided. Odd rows are explained beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from liaison.domain.vocabulary import Role, Term
from liaison.errors import Forbidden, InvalidTransition


class OrderState(Term):
    """Where an order stands."""

    DRAFT = "draft", "Draft", "Being written; nobody outside the contact point knows of it."
    SUBMITTED = (
        "submitted",
        "Waiting for authorisation",
        "Written; another person must authorise it.",
    )
    ISSUED = "issued", "Waiting for acknowledgement", "Served; the provider has not answered."
    ACKNOWLEDGED = "acknowledged", "Acknowledged", "The provider has confirmed receipt."
    PRESERVED = "preserved", "Preserved", "The provider keeps the data until the date it gave."
    DECLINED = "declined", "Declined", "The provider declined, on a ground of the closed list."
    WITHDRAWN = "withdrawn", "Withdrawn", "The contact point took the order back."
    RELEASED = "released", "Released", "The contact point needs the data no longer."
    EXPIRED = "expired", "Expired", "The promised date passed without extension or MLA request."
    DISPOSED = "disposed", "Disposed of", "The provider has confirmed that the data are gone."

    @property
    def is_open(self) -> bool:
        """Whether the provider still owes an answer."""
        return self in (OrderState.ISSUED, OrderState.ACKNOWLEDGED)

    @property
    def is_before_service(self) -> bool:
        """Whether the provider does not know of the order yet."""
        return self in (OrderState.DRAFT, OrderState.SUBMITTED)


class Action(Term):
    """What can be done to an order."""

    EDIT = "edit", "Edit"
    SUBMIT = "submit", "Submit for authorisation"
    AUTHORISE = "authorise", "Authorise and issue"
    RETURN = "return", "Return to its writer"
    ISSUE = "issue", "Issue"
    RATIFY = "ratify", "Ratify"
    ACKNOWLEDGE = "acknowledge", "Acknowledge"
    ACKNOWLEDGE_BY_PHONE = "acknowledge_by_phone", "Record an acknowledgement by phone"
    PRESERVE = "preserve", "Confirm preservation"
    AMEND = "amend", "Amend the preservation report"
    DECLINE = "decline", "Decline with grounds"
    WITHDRAW = "withdraw", "Withdraw"
    ASK_EXTENSION = "ask_extension", "Ask for an extension"
    EXTEND = "extend", "Confirm the new date"
    RECORD_MLA = "record_mla", "Record the MLA request"
    RELEASE = "release", "Release"
    EXPIRE = "expire", "Expire"
    DISPOSE = "dispose", "Confirm disposal"
    DOUBT = "doubt", "Doubt the order"
    VOUCH = "vouch", "Vouch for the order"
    REPORT_ROUTE = "report_route", "Name another provider"
    ASK = "ask", "Ask a question"
    ANSWER = "answer", "Write to the provider"
    NOTE = "note", "Write an internal note"
    LOG_CALL = "log_call", "Log a phone call"
    ESCALATE = "escalate", "Escalate now"
    SKIP_RUNGS = "skip_rungs", "Skip to a rung"
    PAUSE_LADDER = "pause_ladder", "Pause the escalation"
    RESUME_LADDER = "resume_ladder", "Let the escalation go on"
    CLOSE_LADDER = "close_ladder", "Close the escalation"
    REOPEN_LADDER = "reopen_ladder", "Open the escalation again"


@dataclass(frozen=True)
class Rule:
    """Where an act leads, and whose it is."""

    to: OrderState
    roles: frozenset[Role]


_CP = frozenset({Role.OFFICER, Role.SUPERVISOR})
_PROVIDER = frozenset({Role.SPOC, Role.PROGRAM})
_WRITERS = _CP | {Role.CASE_SYSTEM}
"""Who writes a draft; a program never stands behind one, nor touches what was served."""
_CLOCK = frozenset({Role.CLOCK})

_D, _S = OrderState.DRAFT, OrderState.SUBMITTED
_I, _A, _P = OrderState.ISSUED, OrderState.ACKNOWLEDGED, OrderState.PRESERVED
_X, _W = OrderState.DECLINED, OrderState.WITHDRAWN
_R, _E, _Z = OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED

SERVED = tuple(state for state in OrderState if state not in (_D, _S))
"""States of an order that its provider may know of."""

LADDER_ACTS = (
    Action.ESCALATE,
    Action.SKIP_RUNGS,
    Action.PAUSE_LADDER,
    Action.RESUME_LADDER,
    Action.CLOSE_LADDER,
    Action.REOPEN_LADDER,
)
"""What the contact point's people do to a ladder that climbs."""

TRANSITIONS: Mapping[tuple[OrderState, Action], Rule] = MappingProxyType(
    {
        (_D, Action.EDIT): Rule(_D, _WRITERS),
        (_D, Action.SUBMIT): Rule(_S, _WRITERS),
        # Another person than any who wrote it; it is signed and served in that act.
        (_S, Action.AUTHORISE): Rule(_I, _CP),
        # Its writer may take it back, too.
        (_S, Action.RETURN): Rule(_D, _CP),
        # Emergencies only: another person ratifies it afterwards.
        (_D, Action.ISSUE): Rule(_I, _CP),
        (_D, Action.WITHDRAW): Rule(_W, _WRITERS),
        (_S, Action.WITHDRAW): Rule(_W, _CP),
        (_I, Action.ACKNOWLEDGE): Rule(_A, _PROVIDER),
        (_I, Action.ACKNOWLEDGE_BY_PHONE): Rule(_A, _CP),
        # Confirming preservation acknowledges too, where that was not done before.
        (_I, Action.PRESERVE): Rule(_P, _PROVIDER),
        (_I, Action.DECLINE): Rule(_X, _PROVIDER),
        (_I, Action.WITHDRAW): Rule(_W, _CP),
        (_A, Action.PRESERVE): Rule(_P, _PROVIDER),
        (_A, Action.DECLINE): Rule(_X, _PROVIDER),
        (_A, Action.WITHDRAW): Rule(_W, _CP),
        (_P, Action.AMEND): Rule(_P, _PROVIDER),
        (_P, Action.WITHDRAW): Rule(_W, _CP),
        (_P, Action.ASK_EXTENSION): Rule(_P, _CP),
        (_P, Action.EXTEND): Rule(_P, _PROVIDER),
        (_P, Action.RECORD_MLA): Rule(_P, _CP),
        (_P, Action.RELEASE): Rule(_R, _CP),
        (_P, Action.EXPIRE): Rule(_E, _CLOCK),
        # Where the terms ask for it.
        (_R, Action.DISPOSE): Rule(_Z, _PROVIDER),
        (_E, Action.DISPOSE): Rule(_Z, _PROVIDER),
    }
    # Ratifying records that a second person stood behind it, however far the order has come;
    # what was withdrawn needs nobody behind it any more.
    | {(s, Action.RATIFY): Rule(s, _CP) for s in SERVED if s is not _W}
    # The ladder is an overlay: whatever a person does to it leaves the order where it stands.
    | {(s, act): Rule(s, _CP) for s in (_I, _A) for act in LADDER_ACTS}
    # Doubt and its answer are facts beside the states that the provider still acts on.
    | {(s, Action.DOUBT): Rule(s, _PROVIDER) for s in (_I, _A, _P)}
    | {(s, Action.VOUCH): Rule(s, _CP) for s in (_I, _A, _P)}
    # "Not stored by us" is where another provider is named most often.
    | {(s, Action.REPORT_ROUTE): Rule(s, _PROVIDER) for s in (_I, _A, _P, _X)}
    # Words never change a state; both sides may write once the order is served, and after
    # its end too: a question about disposal comes late.
    | {(s, Action.ASK): Rule(s, _PROVIDER) for s in SERVED}
    | {(s, Action.ANSWER): Rule(s, _CP) for s in SERVED}
    # Notes are the contact point's own, from the first line on.
    | {(s, Action.NOTE): Rule(s, _CP) for s in OrderState}
    # A call that was made is logged, whatever happened to the order meanwhile.
    | {(s, Action.LOG_CALL): Rule(s, _CP) for s in SERVED}
)


def decide(state: OrderState, action: Action, roles: Set[Role]) -> OrderState:
    """The state an act leads to; ``Forbidden`` to the wrong role, before the state is told."""
    rules = [rule for (_, act), rule in TRANSITIONS.items() if act is action]
    if not any(rule.roles & roles for rule in rules):
        raise Forbidden(f"Your role does not allow you to {action.in_sentence}.")
    rule = TRANSITIONS.get((state, action))
    if rule is None:
        raise InvalidTransition(_refusal(state, action))
    if not rule.roles & roles:
        raise Forbidden(f"Your role does not allow you to {action.in_sentence}.")
    return rule.to


def allowed(state: OrderState, roles: Set[Role]) -> frozenset[Action]:
    """The acts open to these roles in this state: pages show these and no others."""
    return frozenset(a for (s, a), rule in TRANSITIONS.items() if s is state and rule.roles & roles)


def _refusal(state: OrderState, action: Action) -> str:
    return (
        f"“{action.label}” is not possible: the order is {state.label.lower()}. "
        "Read the order again to see what happened."
    )
