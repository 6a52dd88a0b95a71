"""Backend servers as a CLB's callers name them: a JSON array in a string.

    [{"ServerId": "eni-...", "Type": "eni", "Weight": 100, "Port": 80, "Description": "web"}]

There are no ECS instances here: a server is the ENI of an attachment (Type eni) or an address of
the CLB's VPC (Type eniip). A CLB has an IPv4 address, so its servers are IPv4 as well.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated

import msgspec

from privlink.api import balancing
from privlink.api.action import SLB, Call
from privlink.api.fields import Name
from privlink.model.balancer import GroupServer, ServerGroup
from privlink.rules import families

# What one call may name.
_MOST = 20

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Weight = Annotated[int, msgspec.Meta(ge=0, le=100)]
BackendServers = Annotated[str, msgspec.Meta(max_length=16384, description="a JSON array.")]

_TYPES = ("eni", "eniip")


class Backend(
    msgspec.Struct, frozen=True, rename="pascal", kw_only=True, forbid_unknown_fields=True
):
    """One server of the array. `Weight` and `Port` may be numbers or their text."""

    server_id: str
    type: str = "ecs"
    weight: Weight | None = None
    port: Port | None = None
    server_ip: str | None = None
    description: Name | None = None


def read(text: str) -> tuple[Backend, ...]:
    """The servers that a caller names. Raises InvalidBackendServers."""
    try:
        found = msgspec.convert(msgspec.json.decode(text), tuple[Backend, ...], strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        why = f'it is a JSON array such as [{{"ServerId":"eni-1","Type":"eni"}}]: {error}.'
        raise refused(why) from None
    if not 1 <= len(found) <= _MOST:
        raise refused(f"{len(found)} servers were given; one call takes 1 to {_MOST}.")
    return found


def server(call: Call, group: ServerGroup, given: Backend, *, needs_port: bool) -> GroupServer:
    """The server of a group that a caller names. Raises InvalidBackendServers."""
    if given.type not in _TYPES:
        raise refused(
            f"{given.server_id!r} is of Type {given.type!r}; there are no ECS instances here. "
            "Give Type eni with the ENI of an attachment, or eniip with an address of the VPC."
        )
    check_port(given, needs_port=needs_port)
    try:
        address = _address(call, group, given)
    except ValueError as error:
        why = f"{given.server_id!r} is no server of {group.vpc_id}: {error}"
        raise refused(why) from None
    if given.server_ip not in (None, "", address):
        is_there = f"{given.server_id!r} has the address {address}"
        raise refused(f"ServerIp {given.server_ip!r} was given, but {is_there}. Leave it out.")
    return GroupServer(
        group_id=group.id,
        server_type=given.type,
        server_id=given.server_id,
        address=address,
        port=given.port or 0,
        weight=100 if given.weight is None else given.weight,
        description=given.description or "",
    )


def _address(call: Call, group: ServerGroup, given: Backend) -> str:
    """The address of a server. Raises ValueError with the sentence that says why it has none."""
    if given.type == "eni":
        return balancing.addresses_of_eni(call, given.server_id, group.vpc_id)[0]
    if isinstance(families.parse(given.server_id), IPv6Address):
        raise ValueError("the servers of a CLB have IPv4 addresses.")
    return balancing.address_in_vpc(call, given.server_id, group.vpc_id)


def check_port(given: Backend, *, needs_port: bool) -> None:
    """Refuse a default server with a port, which its listeners say, and another one without."""
    if needs_port and given.port is None:
        raise refused(f"{given.server_id!r} has no Port, which a server of a VServer group has.")
    if not needs_port and given.port is not None:
        raise refused(
            f"{given.server_id!r} has Port {given.port}; the port of a default server is its "
            "listeners' BackendServerPort. Leave it out."
        )


def refused(why: str) -> Exception:
    """The refusal of a BackendServers parameter."""
    return SLB.invalid(parameter="BackendServers", why=why)
