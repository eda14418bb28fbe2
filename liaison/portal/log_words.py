"""What the entries of the portal's log say, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from liaison.domain.vocabulary import Role
from liaison.portal.filters import utc, written
from liaison.queries.portal_log import Line
from liaison.services.entry_letters import WORDS as ENTRY_FIELDS

FACTORS = {
    "password": "password",
    "totp": "authenticator",
    "passkey": "passkey",
    "recovery": "recovery code",
    "api-key": "API key",
}


def sentence(line: Line) -> str:
    """The entry in one sentence; who did it stands beside."""
    say = SENTENCES.get(line.type)
    if say is None:
        return f"{line.type.removeprefix('portal.').replace('_', ' ').capitalize()}."
    text = say(line)
    reason = line.data.get("reason")  # what somebody typed
    return f"{text} Reason: {reason}" if isinstance(reason, str) and reason else text


def _subject(line: Line) -> str:
    return line.subject or str(line.data.get("email") or "") or "somebody"


def _about(before: str, after: str = "") -> Callable[[Line], str]:
    return lambda line: f"{before}{_subject(line)}{after}."


def _factor(line: Line) -> str:
    given = line.data.get("factor") or line.factor
    return FACTORS.get(str(given), str(given or "factor"))


def _refused(line: Line) -> str:
    whose = f"for {line.subject}" if line.subject else "for an address that has no account"
    return f"Sign-in refused {whose}: wrong {_factor(line)}."


def _step_up_refused(line: Line) -> str:
    return f"A fresh factor was asked of {_subject(line)}: wrong {_factor(line)}."


def _ended(line: Line) -> str:
    count = line.data.get("sessions")
    several = isinstance(count, int) and count > 1
    return f"{f'{count} sessions' if several else 'A session'} of {_subject(line)} ended."


def _listed(data: Mapping[str, Any], name: str) -> str:
    given = data.get(name)
    return ", ".join(map(str, given)) if isinstance(given, list) else ""


def _roles(data: Mapping[str, Any]) -> str:
    given = data.get("roles")
    known = {role.value: role.label for role in Role}
    return ", ".join(known.get(r, str(r)) for r in given) if isinstance(given, list) else ""


def _invited(line: Line) -> str:
    roles = _roles(line.data)
    return f"{_subject(line)} was invited{f' as {roles}' if roles else ''}."


def _roles_changed(line: Line) -> str:
    after = _roles(line.data)
    return f"The roles of {_subject(line)} were changed{f' to {after}' if after else ''}."


def _passed(line: Line) -> str:
    return f"{_subject(line)} signed in with password and {_factor(line)}."


def _review(line: Line) -> str:
    order, decision = line.data.get("ref"), line.data.get("decision")
    return f"Order {order} that {_subject(line)} had touched was {decision}."


def _key_made(line: Line) -> str:
    scopes, networks = _listed(line.data, "scopes"), _listed(line.data, "networks")
    return f"API key {_subject(line)} was made: {scopes}, from {networks or 'anywhere'}."


def _key_rolled(line: Line) -> str:
    ends = line.data.get("expires_at")
    until = f"; the older one ends {utc(datetime.fromisoformat(ends))} UTC" if ends else ""
    return f"API key {_subject(line)} was rolled over{until}."


def _key_expected(line: Line) -> str:
    every = line.data.get("expected_every")
    often = f"every {every} minutes" if every else "at no time in particular"
    return f"The program with API key {_subject(line)} is expected to call {often}."


def _webhook(what: str) -> Callable[[Line], str]:
    """A webhook goes by its server's name: the whole address can hold a secret."""

    def say(line: Line) -> str:
        why = line.data.get("why")
        return f"The webhook at {_subject(line)} {what}{f': {why}' if why else '.'}"

    return say


def _disabled(line: Line) -> str:
    text = f"The account of {_subject(line)} was disabled"
    keys, sessions = line.data.get("keys"), line.data.get("sessions")
    if keys is None and sessions is None:
        return f"{text}."
    count = len(keys) if isinstance(keys, list) else 0
    return f"{text}: {sessions or 0} sessions ended, {count} API keys revoked."


def _policy(line: Line) -> str:
    if line.data.get("passkey_to_issue"):
        return "Orders are issued with a passkey only from now on."
    return "Orders may be issued with any factor from now on."


