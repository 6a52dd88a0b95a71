"""What zones are counted under, whose bandwidth they share, and how flows of services live."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the columns; every zone and connection that is there gets its number."""
    for name in ("idle_tcp", "idle_udp", "most_flows", "flow_rate"):
        op.add_column("endpoint_service", sa.Column(name, sa.Integer(), nullable=True))
    # Zones of load balancers have numbers of the same sequence.
    _number("endpoint_zone", ["endpoint_id", "zone_id"], "place")
    _number("connection", ["endpoint_id"], "connection")


def _number(name: str, key: list[str], sequence: str) -> None:
    """Give every row of a table the next number of a sequence, in the order of its key."""
    op.add_column(name, sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
    table = sa.table(name, sa.column("number"), *map(sa.column, key))
    numbers = sa.table("sequence", sa.column("name"), sa.column("value"))
    connection, ours = op.get_bind(), numbers.c.name == sequence
    keys = [table.c[each] for each in key]
    said = connection.execute(sa.select(numbers.c.value).where(ours)).scalar()
    last = int(said or 0)
    found = connection.execute(sa.select(*keys).order_by(*keys)).all()
    numbered = sa.update(table).where(*(each == sa.bindparam(f"its_{each.name}") for each in keys))
    for number, row in enumerate(found, start=last + 1):
        given = {f"its_{each}": value for each, value in zip(key, row, strict=True)}
        connection.execute(numbered, given | {"number": number})
    op.create_index(f"ix_{name}_number", name, ["number"], unique=True)
    if said is None and found:
        connection.execute(sa.insert(numbers).values(name=sequence, value=len(found)))
    elif found:
        connection.execute(sa.update(numbers).where(ours).values(value=last + len(found)))
