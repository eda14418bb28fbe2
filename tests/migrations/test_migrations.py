"""The schema goes up and down on both databases, with data in it, and equals the models."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from liaison.errors import SettingsError
from liaison.models import Base, Contact, Database, Order, OrderTarget
from liaison.models.engines import WRITES
from liaison.services import schema
from liaison.services.vault import Vault
from tests import register
from tests.world import START, MovableClock, World

ROOT = Path(__file__).parents[2]

PLANTED = '''
"""Planted by a test."""

import sqlalchemy as sa
from alembic import op

revision = "planted"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
    pass
'''


def revisions() -> list[str]:
    """All revisions, oldest first."""
    scripts = ScriptDirectory.from_config(Config(toml_file=str(ROOT / "pyproject.toml")))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def shape(database: Database) -> dict[str, Any]:
    """Everything the database says of its tables, in an order that can be compared.

    Asked for all tables at once: one by one it takes minutes on a machine that has more to do.
    """
    inspector = sa.inspect(database.engine)
    columns, keys = inspector.get_multi_columns(), inspector.get_multi_pk_constraint()
    foreign, unique = inspector.get_multi_foreign_keys(), inspector.get_multi_unique_constraints()
    checks, indexes = inspector.get_multi_check_constraints(), inspector.get_multi_indexes()
    return {
        table[1]: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in columns[table]
            },
            "key": keys[table],
            "foreign keys": _sorted(foreign[table]),
            "unique": _sorted(unique[table]),
            "checks": _sorted(checks[table]),
            "indexes": _sorted(
                {**i, "dialect_options": {k: str(v) for k, v in i["dialect_options"].items()}}
                for i in indexes[table]
            ),
        }
        for table in columns
        if table[1] != "alembic_version"
    }


def _sorted(found: Any) -> list[Any]:
    return sorted(found, key=lambda item: str(item["name"]))


def fill(database: Database, vault: Vault) -> World:
    """The register and an order that was issued, acknowledged and preserved."""
    with database.transaction() as session:
        built = register.build(session, vault, START)
    world = World(database, MovableClock(), vault, built)
    world.preserve(world.acknowledge(world.issue()))
    world.draft("03-cgnat-fraud-routine.json")
    return world


def counts(database: Database) -> dict[str, int]:
    """How many rows each table holds."""
    with database.engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_the_history_is_one_line() -> None:
    scripts = ScriptDirectory.from_config(Config(toml_file=str(ROOT / "pyproject.toml")))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert schema.head() == revisions()[-1]


def test_each_revision_goes_up_and_down_and_leaves_no_trace(empty_database: Database) -> None:
    before = {}
    for revision in revisions():
        before[revision] = shape(empty_database)
        schema.migrate(empty_database, revision)
        after = shape(empty_database)
        schema.take_back(empty_database, "-1")
        assert shape(empty_database) == before[revision]
        schema.migrate(empty_database, revision)
        assert shape(empty_database) == after
    for revision in reversed(revisions()):
        schema.take_back(empty_database, "-1")
        assert shape(empty_database) == before[revision]
    assert schema.current(empty_database) is None


def test_down_and_up_again_with_data_in_the_tables(empty_database: Database, vault: Vault) -> None:
    schema.migrate(empty_database)
    fill(empty_database, vault)
    full = shape(empty_database)
    for _ in revisions():
        schema.take_back(empty_database, "-1")
    assert shape(empty_database) == {}
    schema.migrate(empty_database)
    assert shape(empty_database) == full
    fill(empty_database, vault)


def test_migrating_again_changes_no_row(empty_database: Database, vault: Vault) -> None:
    schema.migrate(empty_database)
    fill(empty_database, vault)
    before = counts(empty_database)
    schema.migrate(empty_database)
    assert counts(empty_database) == before
    assert before["contact"] == 24
    assert before["entry"] > 0


def test_alembic_finds_nothing_between_the_migrated_schema_and_the_models(
    empty_database: Database,
) -> None:
    schema.migrate(empty_database)
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrated_schema_equals_the_models_down_to_partial_indexes(
    empty_database: Database,
) -> None:
    schema.migrate(empty_database)
    migrated = shape(empty_database)
    schema.take_back(empty_database, "base")
    Base.metadata.create_all(empty_database.engine)
    modelled = shape(empty_database)
    assert migrated == modelled
    due = next(i for i in migrated["timer"]["indexes"] if i["name"] == "ix_timer_due")
    assert any("waiting" in str(where) for where in due["dialect_options"].values())


def test_a_database_says_where_it_stands(empty_database: Database) -> None:
    assert schema.current(empty_database) is None
    assert not schema.is_current(empty_database)
    schema.migrate(empty_database)
    assert schema.current(empty_database) == schema.head()
    assert schema.is_current(empty_database)
    with empty_database.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'of a newer Liaison'"))
    assert not schema.is_current(empty_database)


def test_without_the_migrations_the_line_says_what_to_do(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "CHECKOUT", tmp_path)
    with pytest.raises(SettingsError, match="checkout"):
        schema.migrate(empty_database)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Adds one more revision, in a copy of the migrations."""
    checkout = tmp_path / "checkout"
    versions = checkout / "migrations" / "versions"
    versions.mkdir(parents=True)
    (checkout / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    sources = [ROOT / "migrations" / "env.py", *(ROOT / "migrations" / "versions").glob("*.py")]
    for source in sources:
        target = checkout / source.relative_to(ROOT)
        target.write_bytes(source.read_bytes())
    down = schema.head()

    def add(upgrade: str) -> None:
        text = PLANTED.format(down=down, upgrade=upgrade)
        (versions / "planted.py").write_text(text)
        monkeypatch.setattr(schema, "CHECKOUT", checkout)

    yield add
    schema.head.cache_clear()


def test_a_migration_that_fails_leaves_nothing(
    empty_database: Database, vault: Vault, plant: Callable[[str], None]
) -> None:
    schema.migrate(empty_database)
    fill(empty_database, vault)
    before, rows, at = shape(empty_database), counts(empty_database), schema.head()
    plant(
        "    op.create_table('half', sa.Column('id', sa.Integer()))\n"
        "    op.add_column('provider', sa.Column('half', sa.Text()))\n"
        '    op.execute("DELETE FROM entry")\n'
        "    raise RuntimeError('the disk is full')"
    )
    with pytest.raises(RuntimeError, match="the disk is full"):
        schema.migrate(empty_database)
    assert shape(empty_database) == before
    assert counts(empty_database) == rows
    assert schema.current(empty_database) == at


def test_from_nothing_a_failing_second_revision_takes_the_first_back_too(
    empty_database: Database, plant: Callable[[str], None]
) -> None:
    plant("    raise RuntimeError('the disk is full')")
    with pytest.raises(RuntimeError, match="the disk is full"):
        schema.migrate(empty_database)
    assert shape(empty_database) == {}
    assert schema.current(empty_database) is None


def test_a_table_that_is_built_anew_keeps_the_rows_that_point_to_it(
    empty_database: Database, vault: Vault, plant: Callable[[str], None]
) -> None:
    schema.migrate(empty_database)
    fill(empty_database, vault)
    before = counts(empty_database)
    plant(
        # Columns that the database reckons come off first: SQLite cannot copy them.
        "    for index in sa.inspect(op.get_bind()).get_indexes('preservation_order'):\n"
        "        if 'queue_rank' in index['column_names']:\n"
        "            op.drop_index(index['name'], 'preservation_order')\n"
        "    for name in ('queue_rank', 'queue_at', 'waits_contact_point', 'waits_provider'):\n"
        "        op.drop_column('preservation_order', name)\n"
        "    for table, column in (('preservation_order', 'facts'), ('provider', 'name')):\n"
        "        with op.batch_alter_table(table) as batch:\n"
        "            batch.alter_column(column, nullable=True)"
    )
    schema.migrate(empty_database)
    assert schema.current(empty_database) == "planted"
    assert counts(empty_database) == before
    assert before["order_target"] == 6
    with pytest.raises(sa.exc.IntegrityError), empty_database.transaction() as session:
        # Foreign keys hold again on the connection that migrated.
        session.execute(
            sa.text(
                "UPDATE contact SET provider_id = authority_id, authority_id = NULL "
                "WHERE authority_id IS NOT NULL"
            )
        )


def test_a_migration_that_leaves_orphans_is_refused(
    empty_database: Database, vault: Vault, plant: Callable[[str], None]
) -> None:
    schema.migrate(empty_database)
    fill(empty_database, vault)
    before = counts(empty_database)
    plant("    op.execute('DELETE FROM stream')")
    with pytest.raises((RuntimeError, sa.exc.IntegrityError)):
        schema.migrate(empty_database)
    assert counts(empty_database) == before
    with empty_database.reading() as session:
        assert session.scalars(sa.select(Order)).first() is not None
        assert session.scalars(sa.select(OrderTarget)).first() is not None
        assert session.scalars(sa.select(Contact)).first() is not None


PROGRAM = """
import sys
from liaison.models import Database
from liaison.services import schema
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.migrate(database)
database.close()
"""


def test_programs_that_start_together_migrate_once(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    results = [program.communicate(timeout=60) for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0], results
    assert schema.is_current(empty_database)


def test_alembic_by_hand_finds_its_way_by_url(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={url}", "upgrade", "head"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert schema.is_current(empty_database)


def test_only_a_writing_connection_migrates(empty_database: Database) -> None:
    """On SQLite a writer must begin IMMEDIATE, or two that start together end in BUSY."""
    seen: list[Any] = []

    @sa.event.listens_for(empty_database.engine, "begin")
    def _note(connection: sa.Connection) -> None:
        seen.append(connection.get_execution_options().get(WRITES))

    schema.migrate(empty_database)
    assert seen == [True]
