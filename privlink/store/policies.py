"""Policies that accounts wrote, their versions, and who has which policy."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, func, select

from privlink.model.identity import CUSTOM, Grant, Policy, PolicyVersion
from privlink.model.ids import AccountId
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_policy, _version, _grant = schema.ram_policy, schema.ram_policy_version, schema.ram_grant
_HELD = Prepared(
    select(_grant.c.policy_type, _grant.c.policy_name, _policy.c.document)
    .select_from(
        _grant.outerjoin(
            _policy,
            and_(
                _grant.c.policy_type == CUSTOM,
                _policy.c.account_id == _grant.c.account_id,
                _policy.c.name == _grant.c.policy_name,
            ),
        )
    )
    .where(_grant.c.identity_id == bindparam("identity_id"))
)


def get(tx: Transaction, account_id: AccountId, name: str) -> Policy | None:
    return rows.find_one(tx, Policy, _policy, account_id=account_id, name=name)


def of_account(tx: Transaction, account_id: AccountId) -> list[Policy]:
    """The policies that an account wrote, by name."""
    return rows.find(tx, Policy, _policy, order="name", account_id=account_id)


def count(tx: Transaction, account_id: AccountId) -> int:
    return rows.count(tx, _policy, _policy.c.account_id == account_id)


def add(tx: Transaction, policy: Policy) -> None:
    """Add a policy and its first version."""
    rows.add(tx, _policy, policy)
    add_version(
        tx,
        PolicyVersion(
            policy.account_id, policy.name, policy.version, policy.document, policy.created_at
        ),
    )


def change(tx: Transaction, policy: Policy) -> None:
    """Put down which document of a policy holds."""
    rows.change(
        tx,
        _policy,
        {"account_id": policy.account_id, "name": policy.name},
        document=policy.document,
        version=policy.version,
        updated_at=policy.updated_at,
    )


def delete_policy(tx: Transaction, account_id: AccountId, name: str) -> None:
    """Delete a policy that nobody has, with its versions."""
    versions = (_version.c.account_id == account_id, _version.c.policy_name == name)
    tx.execute(delete(_version).where(*versions))
    tx.execute(delete(_policy).where(_policy.c.account_id == account_id, _policy.c.name == name))


def versions(tx: Transaction, account_id: AccountId, name: str) -> list[PolicyVersion]:
    """The versions of a policy, oldest first."""
    equal = {"account_id": account_id, "policy_name": name}
    return rows.find(tx, PolicyVersion, _version, order="version", **equal)


def add_version(tx: Transaction, version: PolicyVersion) -> None:
    rows.add(tx, _version, version)


def delete_version(tx: Transaction, version: PolicyVersion) -> None:
    tx.execute(
        delete(_version).where(
            _version.c.account_id == version.account_id,
            _version.c.policy_name == version.policy_name,
            _version.c.version == version.version,
        )
    )


def held(tx: Transaction, identity_id: str) -> list[tuple[str, str, str | None]]:
    """Type, name and, of those an account wrote, the document of an identity's policies."""
    return [(kind, name, text) for kind, name, text in _HELD.rows(tx, identity_id=identity_id)]


def grants(tx: Transaction, identity_id: str) -> list[Grant]:
    """The policies of a user or a role, by name."""
    return rows.find(tx, Grant, _grant, order="policy_name", identity_id=identity_id)


def grants_of(tx: Transaction, account_id: AccountId, kind: str, name: str) -> list[Grant]:
    """Who in an account has a policy."""
    equal = {"account_id": account_id, "policy_type": kind, "policy_name": name}
    return rows.find(tx, Grant, _grant, order="identity_id", **equal)


def count_grants(tx: Transaction, account_id: AccountId) -> dict[tuple[str, str], int]:
    """How many in an account have each policy, by type and name."""
    statement = (
        select(_grant.c.policy_type, _grant.c.policy_name, func.count())
        .where(_grant.c.account_id == account_id)
        .group_by(_grant.c.policy_type, _grant.c.policy_name)
    )
    return {(kind, name): int(number) for kind, name, number in tx.execute(statement)}


def add_grant(tx: Transaction, grant: Grant) -> None:
    rows.add(tx, _grant, grant)


def delete_grant(tx: Transaction, identity_id: str, kind: str, name: str) -> int:
    """Take a policy off an identity; returns how many there were."""
    return tx.execute(
        delete(_grant).where(
            _grant.c.identity_id == identity_id,
            _grant.c.policy_type == kind,
            _grant.c.policy_name == name,
        )
    ).rowcount
