"""Which endpoints have names, and having whoever answers look at those again.

An endpoint has names while a zone of it is open towards a provider. A reverse endpoint's zones have
no source, and no names.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from privlink.model.ids import EndpointId
from privlink.store import changes, schema
from privlink.store.database import Transaction
from privlink.store.prepared import PreparedIn

_zone = schema.endpoint_zone
_NAMED = PreparedIn(
    lambda ids: (
        select(_zone.c.endpoint_id)
        .where(
            _zone.c.endpoint_id.in_(ids), _zone.c.opening.is_not(None), _zone.c.source.is_not(None)
        )
        .distinct()
    )
)


def among(tx: Transaction, endpoint_ids: Iterable[EndpointId]) -> set[EndpointId]:
    """Those of endpoints that have names."""
    return {endpoint_id for (endpoint_id,) in _NAMED.rows(tx, endpoint_ids)}


def touch(tx: Transaction, *endpoint_ids: EndpointId) -> None:
    """Have whoever answers names look again at those of endpoints; gone where there are none.

    Before the item of a zone that changes with them: see `nodes.InStep.confirms_since`.
    """
    have = among(tx, endpoint_ids)
    for each in endpoint_ids:
        changes.touch(tx, changes.names_key(each), gone=each not in have)
