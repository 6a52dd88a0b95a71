"""Bringing a database to the present tables, step by numbered step.

The steps are loaded apart from running them, because the server may no longer read this package's
files once it has given up root's rights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from privlink.store.database import Database

_FOLDER = Path(__file__).parent / "migrations"


def load() -> ScriptDirectory:
    """Read every migration step into memory."""
    script = ScriptDirectory(str(_FOLDER))
    list(script.walk_revisions())
    return script


def upgrade(database: Database, script: ScriptDirectory) -> None:
    """Take the steps this database has not taken yet; none, if it is up to date.

    Raises ValueError if the database was made by a newer privlink.
    """

    def steps(revision: Any, _context: MigrationContext) -> Any:
        known = {step.revision for step in script.walk_revisions()}
        if unknown := set(revision) - known:
            raise ValueError(
                f"the database is at step {', '.join(unknown)}, which this privlink does not know. "
                "Use the version of privlink that made it, or a newer one."
            )
        return script._upgrade_revs("head", revision)

    with database.write() as tx:
        context = MigrationContext.configure(tx, opts={"fn": steps, "script": script})
        with Operations.context(context):
            context.run_migrations()