def _drill(what: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        at = line.data.get("planned_at")
        when = f" for {utc(datetime.fromisoformat(at))} UTC" if isinstance(at, str) else ""
        return f"A drill with {line.data.get('provider') or 'a provider'}{when} {what}."

    return say


def _entry_changed(kind: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        changes = line.data.get("changes")
        what = ", ".join(ENTRY_FIELDS.get(name, name) for name in changes) if changes else ""
        return f"The entry of the {kind} {_subject(line)} was changed{f': {what}' if what else ''}."

    return say


def _letter(line: Line) -> str:
    letter = str(line.data.get("letter") or "").replace("_", " ")
    what = "came back" if line.data.get("bounced") else "could not be delivered"
    return f"A letter ({letter}) {what}."


def _letter_act(after: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        letter = str(line.data.get("letter") or "").replace("_", " ")
        note = line.data.get("note")
        return f"An undelivered letter ({letter}) {after}" + (f": {note}" if note else ".")

    return say


def _memorandum(after: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        which = f"Memorandum {line.data.get('ref')}, version {line.data.get('version')}"
        return f"{which}, {after}."

    return say


def _memorandum_changed(line: Line) -> str:
    text = _memorandum(f"was changed as a draft: {line.data.get('what')}")(line)
    voided = _listed(line.data, "voided")
    return f"{text} The signature of {voided} counts no longer." if voided else text


def _contact(before: str, after: str = "") -> Callable[[Line], str]:
    return lambda line: f"{before}contact {_subject(line)}{after}."


def _contact_waits(what: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        until = line.data.get("waits")
        when = f"; it waits until {utc(datetime.fromisoformat(until))} UTC" if until else ""
        fields = _listed(line.data, "fields").replace("_", " ")
        which = f" ({fields})" if fields else ""
        return f"A {what} of contact {_subject(line)}{which} was asked for{when}."

    return say


def _contact_changed(line: Line) -> str:
    fields = _listed(line.data, "fields").replace("_", " ")
    return f"Contact {_subject(line)} was changed{f': {fields}' if fields else ''}."


def _contact_way(what: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        way = {"email": "e-mail address", "phone": "phone number"}.get(str(line.data.get("way")))
        return f"{what} the {way or 'way'} of contact {_subject(line)}."

    return say


def _contact_called(line: Line) -> str:
    return f"Contact {_subject(line)} was called, to read out the code of the number."


def _import_done(line: Line) -> str:
    counts = line.data.get("counts")
    new, changed = (counts.get(n) if isinstance(counts, dict) else "?" for n in ("new", "changed"))
    return f"{_subject(line)} was imported: {new} providers new, {changed} changed."


def _exported(line: Line) -> str:
    rows, asked = line.data.get("rows"), line.data.get("filter")
    what = f"; filter: {asked}" if asked else ""
    return f"{rows} orders were taken away as a file{what}."


SENTENCES: Mapping[str, Callable[[Line], str]] = {
    "portal.contact_entered": _contact("A new ", " was entered"),
    "portal.contact_change_asked": _contact_waits("change"),
    "portal.contact_removal_asked": _contact_waits("removal"),
    "portal.contact_changed": _contact_changed,
    "portal.contact_removed": _contact("The ", " was removed"),
    "portal.contact_change_stopped": _contact("The change of ", " that waited was stopped"),
    "portal.contact_entry_stopped": _contact("The new ", " was stopped while it cooled off"),
    "portal.contact_reviewed": _contact("The entry of ", " was looked at: it is still right"),
    "portal.contact_code_asked": _contact_way("A code was asked for, to verify"),
    "portal.contact_called": _contact_called,
    "portal.contact_wrong_number": _contact(
        "The number of ", " is wrong, as whoever called it was told: it counts as not verified"
    ),
    "portal.contact_code_refused": _contact_way("A wrong code was entered for"),
    "portal.contact_verified": _contact_way("A code has verified"),
    "portal.signed_in": _passed,
    "portal.sign_in_refused": _refused,
    "portal.signed_out": _about("", " signed out"),
    "portal.session_ended": _ended,
    "portal.step_up_refused": _step_up_refused,
    "portal.invited": _invited,
    "portal.invitation_revoked": _about("The invitation of ", " was taken back"),
    "portal.enrolled": _about("", " followed the invitation and has an account now"),
    "portal.password_changed": _about("The password of ", " was changed"),
    "portal.factor_added": lambda n: f"{_subject(n)} added a factor: {_factor(n)}.",
    "portal.factor_removed": lambda n: f"{_subject(n)} removed a factor: {_factor(n)}.",
    "portal.recovery_codes_made": _about("New recovery codes were made for "),
    "portal.recovery_code_used": _about("A recovery code of ", " was used"),
    "portal.reset_asked": _about("A reset of the lost factor of ", " was asked for"),
    "portal.reset_confirmed": _about(
        "A second administrator confirmed the reset of the factor of "
    ),
    "portal.reset_cancelled": _about("The reset of the factor of ", " was called off"),
    "portal.reset_link_sent": _about("The link that resets the factor of ", " was sent"),
    "portal.reset_done": _about("The factor of ", " was reset"),
    "portal.factor_switched_off": _about(
        "The factor of ", " was switched off after too many wrong codes"
    ),
    "portal.factor_switched_on": _about("The factor of ", " was switched on again"),
    "portal.disabled": _disabled,
    "portal.enabled": _about("The account of ", " was enabled again"),
    "portal.roles_changed": _roles_changed,
    "portal.policy_changed": _policy,
    "portal.review_decided": _review,
    "portal.key_made": _key_made,
    "portal.key_rolled": _key_rolled,
    "portal.key_revoked": _about("API key ", " was revoked"),
    "portal.key_expected": _key_expected,
    "portal.key_silent": _about("The program with API key ", " has fallen silent"),
    "portal.key_back": _about("The program with API key ", " calls again"),
    "portal.webhook_made": _webhook("was added"),
    "portal.webhook_changed": _webhook("was changed"),
    "portal.webhook_rolled": _webhook("got a new secret"),
    "portal.webhook_disabled": _webhook("was disabled"),
    "portal.webhook_enabled": _webhook("was enabled again"),
    "portal.webhook_removed": _webhook("was removed"),
    "portal.webhook_given_up": _webhook("was disabled by itself"),
    "portal.webhook_tested": _webhook("was sent a test event"),
    "portal.webhook_replayed": _webhook("was sent events again"),
    "portal.drill_planned": _drill("was planned"),
    "portal.drill_cancelled": _drill("was taken back"),
    "portal.memorandum_drafted": _memorandum("was begun as a draft"),
    "portal.memorandum_changed": _memorandum_changed,
    "portal.memorandum_signed": lambda n: _memorandum(
        f"was signed by one side; SHA-256 {n.data.get('sha256')}"
    )(n),
    "portal.memorandum_agreed": lambda n: _memorandum(
        f"was agreed by both sides, in force from {n.data.get('in_force_from')}; "
        f"SHA-256 {n.data.get('sha256')}"
    )(n),
    "portal.memorandum_discarded": _memorandum("was discarded as a draft"),
    "portal.memorandum_ended": lambda n: _memorandum(
        f"was ended; its last day is {n.data.get('last_day')}"
    )(n),
    "portal.letter_failed": _letter,
    "portal.letter_retried": _letter_act("was sent again"),
    "portal.letter_settled": _letter_act("was dealt with"),
    "portal.worker_late": lambda n: f"The worker was behind: {n.data.get('what')}.",
    "portal.worker_caught_up": lambda _: "The worker has caught up.",
    "portal.canary_lost": lambda n: f"A canary by {n.data.get('way')} did not come back.",
    "portal.canary_back": lambda n: f"Canaries by {n.data.get('way')} come back again.",
    "portal.mailbox_unread": lambda n: (
        f"The mailbox of bounces was not read since {written(n.data.get('since'))}."
    ),
    "portal.mailbox_read": lambda _: "The mailbox of bounces is read again.",
    "portal.register_import_checked": _about("A file of providers (", ") was checked"),
    "portal.register_import_confirmed": _about("The import of ", " was confirmed"),
    "portal.register_import_discarded": _about("The import of ", " was laid aside"),
    "portal.register_import_done": _import_done,
    "portal.register_import_failed": _about(
        "The import of ", " failed: the register had changed meanwhile. Nothing was written"
    ),
    "portal.provider_registered": _about("The provider ", " was entered in the register"),
    "portal.provider_changed": _entry_changed("provider"),
    "portal.authority_registered": _about("The authority ", " was entered in the register"),
    "portal.authority_changed": _entry_changed("authority"),
    "portal.rota_made": _about("The rota ", " was begun"),
    "portal.rota_changed": _about("The rota ", " was changed"),
    "portal.rota_ended": _about("The rota ", " was ended"),
    "portal.duty_override_made": _about("", " was entered to stand in for duty"),
    "portal.duty_override_cancelled": _about("It was taken back that ", " stands in for duty"),
    "portal.duty_swapped": _about("", " exchanged shifts"),
    "portal.duty_feed_made": _about("A calendar address of duty was made for "),
    "portal.duty_feed_revoked": _about("The calendar address of duty of ", " was revoked"),
    "portal.duty_imported": lambda n: (
        f"A calendar of duty was imported: {n.data.get('new')} new, {n.data.get('gone')} cancelled."
    ),
    "portal.rule_registered": _about("The rule of the Parties ", " was entered"),
    "portal.rule_changed": _about("The rule of the Parties ", " was changed"),
    "portal.rule_removed": _about("The rule of the Parties ", " was removed"),
    "portal.hand_over_given": lambda n: (
        f"The desk was handed over; lines told: {n.data.get('told')}."
    ),
    "portal.hand_over_taken": lambda n: f"The desk was taken over from {n.data.get('given_by')}.",
    "portal.hand_over_cancelled": lambda _: "A hand-over that nobody had taken was called off.",
    "portal.orders_exported": _exported,
}
"""By type. A type without a sentence is told by its name."""
