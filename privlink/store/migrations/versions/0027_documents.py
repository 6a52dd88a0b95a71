"""Who answers names, whom changes are for, and what there is for names to be answered from."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

# In every zone with an opening that has a source, an endpoint has names.
_FOUND = (
    ("resolver/", "nodes", "SELECT id FROM vpc ORDER BY number"),
    ("place/", "resolvers", "SELECT id FROM vswitch ORDER BY number"),
    (
        "front/",
        "resolvers",
        "SELECT balancer_id || '/' || zone_id FROM load_balancer_zone ORDER BY number",
    ),
    (
        "names/",
        "resolvers",
        "SELECT endpoint_id FROM connection WHERE endpoint_id IN (SELECT endpoint_id FROM "
        "endpoint_zone WHERE opening IS NOT NULL AND source IS NOT NULL) ORDER BY number",
    ),
)


def upgrade() -> None:
    """Make the table, and tell of what is there."""
    op.create_table(
        "resolver",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("life", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
    )
    op.add_column("access_key", sa.Column("resolver_id", sa.String(), nullable=True))
    op.add_column(
        "change", sa.Column("audience", sa.String(), nullable=False, server_default="nodes")
    )
    op.create_index("ix_change_audience", "change", ["audience", "revision"])
    _tell()


def _tell() -> None:
    """Put what is there into the feed, of each kind the oldest first."""
    connection = op.get_bind()
    numbers = sa.table("sequence", sa.column("name"), sa.column("value"))
    change = sa.table("change", *map(sa.column, ("key", "revision", "gone", "audience")))
    ours = numbers.c.name == "revision"
    counted = connection.execute(sa.select(numbers.c.value).where(ours)).scalar()
    used = connection.execute(sa.select(sa.func.max(change.c.revision))).scalar()
    first = max(int(counted or 0), int(used or 0))
    newest = first
    for prefix, audience, query in _FOUND:
        for (name,) in connection.execute(sa.text(query)).all():
            newest += 1
            row = {"key": f"{prefix}{name}", "revision": newest, "gone": False}
            connection.execute(sa.insert(change).values(**row, audience=audience))
    if newest == first:
        return
    if connection.execute(sa.update(numbers).where(ours).values(value=newest)).rowcount == 0:
        connection.execute(sa.insert(numbers).values(name="revision", value=newest))
