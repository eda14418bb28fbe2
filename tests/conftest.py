"""Fixtures everybody uses. Tests that touch a database run on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from liaison.api.request_log import RequestLog
from liaison.models import Database
from liaison.services import schema
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from tests import once
from tests.mail import RecordingSender, SmtpSink
from tests.postgresql import PostgreSQL
from tests.register import Register, build
from tests.world import START, MovableClock, World

DATABASES = ("sqlite", "postgresql")

QUICK_FIRST = ("unit", "services", "queries", "worker", "api", "portal", "migrations", "faults")
"""Directories in the order they run; what is not named comes after them, the browser last."""

ENCRYPTION_KEY = "dGhlIHRlc3RzJyBrZXksIGtub3duIHRvIGFueWJvZHk="


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the campaigns are; what runs with every test is their short form."""
    parser.addoption("--races", default=20, type=int, help="races of eight, on each database")
    parser.addoption(
        "--rounds", default=4, type=int, help="rounds of the crash plan, each database"
    )
    parser.addoption("--minute", default=6, type=int, help="seconds under load, workers killed")
    parser.addoption("--examples", default=10, type=int, help="examples of each call, each seed")
    parser.addoption("--seeds", default=1, type=int, help="seeds of the examples")
    parser.addoption("--steps", default=300, type=int, help="steps of the lives of orders")


def pytest_configure(config: pytest.Config) -> None:
    """Markers of ours; and no deadline for an example, for machines are busy."""
    once.keep()
    hypothesis.settings.register_profile("house", deadline=None)
    hypothesis.settings.load_profile("house")
    config.addinivalue_line(
        "markers",
        "one_database: the database makes no difference here (a page's look, a form's reading); "
        "runs on SQLite only",
    )
    config.addinivalue_line(
        "markers", "postgresql_only: locks that one writer at a time never meets"
    )


@pytest.fixture(autouse=True)
def _no_log_of_keys_writes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its thread would look for a database that is gone, and say so in another test's output."""
    begun: set[RequestLog] = set()
    start = RequestLog.start

    def noted(log: RequestLog) -> None:
        begun.add(log)
        start(log)

    monkeypatch.setattr(RequestLog, "start", noted)
    yield
    for log in begun:
        log.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Everything that asks for a database runs once on each."""
    if "database_kind" in metafunc.fixturenames:
        of = metafunc.definition.get_closest_marker
        kinds = DATABASES[:1] if of("one_database") else DATABASES
        kinds = DATABASES[1:] if of("postgresql_only") else kinds
        metafunc.parametrize("database_kind", kinds, scope="function")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick ones first; within a directory the order stays as random as it was made."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    room = item.path.parent.name
    if room == "browser":
        return 100
    return QUICK_FIRST.index(room) if room in QUICK_FIRST else 50 if room != "tests" else 0


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this session's own."""
    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Opens the secrets of the tests' people."""
    return Vault(ENCRYPTION_KEY)


class Templates:
    """Databases made once and copied for each test: with the schema, and with the register too."""

    def __init__(self, home: Path, server: PostgreSQL, vault: Vault) -> None:
        self._home, self._server, self._vault = home, server, vault
        self._made: dict[tuple[str, bool], tuple[str, Register | None]] = {}

    def copy(self, kind: str, home: Path, *, peopled: bool) -> str:
        """The URL of a fresh copy."""
        template, _ = self._template(kind, peopled)
        if kind == "postgresql":
            return self._server.create(template)
        target = home / "liaison.db"
        shutil.copyfile(template, target)
        return f"sqlite:///{target}"

    def register_in(self, kind: str) -> Register:
        """Who and what stands in the peopled one."""
        found = self._template(kind, True)[1]
        assert found is not None
        return found

    def _template(self, kind: str, peopled: bool) -> tuple[str, Register | None]:
        if (kind, peopled) not in self._made:
            self._made[kind, peopled] = self._make(kind, peopled)
        return self._made[kind, peopled]

    def _make(self, kind: str, peopled: bool) -> tuple[str, Register | None]:
        path = self._home / f"peopled-{peopled}.db"
        url = self._server.create() if kind == "postgresql" else f"sqlite:///{path}"
        database = Database(url)
        schema.migrate(database)
        built = None
        if peopled:
            with database.transaction() as session:
                built = build(session, self._vault, START)
        database.close()
        return (url if kind == "postgresql" else str(path)), built


@pytest.fixture(scope="session")
def templates(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, vault: Vault
) -> Templates:
    """Databases to copy."""
    return Templates(tmp_path_factory.mktemp("templates"), postgresql, vault)


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    database_kind: str,
    templates: Templates,
    postgresql: PostgreSQL,
    tmp_path: Path,
) -> Iterator[Database]:
    """A migrated database of this test's own; with the register where ``world`` is asked for."""
    url = templates.copy(database_kind, tmp_path, peopled="world" in request.fixturenames)
    database = Database(url)
    yield database
    database.close()
    if database_kind == "postgresql":
        postgresql.drop(url)


@pytest.fixture
def empty_database(
    database_kind: str, postgresql: PostgreSQL, tmp_path: Path
) -> Iterator[Database]:
    """A database in which no migration has run yet."""
    sqlite = f"sqlite:///{tmp_path / 'empty.db'}"
    url = postgresql.create() if database_kind == "postgresql" else sqlite
    database = Database(url)
    yield database
    database.close()
    if database_kind == "postgresql":
        postgresql.drop(url)


@pytest.fixture
def clock() -> MovableClock:
    """Stands at 23 November 2026, 12:00 UTC, until the test moves it."""
    return MovableClock()


@pytest.fixture
def world(
    database: Database,
    database_kind: str,
    templates: Templates,
    clock: MovableClock,
    vault: Vault,
) -> World:
    """The register, people and keys, in this test's database."""
    return World(database, clock, vault, templates.register_in(database_kind))


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """The settings of a test installation on this test's database."""
    return Settings(
        env=Env.TEST,
        database_url=database.url.render_as_string(hide_password=False),
        data_dir=tmp_path / "var",
        secret_key="the tests' secret, known to anybody who reads this",
        encryption_key=ENCRYPTION_KEY,
        base_url="http://localhost",
        mail_from="Liaison <liaison@police.example>",
        canary_every=0,  # those who try canaries turn them on
        rate_limit=0,  # the clock stands still, so that no bucket would ever fill again
    ).with_keys()


@pytest.fixture
def app(settings: Settings, clock: MovableClock) -> Iterator[Flask]:
    """The whole application, on the movable clock."""
    from liaison import create_app

    made = create_app(settings, clock)
    made.testing = True
    yield made
    made.extensions["liaison"].database.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser or a program without a past."""
    return app.test_client()


@pytest.fixture
def sender() -> RecordingSender:
    """Keeps notices instead of sending them."""
    return RecordingSender()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real SMTP server on loopback; ``Settings.smtp_url`` takes its ``url``."""
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()
