"""What use costs, and has cost."""

from __future__ import annotations

from sqlalchemy import delete, select

from privlink.rules.billing import Price
from privlink.store import rows, schema
from privlink.store.database import Transaction


def every(tx: Transaction) -> list[Price]:
    """All prices there have been, the earliest first."""
    return rows.all_of(tx, Price, select(schema.price).order_by(schema.price.c.since))


def put(tx: Transaction, price: Price) -> None:
    """Put a price down, in the place of one that is of the same hour."""
    tx.execute(delete(schema.price).where(schema.price.c.since == price.since))
    rows.add(tx, schema.price, price)
