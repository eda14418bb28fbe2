"""Text messages and automatic calls: handed to a real gateway on loopback, answered, reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import select, update

from liaison import signatures
from liaison.delivery import Ways, gateway_sender
from liaison.delivery.base import DeliveryError, Outgoing
from liaison.delivery.gateway import GatewaySender
from liaison.domain.gateway import Gateway
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import CallTask, Contact, Database, Message, Order
from liaison.models.work import MessageState
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.gateways import (
    FORMER,
    SECRET,
    SPOC,
    Callbacks,
    app_with,
    own_url,
    reach_by,
    spoc_of,
    twilio_says,
    twilio_url,
)
from tests.http_sink import DRIP, HANG, HttpSink, Reply
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages, open_calls, waiting
from tests.world import START, World

TAKEN = Reply(202, body=b'{"id": "carrier-7"}')
TWILIO_TOOK = Reply(201, body=b'{"sid": "SM77", "status": "queued"}')


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as listening:
        listening.always(TAKEN)
        yield listening


@pytest.fixture
def by_phone(work: Work, world: World, sink: HttpSink, sender: RecordingSender) -> Work:
    """A worker whose letters are kept, and whose texts and calls go to the gateway."""
    return _with(work, world, own_url(sink), sender)


def _with(work: Work, world: World, url: str, sender: RecordingSender) -> Work:
    gateway = gateway_sender(url, "http://localhost", world.clock)
    ways = {Channel.EMAIL: sender, Channel.TEXT: gateway, Channel.VOICE: gateway}
    return replace(work, sender=Ways(ways))


@pytest.fixture
def callbacks(settings: Settings, world: World, sink: HttpSink) -> Iterator[Callbacks]:
    app = app_with(settings, world, own_url(sink))
    yield Callbacks(app, world)
    app.extensions["liaison"].database.close()


def texts(database: Database, order: Order, way: Channel = Channel.TEXT) -> list[Message]:
    return [m for m in messages(database, order) if m.channel is way]


def replies(database: Database, order: Order) -> list[tuple[str, str]]:
    return [(e["text"], e["came"]) for e in entries(database, order, "order.reply_received")]


def test_an_emergency_by_text_is_delivered_answered_and_stops(
    by_phone: Work, world: World, database: Database, sink: HttpSink, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    (got,) = sink.got
    assert got.headers["authorization"] == "Bearer the-key"
    signatures.verify([SECRET], got.headers, got.body, world.now)
    (text,) = texts(database, order)
    assert got.json == {
        "id": str(text.id),
        "channel": "text",
        "to": SPOC,
        "from": "+37410000999",
        "text": f"EMERGENCY {order.name} Meridian Telecom: order waits for acknowledgement. "
        "By 23 Nov 13:00 UTC. http://localhost Reply 1 to confirm receipt.",
        "reply_allowed": True,
        "status_callback": "http://localhost/gateway/status",
        "test": False,
    }
    assert (text.state, text.provider_ref) == (MessageState.SENT, "carrier-7")

    world.clock.move(seconds=7)
    assert callbacks.status(text.id, "sent").status_code == 204
    assert callbacks.status(text.id, "delivered").status_code == 204
    delivered_at = world.now
    world.clock.move(minutes=2)
    assert callbacks.reply(" 1\n").status_code == 204

    assert world.order(order.name).state is OrderState.ACKNOWLEDGED
    (text,) = texts(database, order)
    assert (text.delivered_at, text.answered_at, text.answer) == (delivered_at, world.now, "1")
    (entry,) = entries(database, order, "order.acknowledged")
    assert (entry["number"], entry["way"]) == (SPOC, "text")
    assert entry["via"] == {"factor": "text", "session": str(text.id), "address": SPOC}
    assert entry["by"]["organisation"] == "Meridian Telecom"
    assert open_calls(database, order) == []
    world.clock.move(hours=2)
    run_once(by_phone)
    assert [len(texts(database, order)), len(sink.got)] == [1, 1], "nobody is paged any more"
    assert any(t.payload.get("climb") == 2 for t in waiting(database, order))


def test_a_call_is_read_out_and_one_who_presses_1_confirms(
    work: Work,
    world: World,
    database: Database,
    settings: Settings,
    sink: HttpSink,
    sender: RecordingSender,
) -> None:
    sink.always(Reply(201, body=b'{"sid": "CA77"}'))
    reach_by(world, Channel.VOICE)
    order = world.issue()
    run_once(_with(work, world, twilio_url(sink), sender))
    (got,) = sink.got
    assert got.path == "/2010-04-01/Accounts/AC123/Calls.json"
    form = dict(parse_qsl(got.body.decode()))
    (call,) = texts(database, order, Channel.VOICE)
    assert (form["To"], form["From"]) == (SPOC, "+15550001111")
    assert form["StatusCallback"] == f"http://localhost/gateway/twilio/status?message={call.id}"
    said = ElementTree.fromstring(form["Twiml"])
    gather = said.find("Gather")
    assert gather is not None
    spoken = gather.find("Say")
    assert spoken is not None
    assert spoken.attrib["loop"] == "2"
    assert "press 1" in str(spoken.text)

    app = app_with(settings, world, twilio_url(sink))
    press = f"press?message={call.id}"
    status = f"status?message={call.id}"
    pressed = {"CallSid": "CA77", "Digits": "1", "To": SPOC, "From": "+15550001111"}
    assert twilio_says(app, status, {"CallStatus": "in-progress"}).status_code == 204
    assert "not confirmed" in twilio_says(app, press, pressed | {"Digits": "2"}).text
    assert world.order(order.name).state is OrderState.ISSUED
    assert "Receipt is confirmed" in twilio_says(app, press, pressed).text
    assert world.order(order.name).state is OrderState.ACKNOWLEDGED
    assert texts(database, order, Channel.VOICE)[0].delivered_at == world.now
    assert replies(database, order) == [("2", "noted")]
    for changed in (pressed | {"Digits": "3"}, pressed | {"CallSid": "CA78"}):
        signed = twilio_says(app, press, pressed).request.headers["X-Twilio-Signature"]
        answer = app.test_client().post(
            f"/gateway/twilio/{press}", data=changed, headers={"X-Twilio-Signature": signed}
        )
        assert answer.status_code == 401
    assert twilio_says(app, press, pressed, token="guessed").status_code == 401
    app.extensions["liaison"].database.close()


def test_twilio_gets_a_text_as_a_form_and_says_why_it_failed(
    work: Work,
    world: World,
    database: Database,
    settings: Settings,
    sink: HttpSink,
    sender: RecordingSender,
) -> None:
    sink.always(TWILIO_TOOK)
    reach_by(world, Channel.TEXT, reply=False)
    order = world.issue()
    run_once(_with(work, world, twilio_url(sink), sender))
    (got,) = sink.got
    assert got.path == "/2010-04-01/Accounts/AC123/Messages.json"
    form = dict(parse_qsl(got.body.decode()))
    assert "Reply 1" not in form["Body"]
    (text,) = texts(database, order)
    app = app_with(settings, world, twilio_url(sink))
    failed = {"MessageStatus": "undelivered", "ErrorCode": "30005", "MessageSid": "SM77"}
    assert twilio_says(app, f"status?message={text.id}", failed).status_code == 204
    (text,) = texts(database, order)
    assert text.last_error == "undelivered: Twilio’s error 30005"
    answered = twilio_says(app, "reply", {"MessageSid": "SM1", "From": SPOC, "Body": "1"})
    assert answered.text == "<Response></Response>"
    assert world.order(order.name).state is OrderState.ISSUED
    assert replies(database, order) == [("1", "not_allowed")]
    app.extensions["liaison"].database.close()


NO_DATABASE_KEEPS = (r"ab\u0000cd", r"ab\ud800cd", r" ab\u0000\ud800\n cd ")
"""Ids in JSON: PostgreSQL has no NUL in a text, and nobody half a pair of surrogates."""


@pytest.mark.parametrize("gateway", ["own", "twilio"])
@pytest.mark.parametrize("id", NO_DATABASE_KEEPS)
def test_a_text_whose_id_at_the_gateway_is_odd_leaves_once(
    work: Work,
    world: World,
    database: Database,
    sink: HttpSink,
    sender: RecordingSender,
    gateway: str,
    id: str,
) -> None:
    name, url = ("id", own_url(sink)) if gateway == "own" else ("sid", twilio_url(sink))
    sink.always(Reply(201, body=f'{{"{name}": "{id}"}}'.encode()))
    reach_by(world, Channel.TEXT)
    order = world.issue()
    by_gateway = _with(work, world, url, sender)
    run_once(by_gateway)
    world.clock.move(minutes=10)
    run_once(by_gateway)
    (text,) = texts(database, order)
    assert " ".join((text.provider_ref or "").split()) == "ab cd"
    assert (text.state, text.attempts, len(sink.got)) == (MessageState.SENT, 1, 1)


@pytest.mark.parametrize("id", [r"\u0000", r"\ud800 \u0007", ""])
def test_an_id_of_which_nothing_can_be_kept_is_none(
    by_phone: Work, world: World, database: Database, sink: HttpSink, id: str
) -> None:
    sink.script(Reply(202, body=f'{{"id": "{id}"}}'.encode()))
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    (text,) = texts(database, order)
    assert text.state is MessageState.QUEUED
    assert "202 without “id”" in str(text.last_error)
    world.clock.move(seconds=6)
    run_once(by_phone)
    (text,) = texts(database, order)
    assert (text.state, text.provider_ref) == (MessageState.SENT, "carrier-7")
    assert len(set(sink.ids())) == 1, "by which the gateway knows that it has it already"


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_text_that_does_not_arrive_opens_a_call_once(
    by_phone: Work,
    world: World,
    database: Database,
    callbacks: Callbacks,
    sender: RecordingSender,
    status: str,
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    world.clock.move(minutes=15)
    run_once(by_phone)  # every SPOC is written to, and nobody is called
    deputy = next(t for t in texts(database, order) if t.address != SPOC)
    before = open_calls(database, order)
    for _ in range(2):
        assert callbacks.status(deputy.id, status, "30003 \ud800\x00unreachable").status_code == 204
    assert open_calls(database, order) == [*before, deputy.address]
    deputy = next(t for t in texts(database, order) if t.id == deputy.id)
    assert deputy.state is MessageState.FAILED
    assert deputy.last_error == f"{status}: 30003 unreachable"
    assert len(entries(database, order, "order.delivery_failed")) == 1
    run_once(by_phone)
    assert sum("could not be delivered" in one.subject for one in sender.sent) == 1
    on_the_telephone = next(t for t in texts(database, order) if t.address == SPOC)
    for id in (deputy.id, on_the_telephone.id):
        callbacks.status(id, "delivered")
        callbacks.status(id, status)  # comes too late to be true
    assert len(entries(database, order, "order.delivery_failed")) == 1


def test_a_failure_reported_after_the_acknowledgement_calls_nobody(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    world.acknowledge(order)
    callbacks.status(texts(database, order)[0].id, "failed")
    assert open_calls(database, order) == []


def test_only_a_plain_1_where_the_term_allows_it_acknowledges(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    for text in ("Who is this?", "11", "", "1 <script>alert(1)</script>", "\x00\ud800 2"):
        assert callbacks.reply(text).status_code == 204
    assert world.order(order.name).state is OrderState.ISSUED
    assert replies(database, order)[:2] == [("Who is this?", "noted"), ("11", "noted")]
    assert replies(database, order)[-1] == ("2", "noted")

    reach_by(world, Channel.TEXT, reply=False)
    other = world.issue("08-emergency-threat-foreign.json")
    run_once(by_phone)
    (asked,) = texts(database, other)
    assert "Reply" not in json.dumps([asked.params, asked.letter])
    callbacks.reply("1", number=asked.address)
    assert world.order(other.name).state is OrderState.ISSUED


def test_a_reply_that_may_mean_two_orders_acknowledges_none_and_we_are_told(
    by_phone: Work,
    world: World,
    database: Database,
    callbacks: Callbacks,
    sender: RecordingSender,
) -> None:
    reach_by(world, Channel.TEXT)
    first, second = world.issue(), world.issue()
    while run_once(by_phone).sent:
        pass
    assert callbacks.reply().status_code == 204
    for order in (first, second):
        assert world.order(order.name).state is OrderState.ISSUED
        assert replies(database, order) == [("1", "unclear")]
    run_once(by_phone)
    told = [one for one in sender.sent if "may mean another order" in one.subject]
    assert {one.address for one in told} == {"duty@police.example"}
    assert len(told) == 2
    # Whoever answers within one message's own thread has said which.
    (text,) = texts(database, second)
    callbacks.say("reply", {"id": str(text.id), "from": SPOC, "text": "1"})
    assert world.order(second.name).state is OrderState.ACKNOWLEDGED
    assert world.order(first.name).state is OrderState.ISSUED


def test_what_is_played_again_does_nothing_twice(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    first = world.issue()
    run_once(by_phone)
    assert callbacks.reply("1", id="reply-1").status_code == 204
    assert world.order(first.name).state is OrderState.ACKNOWLEDGED
    second = world.issue()
    run_once(by_phone)
    assert callbacks.reply("1", id="reply-1").status_code == 204
    assert world.order(second.name).state is OrderState.ISSUED, "an old 1 is not a new one"
    assert len(entries(database, first, "order.acknowledged")) == 1
    assert replies(database, second) == []


def test_forged_stale_and_foreign_callbacks_change_nothing(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks, sink: HttpSink
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    (text,) = texts(database, order)
    given = {"id": str(text.id), "status": "delivered"}
    other = json.dumps(given | {"status": "failed"}).encode()
    forger = signatures.new_secret()
    refused = [
        callbacks.say("status", given, secret=forger),
        callbacks.say("status", given, late=301),
        callbacks.say("status", given, body=other),
        callbacks.app.test_client().post("/gateway/status", json=given),
        callbacks.app.test_client().post("/gateway/reply", json={"from": SPOC, "text": "1"}),
        callbacks.reply(secret=forger),
    ]
    assert {a.status_code for a in refused} == {401}
    said = [a.text for a in refused]
    assert "No signature fits" in said[0]
    assert "five minutes" in said[1]
    assert said[2] == said[0]
    assert "id or a timestamp" in said[3]
    assert said[5] == said[0]
    absent = [
        callbacks.reply(number="+37499999999"),
        callbacks.reply(number="\x00"),
        callbacks.reply(number="\ud800"),
        callbacks.status("01930000-0000-7000-8000-000000000001", "failed"),
        callbacks.status(messages(database, order)[0].id, "failed"),  # a letter's
        callbacks.status("none", "failed"),
        callbacks.say("reply", {"id": str(text.id), "from": "+37499999999", "text": "1"}),
    ]
    assert {(a.status_code, a.text) for a in absent} == {(404, "")}
    # What we signed ourselves, sent back to us, is none of the documented bodies.
    sent = sink.got[0]
    mirrored = callbacks.app.test_client().post(
        "/gateway/reply",
        data=sent.body,
        headers={k: v for k, v in sent.headers.items() if k.startswith("webhook-")},
    )
    assert mirrored.status_code == 422
    assert callbacks.say("reply", given).status_code == 422
    more = {"from": SPOC, "text": "1", "channel": "text"}
    assert callbacks.say("reply", more).status_code == 422
    huge = b'{"from": "' + SPOC.encode() + b'", "text": "' + b"1" * 17_000 + b'"}'
    assert callbacks.say("reply", huge).status_code == 413
    assert callbacks.status(text.id, "delivered", secret=FORMER).status_code == 204
    (text,) = texts(database, order)
    assert (text.state, text.answered_at) == (MessageState.SENT, None)
    assert world.order(order.name).state is OrderState.ISSUED
    for _ in range(20):
        last = callbacks.status(text.id, "failed", secret=forger)
    assert (last.status_code, last.headers["Retry-After"]) == (429, "60")
    assert callbacks.status(text.id, "delivered").status_code == 204, "the real one is let in"


@pytest.mark.parametrize("what", ["removed", "other number", "wrong number", "other provider"])
def test_a_number_that_is_the_contacts_no_more_acknowledges_nothing(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks, what: str
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    changes: dict[str, dict[str, object]] = {
        "removed": {"removed_at": world.now},
        "other number": {"phone": "+37410000299"},
        "wrong number": {"wrong_number_at": world.now},
        "other provider": {"provider_id": world.register.providers["Norvik Mobile"]},
    }
    with database.transaction() as session:
        session.execute(update(Contact).where(Contact.id == spoc_of(world)).values(**changes[what]))
    assert callbacks.reply().status_code == 204
    assert world.order(order.name).state is OrderState.ISSUED
    assert replies(database, order) == [("1", "not_allowed")]


def test_a_number_of_two_providers_contacts_answers_for_neither(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    with database.transaction() as session:
        theirs = Contact.id == spoc_of(world, "Norvik Mobile")
        session.execute(update(Contact).where(theirs).values(phone=SPOC))
    ours, others = world.issue(), world.issue("08-emergency-threat-foreign.json")
    while run_once(by_phone).sent:
        pass
    callbacks.reply()
    assert replies(database, ours) == replies(database, others) == [("1", "unclear")]


def test_texts_and_calls_say_nothing_of_the_case(
    by_phone: Work, world: World, database: Database, sink: HttpSink
) -> None:
    reach_by(world, Channel.TEXT, Channel.VOICE)
    canary = "CANARY"
    order = world.issue(
        facts=f"{canary} facts.", offence=f"{canary} offence", necessity=f"{canary} need"
    )
    targets = {t.value for t in world.order(order.name).targets}
    for _ in range(8):
        while run_once(by_phone).sent:
            pass
        world.clock.move(minutes=15)
    assert {got.json["channel"] for got in sink.got} == {"text", "voice"}
    assert {got.json["to"] for got in sink.got} >= {SPOC, "+37410000101", "+37410000102"}
    for got in sink.got:
        said = got.body.decode()
        assert canary not in said
        assert not any(value in said for value in targets)
        if "1 to confirm" in said or "press 1" in said:
            assert got.json["to"].startswith("+374100002"), "a colleague of ours confirms nothing"


def test_who_doubts_and_who_does_not_ratify_is_texted_too(
    by_phone: Work, world: World, database: Database, sink: HttpSink
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    world.acknowledge(order)
    world.clock.move(hours=12)
    run_once(by_phone)
    said = [got.json["text"] for got in sink.got]
    assert any("not ratified in time" in one for one in said)


OUTGOING = Outgoing(
    address=SPOC,
    subject="",
    text="Look.",
    html="",
    idem="a:b:text",
    written_at=START,
    channel=Channel.TEXT,
    number="01930000-0000-7000-8000-000000000001",
)


@pytest.mark.parametrize(
    ("reply", "permanent", "seconds"),
    [
        (Reply(400, body=b"no such number"), True, None),
        (Reply(401), True, None),
        (Reply(408), False, None),
        (Reply(429, {"Retry-After": "7"}), False, 7),
        (Reply(503, {"Retry-After": "Mon, 23 Nov 2026 12:01:00 GMT"}), False, 60),
        (Reply(500, {"Retry-After": "soon"}), False, None),
        (Reply(302, {"Location": "http://127.0.0.1:1/"}), False, None),
        (Reply(200, body=b"[]"), False, None),
        (HANG, False, None),
        (DRIP, False, None),
    ],
)
def test_what_the_gateway_answers_decides_what_comes_next(
    sink: HttpSink, world: World, reply: Reply, permanent: bool, seconds: int | None
) -> None:
    sink.script(reply)
    quick = GatewaySender(Gateway.from_url(own_url(sink)), "http://x", world.clock, longest=0.5)
    with pytest.raises(DeliveryError) as caught:
        quick.send(OUTGOING)
    assert caught.value.permanent is permanent
    waits = caught.value.retry_after
    assert (waits.total_seconds() if waits else None) == seconds
    assert sink.connections == 1


def test_a_repeat_carries_the_same_id(sink: HttpSink, world: World) -> None:
    gateway = GatewaySender(Gateway.from_url(own_url(sink)), "http://x", world.clock)
    assert [gateway.send(OUTGOING).reference for _ in range(2)] == ["carrier-7"] * 2
    assert len({got.headers["webhook-id"] for got in sink.got}) == 1
    assert sink.got[0].body == sink.got[1].body


def test_without_a_gateway_a_text_opens_a_call_at_once(
    work: Work, world: World, database: Database, sender: RecordingSender, app: Flask
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(replace(work, sender=Ways({Channel.EMAIL: sender})))
    (text,) = texts(database, order)
    assert text.state is MessageState.FAILED
    with database.reading() as session:
        query = select(CallTask.why).where(CallTask.order_id == order.id)
        assert SPOC in open_calls(database, order), list(session.scalars(query))
    assert app.test_client().post("/gateway/status", json={}).status_code == 401


def test_of_eight_at_once_one_reply_counts(
    by_phone: Work, world: World, database: Database, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    with ThreadPoolExecutor(8) as pool:
        ids = [f"reply-{n // 2}" for n in range(8)]
        answers = list(pool.map(lambda id: callbacks.reply(id=id).status_code, ids))
    assert set(answers) == {204}
    assert len(entries(database, order, "order.acknowledged")) == 1
    assert [came for _, came in replies(database, order)] == ["not_open"] * 3


def test_the_contact_point_reads_replies_on_the_order_and_the_provider_its_own_receipt(
    by_phone: Work, world: World, callbacks: Callbacks
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    run_once(by_phone)
    callbacks.reply("<script>alert(1)</script> who?")
    callbacks.reply("1")
    pages = {}
    for who in ("officer", "spoc"):
        browser = callbacks.app.test_client()
        world.sign_in(browser, who)
        pages[who] = browser.get(f"/orders/{order.name}").text
    assert "<script>alert" not in pages["officer"]
    assert "&lt;script&gt;alert(1)" in pages["officer"]
    assert "who?" not in pages["spoc"]
    for page in pages.values():
        assert SPOC in page
        assert "receipt acknowledged by text message." in page
