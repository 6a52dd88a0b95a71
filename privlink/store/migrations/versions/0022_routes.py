"""Routes of one's own in route tables, lists for them, and route tables as nodes know them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the table of routes, and have the nodes look at every route table.

    Every prefix list that is there is one for rules.
    """
    op.add_column(
        "prefix_list", sa.Column("use", sa.String(), nullable=False, server_default="rules")
    )
    op.create_table(
        "route_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("table_id", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("prefix_list_id", sa.String(), nullable=False),
        sa.Column("hop_kind", sa.String(), nullable=False),
        sa.Column("hop_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("system", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["table_id"], ["route_table.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("table_id", "destination", "prefix_list_id"),
    )
    op.create_index("ix_route_entry_prefix_list_id", "route_entry", ["prefix_list_id"])
    op.create_index("ix_route_entry_hop_id", "route_entry", ["hop_id"])
    _tell_of_tables()


def _tell_of_tables() -> None:
    """Put every route table of a VPC with a vSwitch into the feed, oldest first."""
    connection = op.get_bind()
    table = sa.table("route_table", sa.column("id"), sa.column("number"), sa.column("vpc_id"))
    vswitch = sa.table("vswitch", sa.column("vpc_id"))
    numbers = sa.table("sequence", sa.column("name"), sa.column("value"))
    change = sa.table("change", sa.column("key"), sa.column("revision"), sa.column("gone"))
    in_use = sa.exists().where(vswitch.c.vpc_id == table.c.vpc_id)
    every = sa.select(table.c.id).where(in_use).order_by(table.c.number)
    found = connection.execute(every).scalars().all()
    if not found:
        return
    ours = numbers.c.name == "revision"
    last = int(connection.execute(sa.select(numbers.c.value).where(ours)).scalar() or 0)
    for revision_of_key, table_id in enumerate(found, start=last + 1):
        row = {"key": f"table/{table_id}", "revision": revision_of_key, "gone": False}
        connection.execute(sa.insert(change).values(**row))
    newest = last + len(found)
    if connection.execute(sa.update(numbers).where(ours).values(value=newest)).rowcount == 0:
        connection.execute(sa.insert(numbers).values(name="revision", value=newest))
