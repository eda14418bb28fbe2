"""The story: the tests' orders at eight points of an order's life, as of now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from liaison.demo import drills, duty, versions
from liaison.demo.stage import Stage
from liaison.domain.vocabulary import CallOutcome, Ground, TargetType

EARLIEST = timedelta(days=400)
"""How long before now the register was written."""


def play(stage: Stage, now: datetime) -> None:
    """Plays the whole story, oldest first, up to ``now``."""
    drills.play(stage, now)

    def ago(**span: float) -> datetime:
        return now - timedelta(**span)

    _preserved_expiring(stage, ago)
    _long_preserved(stage, ago)
    _declined(stage, ago)
    versions.play(stage, now)
    _quickly_answered(stage, ago)
    overdue = _overdue_begins(stage, ago)
    _question(stage, ago)
    duty.new_number(stage, now)
    stage.invite(ago(minutes=100), "newcomer@police.example", "Zara Ghukasyan")
    _overdue_goes_on(stage, ago, overdue)
    _emergency(stage, ago)
    # Whoever has answered the emergency finds another that waits for Meridian.
    stage.issue(ago(minutes=12), "10-mailbox-takeover.json")
    duty.play(stage, now)
    # Harbour's memorandum covers no location data: the check page says so.
    stage.draft(ago(minutes=1), "03-cgnat-fraud-routine.json", provider="Harbour Cable")
    # The toy provider answers this one while people look on.
    stage.issue(now, "09-phishing-page-hosting.json")


Ago = Callable[..., datetime]


def _preserved_expiring(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(days=83), "04-foreign-followup-mail.json")
    stage.acknowledge(ago(days=82, hours=20), ref, "HC-2210")
    stage.preserve(ago(days=81, hours=4), ref, 90)


def _long_preserved(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(days=45), "02-foreign-ransomware-hosting.json")
    stage.acknowledge(ago(days=44, hours=23, minutes=59), ref)
    stage.preserve(ago(days=44, hours=23, minutes=50), ref, 180, missing=TargetType.PAYMENT)


def _declined(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(days=6), "07-botnet-240-targets.json")
    stage.acknowledge(ago(days=5, hours=22), ref, "MT-9917")
    stage.decline(
        ago(days=5, hours=1),
        ref,
        "Half of these addresses are pools of several hundred customers each; without a tighter "
        "time or the source port the lists would hold thousands of people who are not meant.",
        Ground.OVERBROAD,
        Ground.NOT_ENOUGH_INFORMATION,
    )


def _quickly_answered(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(days=3), "08-emergency-threat-foreign.json")
    stage.call(
        ago(days=3) + timedelta(minutes=6),
        ref,
        "Tigran Avagyan",
        CallOutcome.REACHED,
        "Acknowledges by phone; looks into the portal at once.",
        acknowledged=True,
    )
    stage.ratify(ago(days=3) + timedelta(minutes=35), ref)
    stage.preserve(ago(days=3) + timedelta(minutes=51), ref, 90, missing=TargetType.MAC)


def _overdue_begins(stage: Stage, ago: Ago) -> str:
    return stage.issue(ago(hours=26), "03-cgnat-fraud-routine.json")


def _question(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(hours=7), "05-names-from-everywhere.json")
    stage.acknowledge(ago(hours=6, minutes=20), ref, "MT-9980")
    stage.ask(
        ago(hours=2),
        ref,
        "The account name “星河_2026” exists twice at Meridian ID, once with a full-width digit. "
        "Which of the two do you mean? Both are kept until you answer.",
    )


def _overdue_goes_on(stage: Stage, ago: Ago, ref: str) -> None:
    stage.call(
        ago(minutes=95),
        ref,
        "Shift leader",
        CallOutcome.REACHED,
        "Has no access to the portal; passes it on to the legal desk.",
    )


def _emergency(stage: Stage, ago: Ago) -> None:
    ref = stage.issue(ago(minutes=42), "01-emergency-missing-child.json")
    stage.call(
        ago(minutes=40), ref, "Karen Hovsepyan", CallOutcome.VOICEMAIL, "Asked to look at once."
    )
    stage.call(ago(minutes=26), ref, "Lilit Sargsyan", CallOutcome.NO_ANSWER, "")
