"""Settings of balancing, servers that drain, and an item for each zone of a load balancer."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Go on as before: no server is asked how it is, none drains, and servers have their turns."""
    for table, scheduler in (("server_group", "Wrr"), ("listener", "wrr")):
        for column in (
            sa.Column("scheduler", sa.String(), nullable=False, server_default=scheduler),
            sa.Column("health", sa.String(), nullable=False, server_default=""),
            sa.Column("draining", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("drain_timeout", sa.Integer(), nullable=False, server_default="300"),
        ):
            op.add_column(table, column)
    op.add_column("listener", sa.Column("idle", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "load_balancer",
        sa.Column("cross_zone", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("group_server", sa.Column("leaving_until", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_group_server_leaving",
        "group_server",
        ["leaving_until"],
        sqlite_where=sa.text("leaving_until IS NOT NULL"),
    )
    _number_zones()
    _tell_of_zones()


def _number_zones() -> None:
    """Give each zone its two numbers. A column that is unique and never NULL needs a new table."""
    columns = "balancer_id, zone_id, vswitch_id, eni_id"
    statement = f"SELECT {columns} FROM load_balancer_zone ORDER BY 1, 2"  # noqa: S608
    found = op.get_bind().execute(sa.text(statement)).mappings().all()
    places, openings = _next("place", len(found)), _next("opening", len(found))
    op.drop_table("load_balancer_zone")
    table = op.create_table(
        "load_balancer_zone",
        sa.Column("balancer_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("eni_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["balancer_id"], ["load_balancer.id"]),
        sa.ForeignKeyConstraint(["vswitch_id"], ["vswitch.id"]),
        sa.ForeignKeyConstraint(["eni_id"], ["eni.id"]),
        sa.PrimaryKeyConstraint("balancer_id", "zone_id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("opening"),
    )
    for name in ("vswitch_id", "eni_id"):
        op.create_index(f"ix_load_balancer_zone_{name}", "load_balancer_zone", [name])
    numbered = zip(found, places, openings, strict=True)
    op.bulk_insert(
        table,
        [{**row, "number": number, "opening": opening} for row, number, opening in numbered],
    )


def _tell_of_zones() -> None:
    """Have the nodes drop the items of whole load balancers, take those of their zones, and look
    again at every forward, which names one of these now.
    """
    old = _column("SELECT key FROM change WHERE key LIKE 'balancer/%' ORDER BY revision")
    _touch(old, gone=True)
    zones = "SELECT 'balancer/' || balancer_id || '/' || zone_id FROM load_balancer_zone"
    _touch(_column(f"{zones} ORDER BY number"), gone=False)
    _touch(
        _column("SELECT key FROM change WHERE key LIKE 'forward/%' AND NOT gone ORDER BY revision"),
        gone=False,
    )


def _touch(keys: list[str], *, gone: bool) -> None:
    change = sa.table("change", sa.column("key"), sa.column("revision"), sa.column("gone"))
    revisions = _next("revision", len(keys))
    for key, revision_of_key in zip(keys, revisions, strict=True):
        values = {"revision": revision_of_key, "gone": gone}
        found = op.get_bind().execute(sa.update(change).where(change.c.key == key).values(values))
        if found.rowcount == 0:
            op.get_bind().execute(sa.insert(change).values(key=key, **values))


def _next(name: str, count: int) -> Iterable[int]:
    """The next numbers of a sequence, which goes on behind them."""
    sequence = sa.table("sequence", sa.column("name"), sa.column("value"))
    ours = sequence.c.name == name
    last = op.get_bind().execute(sa.select(sequence.c.value).where(ours)).scalar()
    if last is None:
        op.get_bind().execute(sa.insert(sequence).values(name=name, value=count))
    else:
        op.get_bind().execute(sa.update(sequence).where(ours).values(value=last + count))
    first = (last or 0) + 1
    return range(first, first + count)


def _column(statement: str) -> list[str]:
    return [str(each) for each in op.get_bind().execute(sa.text(statement)).scalars()]
