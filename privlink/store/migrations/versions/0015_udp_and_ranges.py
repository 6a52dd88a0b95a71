"""Listeners on ranges of ports, servers of both families, and groups of more kinds."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_OCTETS = " || '.' || ".join(
    f"((CAST(address AS BIGINT) >> {shift}) & 255)" for shift in (24, 16, 8, 0)
)


def upgrade() -> None:
    """Write addresses as text, and let a listener have a last port as well as a first."""
    with op.batch_alter_table("group_server") as table:
        table.alter_column("address", type_=sa.String(), existing_nullable=False)
    op.execute(f"UPDATE group_server SET address = {_OCTETS}")  # noqa: S608
    op.alter_column("listener", "port", new_column_name="first")
    op.add_column("listener", sa.Column("last", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE listener SET last = first")
    op.add_column(
        "server_group",
        sa.Column("ip_version", sa.String(), nullable=False, server_default="IPv4"),
    )
    op.add_column(
        "server_group",
        sa.Column("any_port", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute("UPDATE server_group SET protocol = 'TCP_UDP' WHERE balancer_id IS NOT NULL")
