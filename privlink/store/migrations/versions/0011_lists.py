"""What makes a page of a list cost the same however long the list is: order, and counts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# Of the index of one column, and of the one in a list's order that takes its place.
_ORDERED = (
    ("endpoint", "account_id", "ix_endpoint_account_id"),
    ("endpoint", "vpc_id", "ix_endpoint_vpc_id"),
    ("endpoint", "service_id", None),
    ("endpoint_service", "account_id", "ix_endpoint_service_account_id"),
)
_COUNTED = (
    "'account/' || account_id",
    "'vpc/' || vpc_id",
    "'service/' || service_id",
    "'bond/' || account_id || '/' || service_id",
)


def upgrade() -> None:
    """Put the indexes in order, count what is there, and drop what only makes writing longer."""
    for table, owner, before in _ORDERED:
        if before is not None:
            op.drop_index(before, table)
        op.create_index(f"ix_{table}_{owner}_age", table, [owner, "created_at", "id"])
    op.drop_index("ix_connection_service_id", "connection")
    op.drop_index("ix_resource_tag_account_id_key", "resource_tag")
    op.create_index(
        "ix_resource_tag_account_id_key",
        "resource_tag",
        ["account_id", "resource_type", "key", "value", "resource_id"],
    )
    op.create_table(
        "tally",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    for name in _COUNTED:
        op.execute(
            f"INSERT INTO tally (name, count) SELECT {name}, count(*) FROM endpoint GROUP BY 1"  # noqa: S608
        )
    # Each is the beginning of a unique one.
    op.drop_index("ix_eni_vpc_id", "eni")
    op.drop_index("ix_endpoint_zone_provider_vpc_id", "endpoint_zone")
    # Tables with few other indexes need no order of rows besides their key's: less to write.
    for table in ("nonce", "endpoint_security_group", "connection"):
        options = {"sqlite_with_rowid": False}
        with op.batch_alter_table(table, recreate="always", table_kwargs=options):
            pass
