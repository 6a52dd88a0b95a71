"""Endpoints that only their creator may change or delete, and PrivateLink's own role.

A session of a role may protect the endpoint it creates; then the same session name of the same role
is needed later, and not even the account's own keys will do. Endpoints of other callers are not
protected, whatever they ask for, as in the cloud; answers say so.
"""

from __future__ import annotations

from privlink import errors
from privlink.api.action import Call
from privlink.model.identity import SYSTEM, Grant, PolicyType, Role
from privlink.model.ids import new_role_id
from privlink.model.privatelink import Endpoint
from privlink.rules import system_policies
from privlink.store import policies, roles


def owner(call: Call, *, protected: bool) -> str:
    """Who alone may change an endpoint that is created now; nobody, if it is empty."""
    return call.caller.arn if protected and call.caller.session is not None else ""


def refuse_strangers(call: Call, endpoint: Endpoint) -> None:
    """Refuse to change a protected endpoint of another identity. Raises EndpointProtected."""
    if endpoint.protected_by and endpoint.protected_by != call.caller.arn:
        raise errors.EndpointProtected(endpoint_id=endpoint.id, owner=endpoint.protected_by)


def ensure_linked_role(call: Call) -> None:
    """Let the account have the role that PrivateLink has in the cloud. Nothing here needs it."""
    account = call.caller.account
    assert account is not None
    if account.linked:
        return
    roles.set_linked(call.tx, account.id, linked=True)
    if roles.by_name(call.tx, account.id, system_policies.LINKED_ROLE) is not None:
        return
    role = Role(
        id=new_role_id(),
        account_id=account.id,
        name=system_policies.LINKED_ROLE,
        description=system_policies.LINKED_ROLE_DESCRIPTION,
        trust=system_policies.LINKED_ROLE_TRUST,
        longest=system_policies.LINKED_ROLE_LONGEST,
        service=system_policies.PRIVATELINK_SERVICE,
        created_at=call.now,
        updated_at=call.now,
    )
    roles.add(call.tx, role)
    policy = system_policies.LINKED_ROLE_POLICY
    policies.add_grant(call.tx, Grant(role.id, PolicyType(SYSTEM), policy, account.id, call.now))
