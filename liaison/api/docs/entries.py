"""What ``data`` of each type of entry holds, for the reference. A test plays them and compares."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "by": "Who acted: `name` and `organisation`.",
        "via": "Of an act of your own side: `factor`, `session` and `address` it came by.",
    }
)

_REPORT = {
    "outcome": "Of the whole order: `preserved`, `partial` or `nothing_held`.",
    "reported_at": "When it was reported, UTC.",
    "preserved_at": "When the data were secured, UTC.",
    "until": "The latest date to which anything is kept, UTC; null where nothing is held.",
    "reference": "Your reference.",
    "sha256": "Fingerprint of the preserved set.",
    "risk": "Risk under art. 29(6).",
    "note": "Your note.",
    "targets": "Target by target: `id`, `outcome`, `until`, `note`.",
}
_REMARKS = {"reference": "Your reference.", "note": "Your note."}
_DRILL = {"test": "true: a drill; absent otherwise."}

DATA: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "order.issued": {
            "ref": "The order's ref.",
            "urgency": "`routine`, `urgent` or `emergency`.",
            "acknowledge_by": "Acknowledge by, UTC.",
            "preserve_by": "Preserve by, UTC.",
            "memorandum": "Under which it was issued: `ref` and `version`.",
            "sha256": "Fingerprint of the order as it was served.",
            "ratify_by": "Of an emergency issued at once: when a second person must ratify, UTC.",
            **_DRILL,
        },
        "order.fetched": {},
        "order.escalated": {
            "climb": "For which clock: `acknowledge` or `preserve`.",
            "step": "Number of the step on the ladder, repeats counted.",
            "rung": "Number of the rung.",
            "whom": "Whom the rung calls, like `on_duty`.",
            "called": "Who was called: `name` and `function` each.",
            "channels": "By which ways.",
            "early": "true: before anything was late; absent otherwise.",
        },
        "order.acknowledged": {
            **_REMARKS,
            "by_phone": "Who acknowledged on the phone; absent otherwise.",
            "by_reply": "Whose text or call was answered; absent otherwise.",
            "number": "The number that answered.",
            "way": "`text` or `voice`.",
        },
        "order.preserved": _REPORT,
        "order.preservation_amended": _REPORT
        | {"shorter": "Whether less is kept than was promised, or for less time."},
        "order.declined": {
            "grounds": "Grounds of the closed list.",
            "explanation": "In your words.",
            "preserved_meanwhile": "Whether the data are kept meanwhile.",
        },
        "order.withdrawn": {"reason": "Why, in the contact point's words.", **_DRILL},
        "order.message": {
            "id": "The message's id.",
            "at": "When, UTC.",
            "side": "`provider` or `contact_point`.",
            "text": "What was written.",
            "question": "Whether an answer is owed.",
            "attachments": "The files: `id`, `name`, `media_type`, `size`, `sha256` each.",
        },
        "order.doubted": {
            "id": "The doubt's id.",
            "reason": "In your words.",
            "kept_provisionally": "Whether the data are kept meanwhile.",
        },
        "order.vouched": {
            "id": "The doubt's id.",
            "vouches": "How many people have vouched.",
            "needed": "How many are needed.",
            "note": "What whoever vouched wrote; absent otherwise.",
            "voided": "true: one who had vouched was let go; absent otherwise.",
        },
        "order.ratified": {
            "ratify_by": "By when it had to be, UTC.",
            "late": "Whether it came after that.",
        },
        "order.ratification_overdue": {"ratify_by": "By when it had to be, UTC."},
        "order.extension_requested": {
            "until": "The date that is asked for, UTC.",
            "preserved_until": "The date you promised last, UTC.",
            "reason": "Why, in the contact point's words.",
        },
        "order.extended": {
            "until": "The date you gave, UTC.",
            "asked_until": "The date that was asked for, UTC.",
            "shorter": "Whether yours is the earlier one.",
            "preserved_until": "The date before, UTC.",
            **_REMARKS,
        },
        "order.mla_recorded": {
            "kind": "What followed, like `mla`.",
            "reference": "Its reference.",
            "sent_on": "The day it was sent.",
            "note": "The contact point's note to you.",
        },
        "order.released": {
            "note": "The contact point's note to you.",
            "disposal_wanted": "Whether you are to confirm disposal.",
        },
        "order.expired": {"preserved_until": "The date that has passed, UTC."},
        "order.disposed": _REMARKS,
        "order.route_reported": {
            "provider": "Its name, as you gave it.",
            "path": "What identifies the path.",
            "target": "The target it is about; null for the whole order.",
        },
    }
)
"""By type. What has no value may be absent or null."""
