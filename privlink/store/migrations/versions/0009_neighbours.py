"""Route tables, egress rules, and what else VPC and ECS show of their resources."""

import secrets
import string

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_LETTERS = string.ascii_lowercase + string.digits


def upgrade() -> None:
    """Add the tables and columns; every VPC that is there gets its system route table."""
    op.create_table(
        "route_table",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["vpc_id"], ["vpc.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_route_table_account_id", "route_table", ["account_id"])
    op.create_index("ix_route_table_vpc_id", "route_table", ["vpc_id"])
    op.create_table(
        "route_table_binding",
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("table_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["table_id"], ["route_table.id"]),
        sa.ForeignKeyConstraint(["vswitch_id"], ["vswitch.id"]),
        sa.PrimaryKeyConstraint("vswitch_id"),
    )
    op.create_index("ix_route_table_binding_table_id", "route_table_binding", ["table_id"])
    _add_words("eni", "created_at", "")
    _add_words("security_group", "inner_access_policy", "Accept")
    _add_words("security_group_rule", "direction", "ingress")
    op.execute("UPDATE security_group SET inner_access_policy = 'Drop' WHERE type = 'enterprise'")
    _date_interfaces()
    _make_system_tables()


def _add_words(table: str, name: str, default: str) -> None:
    op.add_column(table, sa.Column(name, sa.String(), nullable=False, server_default=default))


def _date_interfaces() -> None:
    """An interface is as old as what it belongs to."""
    eni = sa.table("eni", sa.column("owner_id"), sa.column("created_at"))
    for name in ("endpoint", "load_balancer", "attachment"):
        owner = sa.table(name, sa.column("id"), sa.column("created_at"))
        ours = owner.c.id == eni.c.owner_id
        age = sa.select(owner.c.created_at).where(ours).scalar_subquery()
        op.execute(sa.update(eni).where(sa.exists().where(ours)).values(created_at=age))


def _make_system_tables() -> None:
    connection = op.get_bind()
    found = "SELECT id, account_id, created_at FROM vpc ORDER BY number"
    vpcs = connection.execute(sa.text(found)).all()
    for number, (vpc_id, account_id, created_at) in enumerate(vpcs, start=1):
        letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
        connection.execute(
            sa.text(
                "INSERT INTO route_table (id, number, vpc_id, account_id, type, name, description, "
                "created_at) VALUES (:id, :number, :vpc_id, :account_id, 'System', '', '', :at)"
            ),
            {
                "id": f"vtb-{letters}",
                "number": number,
                "vpc_id": vpc_id,
                "account_id": account_id,
                "at": created_at,
            },
        )
    if vpcs:
        counter = "INSERT INTO sequence (name, value) VALUES ('route table', :value)"
        connection.execute(sa.text(counter), {"value": len(vpcs)})
