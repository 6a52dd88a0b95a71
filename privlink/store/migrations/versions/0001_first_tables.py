"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first release."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "change",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("revision"),
    )
    op.create_index("ix_change_gone", "change", ["revision"], sqlite_where=sa.text("gone = 1"))
    op.create_table(
        "node",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("zones", sa.String(), nullable=False),
        sa.Column("fabric", sa.String(), nullable=False),
        sa.Column("life", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("drops", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "nonce",
        sa.Column("access_key_id", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("access_key_id", "value"),
    )
    op.create_index(op.f("ix_nonce_expires"), "nonce", ["expires"], unique=False)
    op.create_table(
        "sequence",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "access_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("node_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["node.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_access_key_account_id"), "access_key", ["account_id"], unique=False)
    op.create_index(op.f("ix_access_key_node_id"), "access_key", ["node_id"], unique=False)
    op.create_table(
        "client_token",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("parameters", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "action", "token"),
    )
    op.create_index(op.f("ix_client_token_created"), "client_token", ["created"], unique=False)
    op.create_table(
        "endpoint_service",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column("auto_accept", sa.Boolean(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_endpoint_service_account_id"), "endpoint_service", ["account_id"], unique=False
    )
    op.create_table(
        "fault",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["node.id"],
        ),
        sa.PrimaryKeyConstraint("node_id", "key"),
    )
    op.create_index(op.f("ix_fault_key"), "fault", ["key"], unique=False)
    op.create_table(
        "vpc",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_vpc_account_id"), "vpc", ["account_id"], unique=False)
    op.create_table(
        "endpoint",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("service_name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_endpoint_account_id"), "endpoint", ["account_id"], unique=False)
    op.create_index(
        "ix_endpoint_deleting", "endpoint", ["id"], sqlite_where=sa.text("deleting = 1")
    )
    op.create_index(op.f("ix_endpoint_vpc_id"), "endpoint", ["vpc_id"], unique=False)
    op.create_table(
        "load_balancer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("address_type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        op.f("ix_load_balancer_account_id"), "load_balancer", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_load_balancer_vpc_id"), "load_balancer", ["vpc_id"], unique=False)
    op.create_table(
        "security_group",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        op.f("ix_security_group_account_id"), "security_group", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_security_group_vpc_id"), "security_group", ["vpc_id"], unique=False)
    op.create_table(
        "server_group",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_server_group_account_id"), "server_group", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_server_group_vpc_id"), "server_group", ["vpc_id"], unique=False)
    op.create_table(
        "service_user",
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["endpoint_service.id"],
        ),
        sa.PrimaryKeyConstraint("service_id", "user"),
    )
    op.create_table(
        "vswitch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("next_address", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_vswitch_account_id"), "vswitch", ["account_id"], unique=False)
    op.create_index(op.f("ix_vswitch_vpc_id"), "vswitch", ["vpc_id"], unique=False)
    op.create_table(
        "connection",
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("modified_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoint.id"],
        ),
        sa.PrimaryKeyConstraint("endpoint_id"),
    )
    op.create_index(op.f("ix_connection_service_id"), "connection", ["service_id"], unique=False)
    op.create_table(
        "endpoint_security_group",
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoint.id"],
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["security_group.id"],
        ),
        sa.PrimaryKeyConstraint("endpoint_id", "group_id"),
    )
    op.create_index(
        "ix_endpoint_security_group_group_id", "endpoint_security_group", ["group_id"], unique=False
    )
    op.create_table(
        "eni",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("vpc_id", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("address", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vpc_id"],
            ["vpc.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vswitch_id"],
            ["vswitch.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("vpc_id", "address"),
    )
    op.create_index(op.f("ix_eni_owner_id"), "eni", ["owner_id"], unique=False)
    op.create_index(op.f("ix_eni_vpc_id"), "eni", ["vpc_id"], unique=False)
    op.create_index(op.f("ix_eni_vswitch_id"), "eni", ["vswitch_id"], unique=False)
    op.create_table(
        "group_server",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("server_type", sa.String(), nullable=False),
        sa.Column("server_id", sa.String(), nullable=False),
        sa.Column("address", sa.BigInteger(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["server_group.id"],
        ),
        sa.PrimaryKeyConstraint("group_id", "address", "port"),
    )
    op.create_table(
        "listener",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("balancer_id", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["balancer_id"],
            ["load_balancer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["server_group.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("balancer_id", "protocol", "port"),
    )
    op.create_index(op.f("ix_listener_account_id"), "listener", ["account_id"], unique=False)
    op.create_index(op.f("ix_listener_balancer_id"), "listener", ["balancer_id"], unique=False)
    op.create_index(op.f("ix_listener_group_id"), "listener", ["group_id"], unique=False)
    op.create_table(
        "security_group_rule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["security_group.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_security_group_rule_group_id"), "security_group_rule", ["group_id"], unique=False
    )
    op.create_table(
        "service_resource",
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"],
            ["load_balancer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["endpoint_service.id"],
        ),
        sa.PrimaryKeyConstraint("service_id", "resource_id", "zone_id"),
    )
    op.create_index(
        "ix_service_resource_resource_id", "service_resource", ["resource_id"], unique=False
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("eni_id", sa.String(), nullable=False),
        sa.Column("plugged", sa.Boolean(), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["eni_id"],
            ["eni.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vswitch_id"],
            ["vswitch.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_attachment_account_id"), "attachment", ["account_id"], unique=False)
    op.create_index(
        "ix_attachment_deleting", "attachment", ["id"], sqlite_where=sa.text("deleting = 1")
    )
    op.create_index(op.f("ix_attachment_eni_id"), "attachment", ["eni_id"], unique=False)
    op.create_index(op.f("ix_attachment_vswitch_id"), "attachment", ["vswitch_id"], unique=False)
    op.create_table(
        "endpoint_zone",
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("eni_id", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=True),
        sa.Column("provider_vpc_id", sa.String(), nullable=True),
        sa.Column("source", sa.BigInteger(), nullable=True),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("initial", sa.Boolean(), nullable=False),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoint.id"],
        ),
        sa.ForeignKeyConstraint(
            ["eni_id"],
            ["eni.id"],
        ),
        sa.ForeignKeyConstraint(
            ["provider_vpc_id"],
            ["vpc.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vswitch_id"],
            ["vswitch.id"],
        ),
        sa.PrimaryKeyConstraint("endpoint_id", "zone_id"),
        sa.UniqueConstraint("opening"),
        sa.UniqueConstraint("provider_vpc_id", "source"),
    )
    op.create_index(op.f("ix_endpoint_zone_eni_id"), "endpoint_zone", ["eni_id"], unique=False)
    op.create_index(
        "ix_endpoint_zone_unsettled",
        "endpoint_zone",
        ["endpoint_id"],
        sqlite_where=sa.text("deleting = 1 OR placed = 0"),
    )
    op.create_index(
        op.f("ix_endpoint_zone_provider_vpc_id"), "endpoint_zone", ["provider_vpc_id"], unique=False
    )
    op.create_index(
        op.f("ix_endpoint_zone_resource_id"), "endpoint_zone", ["resource_id"], unique=False
    )
    op.create_index(
        op.f("ix_endpoint_zone_vswitch_id"), "endpoint_zone", ["vswitch_id"], unique=False
    )
    op.create_table(
        "load_balancer_zone",
        sa.Column("balancer_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("vswitch_id", sa.String(), nullable=False),
        sa.Column("eni_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["balancer_id"],
            ["load_balancer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["eni_id"],
            ["eni.id"],
        ),
        sa.ForeignKeyConstraint(
            ["vswitch_id"],
            ["vswitch.id"],
        ),
        sa.PrimaryKeyConstraint("balancer_id", "zone_id"),
    )
    op.create_index(
        op.f("ix_load_balancer_zone_eni_id"), "load_balancer_zone", ["eni_id"], unique=False
    )
    op.create_index(
        op.f("ix_load_balancer_zone_vswitch_id"), "load_balancer_zone", ["vswitch_id"], unique=False
    )
