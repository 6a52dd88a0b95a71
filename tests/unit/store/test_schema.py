"""What a report looks for is found by an index of just that, however much else there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from privlink.store import changes, endpoints, gateways, migrate, networks
from privlink.store.database import Database, Transaction


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with every table and nothing in them."""
    database = Database(f"sqlite:///{tmp_path}/privlink.db")
    migrate.upgrade(database, migrate.load())
    yield database
    database.close()


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (changes.forget_gone, "ix_change_gone"),
        (networks.deleting_attachments, "ix_attachment_deleting"),
        (endpoints.deleting, "ix_endpoint_deleting"),
        (endpoints.unsettled_zones, "ix_endpoint_zone_unsettled"),
        (gateways.unsettled, "ix_gateway_endpoint_unsettled"),
        (gateways.unsettled_associations, "ix_gateway_association_unsettled"),
    ],
)
def test_the_few_are_found_by_their_index(
    database: Database, look: Callable[[Transaction], Any], index: str
) -> None:
    said: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        said.append((statement, values))

    with database.write() as tx:
        event.listen(Engine, "before_cursor_execute", remember)
        try:
            look(tx)
        finally:
            event.remove(Engine, "before_cursor_execute", remember)
        ((statement, values),) = said
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any(index in row[3] for row in plan), plan
