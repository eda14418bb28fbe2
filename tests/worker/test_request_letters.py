"""Letters to a counterpart: in their language, to their address, without a word of the case."""

from __future__ import annotations

import re
from typing import Any

import pytest

from liaison.delivery import DeliveryError
from liaison.documents.letters import FOLDER, compose
from liaison.domain.lifecycle import OrderState
from liaison.domain.request import LANGUAGES, LETTERS, LetterKind
from liaison.domain.vocabulary import Ground, PartyGround
from liaison.models.work import MessageState
from liaison.queries import requests as queries
from liaison.worker import Work
from liaison.worker.messages import send_some
from tests.incoming import ADDRESSES, FOLLOW_UP, RANSOMWARE, mail, register, served, write
from tests.mail import RecordingSender
from tests.world import World

SAID = [
    "prepared",
    "issued",
    "acknowledged",
    "preserved",
    "partial",
    "nothing_held",
    "kept_for_mla",
    "declined",
    "withdrawn",
    "released",
    "expired",
    "disposed",
]
PARAMS: dict[str, Any] = {
    "language": "en",
    "number": "CP-IN-2026-0001",
    "reference": "NL-1\n\n<b>\nBcc: x@y.example",
    "name": "",
    "received_at": "2026-11-23T13:30:00+02:00",
    "authority": "National 24/7 Contact Point",
    "email": "247cp@police.example",
    "phone": "+37410000100",
}


def order(said: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ref": "" if said == "prepared" else "CP-2026-0007",
        "said": said,
        "at": "2026-11-24T08:00:00Z",
        "until": "2027-02-21T12:00:00Z",
        "grounds": [],
        "meanwhile": False,
    }
    return told | more


def letter(kind: str, language: str, **params: Any) -> str:
    made = compose(
        f"request/{kind}.{language}", PARAMS | params, "https://cp.example", "production"
    )
    assert "NL-1 <b> Bcc: x@y.example" in made.subject, "a typed line break ends no line of ours"
    assert "<b>" not in made.html
    assert "https://cp.example" not in made.text + made.html, "the reader has no account here"
    assert "{{" not in made.text
    return made.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_is_there_in_every_language(kind: LetterKind, language: str) -> None:
    told = {
        "items": list(LETTERS),
        "grounds": [ground.value for ground in PartyGround],
        "orders": [order(said) for said in SAID],
    }
    text = letter(kind.value, language, **told)
    assert "CP-IN-2026-0001" in text
    assert "247cp@police.example" in text
    assert "National 24/7 Contact Point" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ending_of_an_order_has_its_sentence(language: str) -> None:
    texts = [letter("progress", language, orders=[order(said)]) for said in SAID]
    assert len(set(texts)) == len(SAID)
    assert all("CP-2026-0007" in text for text in texts[1:])
    drafts = {OrderState.DRAFT.value, OrderState.SUBMITTED.value}
    assert {state.value for state in OrderState} - drafts <= set(SAID)
    none = letter("progress", language, orders=[])
    assert none not in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ground_and_every_letter_has_its_words(language: str) -> None:
    grounds = [
        letter("result", language, orders=[order("declined", grounds=[g.value])]) for g in Ground
    ]
    assert len(set(grounds)) == len(Ground)
    kept = letter("result", language, orders=[order("declined", meanwhile=True)])
    assert kept != letter("result", language, orders=[order("declined")])
    refusals = [letter("refusal", language, grounds=[g.value]) for g in PartyGround]
    assert len(set(refusals)) == len(PartyGround)
    asked = [letter("missing", language, items=[item]) for item in LETTERS]
    assert len(set(asked)) == len(LETTERS)


def test_there_is_a_file_for_each_and_no_other() -> None:
    names = {path.name for path in (FOLDER / "request").glob("*.txt")}
    expected = {f"{kind.value}.{code}.txt" for kind in LetterKind for code in LANGUAGES}
    assert names == expected | {f"_words.{code}.txt" for code in LANGUAGES} | {"letter.txt"}


def test_times_are_read_alike_everywhere() -> None:
    assert "2026-11-23 11:30 UTC" in letter("receipt", "ru")


def test_a_letter_leaves_in_their_language_to_their_address(
    world: World, work: Work, sender: RecordingSender
) -> None:
    request = register(world, FOLLOW_UP)
    write(world, request, LetterKind.RECEIPT)
    send_some(work)
    (sent,) = sender.sent
    assert sent.address == ADDRESSES[FOLLOW_UP]
    assert "a été reçue" in sent.subject
    assert mail(world, request.id)[0].state is MessageState.SENT


def test_who_reads_another_language_is_written_to_in_english(
    world: World, work: Work, sender: RecordingSender
) -> None:
    request = register(world, RANSOMWARE)
    assert request.language == "nl"
    assert write(world, request, LetterKind.RECEIPT).language == "en"
    send_some(work)
    assert "was received" in sender.sent[0].subject


def test_no_letter_says_a_word_of_the_case(
    world: World, work: Work, sender: RecordingSender
) -> None:
    request = register(world, RANSOMWARE)
    write(world, request, LetterKind.RECEIPT)
    order_ = served(world, request, RANSOMWARE)
    world.preserve(order_, by="sevan_spoc")
    write(world, request, LetterKind.PROGRESS)
    world.clock.move(seconds=1)
    write(world, request, LetterKind.RESULT)
    while send_some(work)[0]:
        pass
    told = " ".join(
        s.subject + s.text + s.html for s in sender.sent if s.address == ADDRESSES[RANSOMWARE]
    )
    assert str(order_.ref) in told
    data = world.data(RANSOMWARE)
    secrets = [data["offence"], data["custodian"], data["necessity"], "hospital", "26-HTC-118"]
    secrets += [target["value"] for target in data["targets"]] + ["Sevan Hosting"]
    assert [word for word in secrets if word.lower() in told.lower()] == []
    assert not re.search(r"/orders/", told)


def test_a_letter_that_does_not_arrive_is_seen_and_sent_again(
    world: World, work: Work, sender: RecordingSender
) -> None:
    request = register(world, RANSOMWARE)
    write(world, request, LetterKind.RECEIPT)
    sender.fail(DeliveryError("550 no such mailbox", permanent=True))
    send_some(work)

    def failed() -> list[bool]:
        with world.database.reading() as session:
            found = queries.listed(session, world.actor("officer"), queries.Shown.WAITING)
            return [r.failed for r in found.rows]

    assert failed() == [True]
    write(world, request, LetterKind.RECEIPT)
    send_some(work)
    assert failed() == []
    assert [m.state for m in mail(world, request.id)] == [MessageState.FAILED, MessageState.SENT]
