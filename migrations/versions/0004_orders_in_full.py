"""Orders in full: four eyes, drafts, requests, extensions, doubts, routes, papers, the desk."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None


# On one line each: so SQLite can tell them to whoever builds the table anew.
_RANK = (
    "CASE "
    "WHEN state IN ('issued', 'acknowledged') AND urgency = 'emergency' AND NOT test THEN 0 "
    "WHEN state IN ('issued', 'acknowledged') AND NOT test THEN 1 "
    "WHEN question_open_since IS NOT NULL OR doubt_open_since IS NOT NULL THEN 2 "
    "WHEN state IN ('issued', 'acknowledged') THEN 3 "
    "WHEN state = 'submitted' THEN 4 "
    "WHEN state = 'draft' THEN 5 "
    "WHEN state = 'preserved' AND preserved_until IS NOT NULL AND mla_recorded_at IS NULL "
    "AND NOT test THEN 6 "
    "WHEN state = 'preserved' THEN 7 "
    "ELSE 8 END"
)
_AT = (
    "CASE "
    "WHEN state = 'issued' THEN acknowledge_by "
    "WHEN state = 'acknowledged' THEN preserve_by "
    "WHEN state = 'preserved' THEN coalesce(preserved_until, acknowledged_at, created_at) "
    "ELSE coalesce(ended_at, created_at) END"
)
_WAITS_CONTACT_POINT = (
    "CASE "
    "WHEN state IN ('draft', 'submitted') THEN 1 "
    "WHEN question_open_since IS NOT NULL OR doubt_open_since IS NOT NULL THEN 1 "
    "WHEN ratify_by IS NOT NULL AND ratified_at IS NULL AND state <> 'withdrawn' THEN 1 "
    "ELSE 0 END"
)
_WAITS_PROVIDER = (
    "CASE "
    "WHEN state IN ('issued', 'acknowledged') THEN 1 "
    "WHEN state = 'preserved' AND extension_asked_at IS NOT NULL THEN 1 "
    "WHEN state IN ('released', 'expired') AND disposal_wanted THEN 1 "
    "ELSE 0 END"
)

_TERMS = sa.table(
    "preservation_order",
    sa.column("id", sa.Uuid()),
    sa.column("state", sa.Text()),
    sa.column("test", sa.Boolean()),
    sa.column("terms", sa.JSON()),
    sa.column("disposal_wanted", sa.Boolean()),
)


_RECKONED = (
    ("queue_rank", sa.Integer, _RANK),
    ("queue_at", lambda: sa.DateTime(timezone=True), _AT),
    ("waits_contact_point", sa.Integer, _WAITS_CONTACT_POINT),
    ("waits_provider", sa.Integer, _WAITS_PROVIDER),
)

_FILTERS = {
    "authority": (
        "state",
        "urgency",
        "provider_id",
        "party",
        "officer_id",
        "waits_contact_point",
        "waits_provider",
        "test",
    ),
    "provider": ("state", "urgency", "waits_contact_point", "waits_provider", "test"),
}


def _reckon_the_queue() -> None:
    """Columns the database reckons, after all else: SQLite cannot copy them into a new table.

    A later revision that builds the table anew takes them off before and puts them back after.
    SQLite adds no stored ones to a table that stands; there they are reckoned when they are read,
    and kept in the index.
    """
    stored = op.get_bind().dialect.name != "sqlite"
    for name, type_, said in _RECKONED:
        column = sa.Column(name, type_(), sa.Computed(said, persisted=stored), nullable=False)
        op.add_column("preservation_order", column)
    for side in ("authority", "provider"):
        columns = ["queue_rank", "queue_at", "id"]
        op.create_index(f"ix_order_{side}_queue", "preservation_order", [f"{side}_id", *columns])
        for by in _FILTERS[side]:
            whole = [f"{side}_id", by, *columns]
            op.create_index(f"ix_order_{side}_by_{by}", "preservation_order", whole)
    promise = ["authority_id", "queue_rank", "mla_expected_by"]
    op.create_index("ix_order_promise", "preservation_order", promise)


def _forget_the_queue() -> None:
    op.drop_index("ix_order_promise", "preservation_order")
    for side in ("authority", "provider"):
        for by in _FILTERS[side]:
            op.drop_index(f"ix_order_{side}_by_{by}", "preservation_order")
        op.drop_index(f"ix_order_{side}_queue", "preservation_order")
    for name, _, _ in _RECKONED:
        op.drop_column("preservation_order", name)


def _disposal_as_agreed() -> None:
    """Orders under way were issued under terms that said whether disposal is confirmed.

    Nobody was asked when those before them ended, and a drill holds nothing.
    """
    connection = op.get_bind()
    under_way = _TERMS.c.state.in_(("issued", "acknowledged", "preserved"))
    found = sa.select(_TERMS.c.id, _TERMS.c.terms).where(under_way, ~_TERMS.c.test)
    rows = connection.execute(found).all()
    wanted = [row.id for row in rows if (row.terms or {}).get("disposal_confirmation")]
    for id_ in wanted:
        connection.execute(
            _TERMS.update().where(_TERMS.c.id == id_).values(disposal_wanted=sa.true())
        )


_DATES = sa.table(
    "preservation_order",
    sa.column("id", sa.Uuid()),
    sa.column("state", sa.Text()),
    sa.column("test", sa.Boolean()),
    sa.column("preserved_until", sa.DateTime(timezone=True)),
    sa.column("authority_id", sa.Uuid()),
    sa.column("mla_intended", sa.Boolean()),
    sa.column("mla_expected_by", sa.Date()),
)
_ZONES = sa.table("authority", sa.column("id", sa.Uuid()), sa.column("time_zone", sa.Text()))
_TIMERS = sa.table(
    "timer",
    sa.column("id", sa.Uuid()),
    sa.column("kind", sa.Text()),
    sa.column("key", sa.Text()),
    sa.column("order_id", sa.Uuid()),
    sa.column("due_at", sa.DateTime(timezone=True)),
    sa.column("state", sa.Text()),
    sa.column("attempts", sa.Integer()),
    sa.column("payload", sa.JSON()),
    sa.column("done_at", sa.DateTime(timezone=True)),
)


def _dates_are_reminded_of() -> None:
    """Orders that are kept already: their officers are written to like those of new ones."""
    connection, now = op.get_bind(), datetime.now(UTC)
    order = _DATES.c
    rows = connection.execute(
        sa.select(_DATES, _ZONES.c.time_zone)
        .join_from(_DATES, _ZONES, _ZONES.c.id == order.authority_id)
        .where(order.state.in_(("acknowledged", "preserved")), ~order.test)
    ).all()
    for row in rows:
        for kind, due, payload in _reminders(row):
            if due > now:
                _set_timer(row.id, kind, f"{due.isoformat()}:{uuid4()}", due, payload)


def _set_timer(
    order_id: UUID, kind: str, name: str, due: datetime, payload: dict[str, Any]
) -> None:
    values = {"kind": kind, "due_at": due, "payload": payload, "order_id": order_id}
    values |= {"id": uuid4(), "key": f"{order_id}:{kind}:{name}", "state": "waiting", "attempts": 0}
    op.get_bind().execute(_TIMERS.insert().values(**values))


_ASKED = sa.table(
    "preservation_order",
    sa.column("id", sa.Uuid()),
    sa.column("state", sa.Text()),
    sa.column("terms", sa.JSON()),
    sa.column("question_open_since", sa.DateTime(timezone=True)),
    sa.column("answer_by", sa.DateTime(timezone=True)),
)
_MESSAGES = sa.table(
    "thread_message",
    sa.column("id", sa.Uuid()),
    sa.column("order_id", sa.Uuid()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("side", sa.Text()),
)


def _open_questions_have_a_clock() -> None:
    """A question that waits already is owed an answer within the term, like a new one."""
    connection, order = op.get_bind(), _ASKED.c
    # What was withdrawn needs no answer by a certain time.
    rows = connection.execute(
        sa.select(_ASKED).where(order.question_open_since.is_not(None), order.state != "withdrawn")
    ).all()
    for row in rows:
        asked, term = _utc(row.question_open_since), _answer_term(row.terms)
        question = connection.scalar(
            sa.select(_MESSAGES.c.id)
            .where(
                _MESSAGES.c.order_id == row.id,
                _MESSAGES.c.side == "provider",
                _MESSAGES.c.at >= row.question_open_since,
            )
            .order_by(_MESSAGES.c.at, _MESSAGES.c.id)
            .limit(1)
        )
        if term is None or question is None:
            continue
        due, payload = asked + term, {"question": str(question)}
        connection.execute(_ASKED.update().where(order.id == row.id).values(answer_by=due))
        _set_timer(row.id, "answer", f"{question}:1", due, payload)


def _answer_term(terms: dict[str, Any] | None) -> timedelta | None:
    minutes = (terms or {}).get("answer")
    return None if minutes is None else timedelta(minutes=max(minutes, 1))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _reminders(row: Any) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    until = row.preserved_until
    if row.state == "preserved" and until is None:
        return  # nothing is held
    if row.state == "preserved":
        until = _utc(until)
        for days in (14, 7, 2):
            payload = {"until": until.isoformat(), "days": days}
            yield "expiry_nears", until - timedelta(days=days), payload
    by = row.mla_expected_by
    if row.mla_intended and by is not None and 2000 < by.year < 9000:
        for shift, passed in ((-7, False), (1, True)):
            morning = datetime.combine(by + timedelta(days=shift), time(8), ZoneInfo(row.time_zone))
            payload = {"by": by.isoformat(), "passed": passed}
            yield "promise", morning.astimezone(UTC), payload


_CLOCKS = sa.table(
    "preservation_order",
    sa.column("id", sa.Uuid()),
    sa.column("state", sa.Text()),
    sa.column("clock_stopped_at", sa.DateTime(timezone=True)),
    sa.column("ladder_closed_at", sa.DateTime(timezone=True)),
)


def _held_ladders_go_on() -> None:
    """No question stops a clock of the older schema: what it held is called again."""
    connection, order, timer = op.get_bind(), _CLOCKS.c, _TIMERS.c
    running = {"issued": 1, "acknowledged": 2}
    held = connection.execute(
        sa.select(timer.id, timer.payload, order.state)
        .join_from(_TIMERS, _CLOCKS, order.id == timer.order_id)
        .where(
            timer.kind == "ladder",
            timer.state == "cancelled",
            timer.done_at == order.clock_stopped_at,
            order.state.in_(running),
            order.ladder_closed_at.is_(None),
        )
    ).all()
    for row in held:
        if row.payload.get("climb") == running[row.state]:
            again = _TIMERS.update().where(timer.id == row.id)
            connection.execute(again.values(state="waiting", done_at=None))


def _forget_what_is_timed() -> None:
    """An older worker knows none of these, and would stop at each."""
    older = ("ladder", "expiry", "drill_end")
    op.execute(_TIMERS.delete().where(_TIMERS.c.kind.not_in(older)))


_WRITING = ("order.drafted", "order.edited", "order.submitted")
"""Entries of whoever wrote a part of an order."""


def _drafts_have_writers() -> None:
    """Who wrote a draft that waits, or changed it: they cannot authorise it."""
    connection = op.get_bind()
    order = sa.table(
        "preservation_order",
        *(sa.column(name, sa.Uuid()) for name in ("id", "officer_id")),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    entry = sa.table(
        "entry",
        sa.column("order_id", sa.Uuid()),
        *(sa.column(name, sa.Text()) for name in ("type", "actor")),
        sa.column("at", sa.DateTime(timezone=True)),
    )
    writer = sa.table(
        "order_writer",
        *(sa.column(name, sa.Uuid()) for name in ("order_id", "person_id")),
        sa.column("at", sa.DateTime(timezone=True)),
    )
    person = sa.table("person", sa.column("id", sa.Uuid()))
    known = {str(id_): id_ for id_ in connection.scalars(sa.select(person.c.id))}
    in_charge = sa.select(order).where(order.c.officer_id.is_not(None))
    first = {
        (row.id, row.officer_id): _utc(row.created_at) for row in connection.execute(in_charge)
    }
    wrote = sa.select(entry.c.order_id, entry.c.actor, sa.func.min(entry.c.at).label("at")).where(
        entry.c.type.in_(_WRITING), entry.c.order_id.is_not(None)
    )
    for row in connection.execute(wrote.group_by(entry.c.order_id, entry.c.actor)):
        person_id = known.get(row.actor.removeprefix("person:"))
        if person_id is not None:
            place, at = (row.order_id, person_id), _utc(row.at)
            first[place] = min(at, first.get(place, at))
    rows = [{"order_id": o, "person_id": p, "at": at} for (o, p), at in first.items()]
    if rows:
        connection.execute(writer.insert(), rows)


def _orders_are_found() -> None:
    """Every order by the words that it is looked for by."""
    order = sa.table(
        "preservation_order",
        *(sa.column(name, sa.Uuid()) for name in ("id", "authority_id", "provider_id")),
        *(sa.column(name, sa.Text()) for name in ("ref", "provider_reference", "party")),
        *(sa.column(name, sa.JSON()) for name in ("origin", "investigating_authority")),
        sa.column("prosecution", sa.JSON()),
    )
    target = sa.table(
        "order_target", sa.column("order_id", sa.Uuid()), sa.column("search_key", sa.Text())
    )
    key = sa.table(
        "order_key",
        *(sa.column(name, sa.Uuid()) for name in ("order_id", "authority_id", "provider_id")),
        *(sa.column(name, sa.Text()) for name in ("kind", "key")),
    )
    connection = op.get_bind()
    whose: dict[UUID, tuple[UUID, UUID | None]] = {}
    for row in connection.execute(sa.select(order)).all():
        # A provider finds what was served on it, and nothing before.
        whose[row.id] = (row.authority_id, row.provider_id if row.ref else None)
        party = (row.origin or {}).get("party")
        if party:
            connection.execute(
                order.update().where(order.c.id == row.id).values(party=party.upper())
            )
        for kind, word in sorted(set(_words(row))):
            connection.execute(key.insert().values(**_key(row.id, whose[row.id], kind, word)))
    found = connection.execute(sa.select(target.c.order_id, target.c.search_key).distinct()).all()
    for order_id, word in found:
        one = _key(order_id, whose[order_id], "target", _bounded(word))
        connection.execute(key.insert().values(**one))


def _words(row: Any) -> Iterator[tuple[str, str]]:
    given = (
        ("ref", row.ref),
        ("answer", row.provider_reference),
        ("reference", (row.origin or {}).get("reference")),
        ("case", (row.investigating_authority or {}).get("case_number")),
        ("case", (row.prosecution or {}).get("case_number")),
    )
    for kind, text in given:
        word = " ".join(unicodedata.normalize("NFKC", text or "").casefold().split())
        for match in islice(re.finditer(r"\w+", word), 12):
            yield kind, _bounded(word[match.start() :])
        if word:
            yield kind, _bounded(word)


def _bounded(word: str) -> str:
    """An index holds no longer keys: the rest of a long one stands in its digest."""
    digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
    return word if len(word) <= 200 else f"{word[:100]}#{digest}"


def _key(order_id: UUID, whose: tuple[UUID, UUID | None], kind: str, word: str) -> dict[str, Any]:
    authority_id, provider_id = whose
    return {
        "order_id": order_id,
        "kind": kind,
        "key": word,
        "authority_id": authority_id,
        "provider_id": provider_id,
    }


def _older_words() -> None:
    """States, timers and notices that the older schema does not know."""
    for state, older in (("submitted", "draft"), ("released", "expired"), ("disposed", "expired")):
        op.execute(
            sa.text("UPDATE preservation_order SET state = :older WHERE state = :state").bindparams(
                older=older, state=state
            )
        )
    known = "('until_acknowledged', 'until_preserved', 'always')"
    _unknown_letters_stay()
    op.execute(sa.text(f"UPDATE message SET wanted = 'always' WHERE wanted NOT IN {known}"))  # noqa: S608 - words of ours
    op.execute(sa.text(f"UPDATE call_task SET wanted = 'always' WHERE wanted NOT IN {known}"))  # noqa: S608 - words of ours


_OLDER_LETTERS = (
    *("access_changed", "factor_changed", "factor_reset", "factor_reset_asked"),
    *("factor_reset_confirmed", "invitation", "key_expires", "recovery_code_used"),
    *("answer", "delivery_failed", "escalation", "order_answered", "order_expired"),
    *("order_issued", "order_withdrawn", "question", "supervisor_page", "timer_failed"),
)
"""What the older worker can write, beside the letters of the register."""


def _unknown_letters_stay() -> None:
    """Unsent letters whose reason or text the older worker does not know are not sent."""
    message = sa.table(
        "message", *(sa.column(n, sa.Text()) for n in ("state", "wanted", "letter", "sealed_link"))
    )
    older = ("until_acknowledged", "until_preserved", "always")
    is_known = message.c.letter.in_(_OLDER_LETTERS) | message.c.letter.startswith("register/")
    op.execute(
        message.update()
        .where(
            message.c.state.in_(("queued", "sending")),
            message.c.wanted.not_in(older) | ~is_known,
        )
        .values(state="cancelled", sealed_link=None)
    )


def upgrade() -> None:
    # Its words are in order_key now; a long one did not fit.
    op.drop_index("ix_order_target_search", "order_target")
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_case_file_authority_id_authority")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_case_file_authority_id"), ["authority_id"], unique=False
        )

    op.create_table(
        "order_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("edit", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_order_template_authority_id_authority"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_template")),
        sa.UniqueConstraint(
            "authority_id", "name_key", name=op.f("uq_order_template_authority_id_name_key")
        ),
    )
    op.create_table(
        "request_counter",
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_request_counter_authority_id_authority"),
        ),
        sa.PrimaryKeyConstraint("authority_id", "year", name=op.f("pk_request_counter")),
    )
    op.create_table(
        "counterpart_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_by_id", sa.Uuid(), nullable=True),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("requesting_authority", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reference_key", sa.Text(), nullable=False),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("previous", sa.JSON(), nullable=False),
        sa.Column("urgency", sa.String(length=40), nullable=False),
        sa.Column("legal_basis", sa.JSON(), nullable=False),
        sa.Column("offence", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("custodian", sa.Text(), nullable=True),
        sa.Column("necessity", sa.Text(), nullable=True),
        sa.Column("mla_intended", sa.Boolean(), nullable=True),
        sa.Column("mla_expected_by", sa.Date(), nullable=True),
        sa.Column("emergency_ground", sa.Text(), nullable=True),
        sa.Column("investigating_authority", sa.JSON(), nullable=True),
        sa.Column("prosecution", sa.JSON(), nullable=True),
        sa.Column("confidential_until", sa.Date(), nullable=True),
        sa.Column("duration_days", sa.Integer(), nullable=True),
        sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_counterpart_request_authority_id_authority"),
        ),
        sa.ForeignKeyConstraint(
            ["registered_by_id"],
            ["person.id"],
            name=op.f("fk_counterpart_request_registered_by_id_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counterpart_request")),
        sa.UniqueConstraint("number", name=op.f("uq_counterpart_request_number")),
    )
    with op.batch_alter_table("counterpart_request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_request_authority_state", ["authority_id", "state", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_reference", ["authority_id", "reference_key"], unique=False
        )

    op.create_table(
        "hand_over",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("given_by_id", sa.Uuid(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("taken_by_id", sa.Uuid(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_note", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_hand_over_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["given_by_id"], ["person.id"], name=op.f("fk_hand_over_given_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by_id"], ["person.id"], name=op.f("fk_hand_over_taken_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
    )
    with op.batch_alter_table("hand_over", schema=None) as batch_op:
        batch_op.create_index("ix_hand_over_authority", ["authority_id", "given_at"], unique=False)

    op.create_table(
        "presence",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_presence_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subject", "person_id", name=op.f("pk_presence")),
    )
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presence_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_saved_filter_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint(
            "person_id", "name_key", name=op.f("uq_saved_filter_person_id_name_key")
        ),
    )
    op.create_table(
        "doubt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("vouched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_doubt_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doubt")),
    )
    with op.batch_alter_table("doubt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_doubt_order_id"), ["order_id"], unique=False)

    op.create_table(
        "extension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_extension_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_order_id"), ["order_id"], unique=False)

    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_follow_up_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_key",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_order_key_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_order_key_order_id_preservation_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_order_key_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("order_id", "kind", "key", name=op.f("pk_order_key")),
    )
    with op.batch_alter_table("order_key", schema=None) as batch_op:
        batch_op.create_index(
            "ix_order_key_authority", ["authority_id", "kind", "key", "order_id"], unique=False
        )
        batch_op.create_index(
            "ix_order_key_provider", ["provider_id", "kind", "key", "order_id"], unique=False
        )

    op.create_table(
        "order_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["person.id"], name=op.f("fk_order_note_author_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_order_note_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_note")),
    )
    with op.batch_alter_table("order_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_note_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_note_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_writer",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_order_writer_order_id_preservation_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_order_writer_person_id_person")
        ),
        sa.PrimaryKeyConstraint("order_id", "person_id", name=op.f("pk_order_writer")),
    )
    op.create_table(
        "unfinished_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("edit", sa.Integer(), nullable=False),
        sa.Column("begun_by_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by_id", sa.Uuid(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_unfinished_draft_authority_id_authority"),
        ),
        sa.ForeignKeyConstraint(
            ["begun_by_id"], ["person.id"], name=op.f("fk_unfinished_draft_begun_by_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_unfinished_draft_order_id_preservation_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["saved_by_id"], ["person.id"], name=op.f("fk_unfinished_draft_saved_by_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unfinished_draft")),
        sa.UniqueConstraint("order_id", name=op.f("uq_unfinished_draft_order_id")),
    )
    with op.batch_alter_table("unfinished_draft", schema=None) as batch_op:
        batch_op.create_index("ix_unfinished_authority", ["authority_id", "saved_at"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["thread_message.id"],
            name=op.f("fk_attachment_message_id_thread_message"),
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("fk_attachment_sha256_blob")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_message_id"), ["message_id"], unique=False)

    op.create_table(
        "request_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_request_letter_message_id_message")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["counterpart_request.id"],
            name=op.f("fk_request_letter_request_id_counterpart_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_letter")),
    )
    with op.batch_alter_table("request_letter", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_request_letter_request_id"), ["request_id"], unique=False
        )

    op.create_table(
        "request_writer",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_request_writer_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["counterpart_request.id"],
            name=op.f("fk_request_writer_request_id_counterpart_request"),
        ),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_request_writer")),
    )
    op.create_table(
        "reported_back",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_reported_back_order_id_preservation_order"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_reported_back")),
    )
    op.create_index(
        "ix_entry_no_order",
        "entry",
        ["stream", "seq"],
        unique=False,
        postgresql_where=sa.text("order_id IS NULL"),
        sqlite_where=sa.text("order_id IS NULL"),
    )
    op.create_table(
        "route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["preservation_order.id"],
            name=op.f("fk_route_order_id_preservation_order"),
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_route_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["order_target.id"], name=op.f("fk_route_target_id_order_target")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
    )
    with op.batch_alter_table("route", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_order_id"), ["order_id"], unique=False)

    op.create_table(
        "unfinished_writer",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_unfinished_writer_person_id_person")
        ),
        sa.PrimaryKeyConstraint("draft_id", "person_id", name=op.f("pk_unfinished_writer")),
    )
    op.create_table(
        "vouch",
        sa.Column("doubt_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["doubt_id"], ["doubt.id"], name=op.f("fk_vouch_doubt_id_doubt")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_vouch_person_id_person")
        ),
        sa.PrimaryKeyConstraint("doubt_id", "person_id", name=op.f("pk_vouch")),
    )
    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("party", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("submitted_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("returned_note", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("authorised_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("ratify_by", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ratified_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ratified_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(
            sa.Column("clock_stopped_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("clock_stopped_for", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("clock_stopped_before", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("extension_asked_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("mla_recorded_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("disposal_wanted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("disposed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("disposal", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("release_note", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("doubt_open_since", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("case_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("request_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("follows_id", sa.Uuid(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_preservation_order_case_id"), ["case_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_preservation_order_follows_id"), ["follows_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_preservation_order_request_id"), ["request_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_follows_id_preservation_order"),
            "preservation_order",
            ["follows_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_case_id_case_file"), "case_file", ["case_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_authorised_by_id_person"),
            "person",
            ["authorised_by_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_ratified_by_id_person"),
            "person",
            ["ratified_by_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_submitted_by_id_person"),
            "person",
            ["submitted_by_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_preservation_order_request_id_counterpart_request"),
            "counterpart_request",
            ["request_id"],
            ["id"],
        )
    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.alter_column("clock_stopped_for", server_default=None)
        batch_op.alter_column("clock_stopped_before", server_default=None)
        batch_op.alter_column("disposal_wanted", server_default=None)
    _reckon_the_queue()
    _disposal_as_agreed()
    _dates_are_reminded_of()
    _open_questions_have_a_clock()
    _drafts_have_writers()
    _orders_are_found()


def downgrade() -> None:
    _held_ladders_go_on()
    _forget_what_is_timed()
    _forget_the_queue()
    op.create_index("ix_order_target_search", "order_target", ["search_key"])
    _older_words()
    with op.batch_alter_table("preservation_order", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_request_id_counterpart_request"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_submitted_by_id_person"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_ratified_by_id_person"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_authorised_by_id_person"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_case_id_case_file"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_preservation_order_follows_id_preservation_order"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_preservation_order_request_id"))
        batch_op.drop_index(batch_op.f("ix_preservation_order_follows_id"))
        batch_op.drop_index(batch_op.f("ix_preservation_order_case_id"))
        batch_op.drop_column("follows_id")
        batch_op.drop_column("request_id")
        batch_op.drop_column("case_id")
        batch_op.drop_column("doubt_open_since")
        batch_op.drop_column("answer_by")
        batch_op.drop_column("release_note")
        batch_op.drop_column("disposal")
        batch_op.drop_column("disposed_at")
        batch_op.drop_column("disposal_wanted")
        batch_op.drop_column("mla_recorded_at")
        batch_op.drop_column("extension_asked_at")
        batch_op.drop_column("clock_stopped_before")
        batch_op.drop_column("clock_stopped_for")
        batch_op.drop_column("clock_stopped_at")
        batch_op.drop_column("ratified_by_id")
        batch_op.drop_column("ratified_at")
        batch_op.drop_column("ratify_by")
        batch_op.drop_column("authorised_by_id")
        batch_op.drop_column("returned_note")
        batch_op.drop_column("submitted_by_id")
        batch_op.drop_column("submitted_at")
        batch_op.drop_column("party")

    op.drop_table("vouch")
    op.drop_table("unfinished_writer")
    with op.batch_alter_table("route", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_order_id"))

    op.drop_table("route")
    op.drop_index("ix_entry_no_order", table_name="entry")
    op.drop_table("reported_back")
    with op.batch_alter_table("request_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_letter_request_id"))

    op.drop_table("request_letter")
    op.drop_table("request_writer")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_message_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("unfinished_draft", schema=None) as batch_op:
        batch_op.drop_index("ix_unfinished_authority")

    op.drop_table("unfinished_draft")
    op.drop_table("order_writer")
    with op.batch_alter_table("order_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_note_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_note_at"))

    op.drop_table("order_note")
    with op.batch_alter_table("order_key", schema=None) as batch_op:
        batch_op.drop_index("ix_order_key_provider")
        batch_op.drop_index("ix_order_key_authority")

    op.drop_table("order_key")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_up_order_id"))

    op.drop_table("follow_up")
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_extension_order_id"))

    op.drop_table("extension")
    with op.batch_alter_table("doubt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_doubt_order_id"))

    op.drop_table("doubt")
    op.drop_table("saved_filter")
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presence_seen_at"))

    op.drop_table("presence")
    with op.batch_alter_table("hand_over", schema=None) as batch_op:
        batch_op.drop_index("ix_hand_over_authority")

    op.drop_table("hand_over")
    with op.batch_alter_table("counterpart_request", schema=None) as batch_op:
        batch_op.drop_index("ix_request_reference")
        batch_op.drop_index("ix_request_authority_state")

    op.drop_table("counterpart_request")
    op.drop_table("request_counter")
    op.drop_table("order_template")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_file_authority_id"))

    op.drop_table("case_file")
    op.drop_table("blob")
