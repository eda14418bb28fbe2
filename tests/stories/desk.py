"""The desk on which stories are told: people at their browsers, programs, letters, passing time.

Whoever acts here goes through the real doors: pages for people, the endpoint for programs, the
worker for the clock. Nothing sleeps. Time passes from one thing that is due to the next, so a
ladder climbs rung by rung, as it does where the worker runs all the time.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from liaison.delivery import Outgoing
from liaison.models import Provider, Timer
from liaison.models.work import TimerState
from liaison.services import keys, ledger_check, ledger_orders
from liaison.worker import Work, messages, run_once, timers
from tests.api.program import Program
from tests.mail import RecordingSender
from tests.portal.filled import as_form, fields
from tests.world import World

DUTY, SUPERVISOR = "duty@police.example", "supervisor@police.example"
OFFICER, SECOND = "a.petrosyan@police.example", "d.sahakyan@police.example"

Files = Mapping[str, tuple[str, bytes]]


@dataclass
class Desk:
    """Both sides, the post between them, and the clock that moves all."""

    app: Flask
    world: World
    work: Work
    sender: RecordingSender
    people: dict[str, Somebody] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    _read: int = 0

    # Who

    def __getattr__(self, name: str) -> Somebody:
        """``desk.officer``, ``desk.norvik_spoc``: one of ``tests.register.PEOPLE``."""
        people = self.__dict__["people"]
        if name not in people:
            if name.startswith("_") or name not in self.__dict__["world"].register.people:
                raise AttributeError(name)
            people[name] = Somebody(self, name)
        found: Somebody = people[name]
        return found

    def program(self, provider: str) -> Program:
        """A provider's case system, with a key of its own."""
        if provider not in self.programs:
            with self.world.database.transaction() as session:
                row = session.get_one(Provider, self.world.register.providers[provider])
                scopes = ["read", "respond"]
                key = keys.make_key(session, row, "Stories", scopes, self.now)[1]
            bearer = {"Authorization": f"Bearer {key}"}
            self.programs[provider] = Program(self.app.test_client(), bearer)
        return self.programs[provider]

    # What time brings

    @property
    def now(self) -> datetime:
        """What the clock says."""
        return self.world.now

    def passes(self, **span: float) -> None:
        """So much time passes; the worker does what is due at its minute."""
        self.until(self.now + timedelta(**span))

    def until(self, moment: datetime) -> None:
        """Time passes until then."""
        self._calls_and_sends()
        while (due := self._next_due(moment)) is not None:
            self.world.clock.set(due)
            self._calls_and_sends()
        self.world.clock.set(moment)
        run_once(self.work)

    def _calls_and_sends(self) -> None:
        """What the worker does at once; its rounds through the register come where time ends."""
        while timers.fire_one(self.work) or messages.send_some(self.work)[0]:
            pass

    def _next_due(self, moment: datetime) -> datetime | None:
        with self.world.database.reading() as session:
            query = select(Timer.due_at).where(
                Timer.state == TimerState.WAITING, Timer.due_at > self.now, Timer.due_at < moment
            )
            return session.scalars(query.order_by(Timer.due_at).limit(1)).one_or_none()

    # What was sent

    def post(self) -> Post:
        """The letters about orders and requests that left since this was asked the last time."""
        self._calls_and_sends()
        new = self.sender.sent[self._read :]
        self._read = len(self.sender.sent)
        return Post(new)

    def stream(self, provider: str) -> list[str]:
        """The types of a provider's events, from the first on, without ``order.``."""
        found = [
            e["type"] for e in self.program(provider).get("/events?limit=500").get_json()["events"]
        ]
        return [one.removeprefix("order.") for one in found]

    def view(self, provider: str, ref: str) -> dict[str, Any]:
        """An order as the endpoint gives it to its provider."""
        answer = self.program(provider).get(f"/orders/{ref}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    # What holds at the end of every story

    def closes(self, file: str) -> None:
        """The record is whole, no letter told anything of the case, and nothing is left to send."""
        run_once(self.work)
        with self.world.database.reading() as session:
            checked = ledger_check.verify(session)
            assert [one for one in checked if isinstance(one, ledger_check.Break)] == []
            assert list(ledger_orders.missing(session)) == []
        letters = [f"{one.subject}\n{one.text}\n{one.html}" for one in self.sender.sent]
        for secret in self.secrets(file):
            for letter in letters:
                assert secret not in letter, f"a letter tells {secret!r}"
                assert html.escape(secret) not in letter

    def secrets(self, file: str) -> list[str]:
        """What no letter may tell: the case, its people, its numbers and what is looked for."""
        data = self.world.data(file)
        whole = [data["offence"], data["facts"], data["necessity"]]
        whole += [
            data["investigating_authority"]["case_number"],
            data.get("emergency_ground") or "",
        ]
        whole += [target[name] for target in data["targets"] for name in ("value", "relation")]
        return [text for text in whole if len(text) > 6]


class Post(list[Outgoing]):
    """Letters that have left."""

    def to(self, address: str) -> list[str]:
        """What one address got: subjects, in order."""
        return [letter.subject for letter in self if letter.address == address]

    def about(self, words: str) -> list[str]:
        """To whom letters with these words in the subject went, sorted."""
        return sorted(letter.address for letter in self if words in letter.subject)


class Somebody:
    """A person at a browser. Signs in again where the session is over; gives a code when asked."""

    def __init__(self, desk: Desk, who: str) -> None:
        self.desk, self.who = desk, who
        self._browser: FlaskClient | None = None

    # Pages

    def opens(self, path: str) -> TestResponse:
        """A page, or a file."""
        if self._browser is None or _signed_out(answer := self._browser.get(path)):
            self._browser = self.desk.app.test_client()
            self.desk.world.sign_in(self._browser, self.who)
            answer = self._browser.get(path)
        assert answer.status_code == 200, (
            f"{self.who}, {path}: {answer.status_code}\n{words(answer)}"
        )
        return answer

    def reads(self, path: str) -> str:
        """The words on a page, as somebody reads them."""
        return words(self.opens(path))

    def sees(self, ref: str) -> str:
        """The words on an order's page."""
        return self.reads(f"/orders/{ref}")

    def presses(
        self,
        path: str,
        given: Mapping[str, Any] | None = None,
        *,
        to: str | None = None,
        act: str | None = None,
        page: TestResponse | None = None,
        files: Files | None = None,
    ) -> TestResponse:
        """Opens a page (or has it open), types into its form and presses a button."""
        shown = page or self.opens(path)
        form = fields(shown.text)
        for name, value in (given or {}).items():
            form.setlist(name, value if isinstance(value, list) else [value])
        if act is not None:
            form["act"] = act
        if "code" in form and not form["code"] and "may stay empty" not in shown.text:
            form["code"] = self.desk.world.unused_code(self.who)
        assert self._browser is not None
        if files is None:
            return self._browser.post(to or path, data=form)
        boundary, body = encode_multipart(_with_files(form, files))
        kind = f'multipart/form-data; boundary="{boundary}"'
        return self._browser.post(to or path, data=body, content_type=kind)

    def does(self, path: str, given: Mapping[str, Any] | None = None, **how: Any) -> str:
        """The same, and it is done: where the browser is sent to."""
        answer = self.presses(path, given, **how)
        assert answer.status_code == 303, (
            f"{self.who}, {path}: {answer.status_code}\n{words(answer)}"
        )
        return answer.location

    def is_refused(self, path: str, given: Mapping[str, Any] | None = None, **how: Any) -> str:
        """The same, and it is not done: what the page says."""
        answer = self.presses(path, given, **how)
        assert answer.status_code in (403, 409, 422), f"{path}: {answer.status_code}"
        return words(answer)

    # Acts of the contact point

    def drafts(self, file: str, **changes: Any) -> str:
        """Types an order of data/orders into the form; its name until it has a number."""
        data = self.desk.world.data(file, **changes)
        return self.does("/orders/new", as_form(data), act="check").split("/")[2]

    def registers(self, request: Mapping[str, Any]) -> str:
        """Registers a counterpart's request (see ``tests.incoming.asked``): where it stands."""
        said = as_form(dict(request)) | {"mla-intended": "yes"}
        return self.does("/requests/new", said, act="write")

    def drafts_from(self, request: str, provider: str, **more: Any) -> str:
        """Drafts the order that a registered request asks for."""
        page = self.opens(f"/orders/new?request={request.rpartition('/')[2]}")
        given = {"provider": provider, **more}
        return self.does("/orders/new", given, act="check", page=page).split("/")[2]

    def submits(self, name: str) -> None:
        """Hands it to another person."""
        self.does(f"/orders/{name}/submit")

    def returns(self, name: str, note: str) -> None:
        """Sends it back to its writer."""
        self.does(f"/orders/{name}/return", {"note": note})

    def changes(self, name: str, **typed: Any) -> None:
        """Types over some fields of a draft; ``targets__1__port`` is ``targets-1-port``."""
        given = {name.replace("__", "-"): value for name, value in typed.items()}
        self.does(f"/orders/{name}/edit", given, act="check")

    def authorises(self, name: str) -> str:
        """Stands behind it: it is served. Its ref."""
        return self.does(f"/orders/{name}/authorise").rpartition("/")[2]

    def issues_at_once(self, name: str) -> str:
        """An emergency, on one person's word. Its ref."""
        return self.does(f"/orders/{name}/issue").rpartition("/")[2]

    def ratifies(self, ref: str) -> None:
        """Stands behind an emergency afterwards."""
        self.does(f"/orders/{ref}/ratify")

    def vouches(self, ref: str, note: str = "") -> None:
        """Says that a doubted order is real."""
        self.does(f"/orders/{ref}/vouch", {"note": note})

    def withdraws(self, ref: str, reason: str) -> None:
        """Takes it back."""
        self.does(f"/orders/{ref}/withdraw", {"reason": reason})

    def writes(self, ref: str, text: str) -> None:
        """Answers, or says something, in the thread."""
        self.does(f"/orders/{ref}/message", {"text": text})

    def calls(self, ref: str, number: str, outcome: str, **more: Any) -> None:
        """Calls a number that the order's page asks to be called, and logs what came of it."""
        page = self.opens(f"/orders/{ref}").text
        assert number in page, f"nobody is asked to call {number}"
        paths = list(dict.fromkeys(re.findall(rf'href="(/orders/{ref}/calls/[0-9a-f-]+)"', page)))
        (path,) = [one for one in paths if number in self.opens(one).text]
        self.does(path, {"outcome": outcome, **more})

    def asks_for_extension(self, ref: str, days: int, reason: str = "") -> None:
        """Asks the provider to keep the data longer."""
        self.does(f"/orders/{ref}/extension", {"days": str(days), "reason": reason})

    def records_mla(self, ref: str, reference: str) -> None:
        """Records the request that followed."""
        self.does(f"/orders/{ref}/mla", {"reference": reference})

    def releases(self, ref: str, note: str = "") -> None:
        """Needs the data no longer."""
        self.does(f"/orders/{ref}/release", {"note": note})

    # Acts of the provider

    def acknowledges(self, ref: str) -> None:
        """One click on the order's page."""
        self.does(f"/orders/{ref}", to=f"/orders/{ref}/acknowledge")

    def preserves(self, ref: str, **given: Any) -> None:
        """Confirms: everything, unless the form is filled in otherwise."""
        typed = {name.replace("__", "-"): value for name, value in given.items()}
        self.does(f"/orders/{ref}/preserve", typed)

    def declines(
        self, ref: str, *grounds: str, because: str, kept: str = "no", **more: Any
    ) -> None:
        """Declines on grounds of the closed list."""
        given = {"grounds": list(grounds), "explanation": because, "preserved_meanwhile": kept}
        self.does(f"/orders/{ref}/decline", {**given, **more})

    def asks(self, ref: str, text: str) -> None:
        """A question that is owed an answer."""
        self.does(f"/orders/{ref}/question", {"text": text})

    def doubts(self, ref: str, reason: str) -> None:
        """The one button."""
        self.does(f"/orders/{ref}/doubt", {"reason": reason})

    def confirms_extension(self, ref: str) -> None:
        """To the date that was asked for."""
        self.does(f"/orders/{ref}/extension")

    def confirms_disposal(self, ref: str, reference: str = "") -> None:
        """The data are gone."""
        self.does(f"/orders/{ref}/disposal", {"reference": reference})


def words(answer: TestResponse) -> str:
    """What a page says, without its marks."""
    inside = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    inside = re.sub(r"</?(bdi|strong|b|em|span|a|time)\b[^>]*>", "", inside)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", inside))).strip()


def _signed_out(answer: TestResponse) -> bool:
    return answer.status_code in (302, 303) and (answer.location or "").startswith("/login")


def _with_files(form: MultiDict[str, str], files: Files) -> MultiDict[str, Any]:
    held: MultiDict[str, Any] = MultiDict(form)
    for name, (called, content) in files.items():
        held.setlist(name, [FileStorage(io.BytesIO(content), called, name)])
    return held
