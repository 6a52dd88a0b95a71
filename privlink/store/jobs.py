"""The seal on the ids of jobs: a number of this database that nobody else knows."""

from __future__ import annotations

import secrets

from privlink.store import rows
from privlink.store.database import Transaction

_NAME = "job seal"


def seal(tx: Transaction) -> int:
    """The seal; 0 as long as no job was ever begun."""
    return rows.number(tx, _NAME)


def make_seal(tx: Transaction) -> int:
    """The seal, made on the first call."""
    present = seal(tx)
    if not present:
        present = secrets.randbits(62) + 1
        rows.set_number(tx, _NAME, present)
    return present
