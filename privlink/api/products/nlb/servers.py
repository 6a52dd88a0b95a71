"""The servers of a group: addresses or attachments of its VPC, each with a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, limits, ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.paging import NextToken, by_token
from privlink.api.products.nlb import jobs
from privlink.api.products.nlb.labels import MaxResults
from privlink.api.products.nlb.load_balancers import Strings
from privlink.api.products.nlb.server_groups import ServerGroupAnswer
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import GroupServer, ServerGroup
from privlink.model.network import IpVersion
from privlink.rules import families, placement, quotas
from privlink.store import balancers, networks

Port = Annotated[
    int, msgspec.Meta(ge=0, le=65535, description="a port is 1 to 65535, or 0 for any.")
]
Weight = Annotated[int, msgspec.Meta(ge=0, le=100, description="a weight is 0 to 100.")]
ServerType = Annotated[
    Literal["Ip", "Eni"],
    msgspec.Meta(description="Ip (ServerId is an address) or Eni; there are no ECS here."),
]
# The servers a group takes, by the group's type. There are no ECS here: an instance is its ENI.
_SERVER_TYPES = {"Ip": "Ip", "Instance": "Eni"}


class Server(Fields, frozen=True):
    """A server to add. `ServerId` is an address (type Ip) or the id of an ENI (type Eni), of which
    it is the IPv4 address unless `ServerIp` is another one of it.
    """

    server_id: str
    server_type: ServerType
    port: Port = 0
    weight: Weight = 100
    server_ip: str | None = None
    description: Name = ""


class NamedServer(Fields, frozen=True):
    """A server to take out."""

    server_id: str
    server_type: ServerType
    port: Port = 0
    server_ip: str | None = None


class ServerAnswer(Answer):
    server_group_id: str
    server_id: str
    server_ip: str
    server_type: str
    port: int
    weight: int
    description: str
    status: str
    zone_id: str | msgspec.UnsetType


class ServersAnswer(Answer):
    servers: list[ServerAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(NLB, writes=True, resource="servergroup/{server_group_id}")
def add_servers_to_server_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_id: str,
    servers: Annotated[tuple[Server, ...], msgspec.Meta(min_length=1, max_length=40)],
) -> ServerGroupAnswer:
    """Add servers to a server group; new flows reach them at once."""
    group = ours.server_group(call, server_group_id)
    present = {(s.address, s.port) for s in balancers.servers(call.tx, [group.id])}
    limits.check(call, quotas.SERVERS_PER_GROUP, len(present), group.id, more=len(servers))
    added = []
    for place, server in enumerate(servers, 1):
        _check_port(group, place, server.port)
        address = _server_address(call, group, server)
        if (address, server.port) in present:
            where = f"{address} port {server.port}"
            raise errors.ServerAlreadyExist(server=where, server_group_id=group.id)
        present.add((address, server.port))
        added.append(
            GroupServer(
                group_id=group.id,
                server_type=server.server_type,
                server_id=families.spelling(server.server_id),
                address=address,
                port=server.port,
                weight=server.weight,
                description=server.description,
            )
        )
    balancers.add_servers(call.tx, group.id, added)
    return ServerGroupAnswer(server_group_id=group.id, job_id=jobs.begun(call))


@action(NLB, writes=True, resource="servergroup/{server_group_id}")
def remove_servers_from_server_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_id: str,
    servers: Annotated[tuple[NamedServer, ...], msgspec.Meta(min_length=1, max_length=40)],
) -> ServerGroupAnswer:
    """Take servers out of a server group: they get no new flows, and running ones end.

    If connections of the group drain, a server is Removing meanwhile and running flows go on.
    """
    group = ours.server_group(call, server_group_id)
    present = balancers.servers(call.tx, [group.id])
    gone = {_named(group, present, server) for server in servers}
    balancers.remove_servers(call.tx, group, gone, int(call.moment.timestamp()))
    return ServerGroupAnswer(server_group_id=group.id, job_id=jobs.begun(call))


@action(NLB, resource="servergroup/{server_group_id}")
def list_server_group_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_id: str,
    server_ids: Strings = (),
    server_ips: Strings = (),
    max_results: MaxResults = 20,
    next_token: NextToken = "",
) -> ServersAnswer:
    """List the servers of a server group, by address and port. Removing is one that drains."""
    group = ours.server_group(call, server_group_id)
    ids, ips = ({families.spelling(each) for each in some} for some in (server_ids, server_ips))
    found = [
        server
        for server in balancers.servers(call.tx, [group.id], leaving=True)
        if (not ids or server.server_id in ids) and (not ips or server.address in ips)
    ]
    page, following = by_token(
        found,
        lambda each: f"{families.order(each.address)} {each.port:05}",
        max_results,
        next_token,
    )
    vswitches = networks.vswitches_of(call.tx, [group.vpc_id])
    return ServersAnswer(
        servers=[
            ServerAnswer(
                server_group_id=group.id,
                server_id=server.server_id,
                server_ip=server.address,
                server_type=server.server_type,
                port=server.port,
                weight=server.weight,
                description=server.description,
                status="Available" if server.leaving_until is None else "Removing",
                zone_id=placement.zone_of(server.address, vswitches) or msgspec.UNSET,
            )
            for server in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


def _check_port(group: ServerGroup, place: int, port: int) -> None:
    """Refuse a port where the client says it, and none where nobody does."""
    if bool(port) != group.any_port:
        return
    if group.any_port:
        rule = f"{group.id} has AnyPortEnabled: the client says the port. Leave it out, or give 0."
    else:
        rule = f"a port is 1 to 65535, as {group.id} is without AnyPortEnabled."
    why = f"'{port}' was given; {rule}"
    raise NLB.invalid(parameter=f"Servers.{place}.Port", why=why)


def _server_address(call: Call, group: ServerGroup, server: Server) -> str:
    fitting = _SERVER_TYPES[group.type]
    if server.server_type != fitting:
        raise errors.MismatchServerType(
            server_id=server.server_id,
            server_type=server.server_type,
            group_id=group.id,
            group_type=group.type,
            fitting=fitting,
        )
    try:
        if server.server_type == "Eni":
            found = balancing.addresses_of_eni(call, server.server_id, group.vpc_id)
        else:
            found = (balancing.address_in_vpc(call, server.server_id, group.vpc_id),)
    except ValueError as error:
        raise errors.ServerNotInVpc(
            server_id=server.server_id, vpc_id=group.vpc_id, why=error
        ) from None
    address = _chosen(server, found)
    if families.is_ipv6(address) and group.ip_version is IpVersion.IPV4:
        raise errors.MismatchIpVersion(address=address, group_id=group.id)
    return address


def _chosen(server: Server | NamedServer, found: Sequence[str]) -> str:
    """The one of a server's addresses that is meant: ServerIp if it is given, else the first."""
    if server.server_ip is None:
        return found[0]
    wanted = families.spelling(server.server_ip)
    if wanted not in found:
        raise errors.MismatchServerIp(
            server_ip=server.server_ip, server_id=server.server_id, address=" or ".join(found)
        )
    return wanted


def _named(group: ServerGroup, present: list[GroupServer], server: NamedServer) -> GroupServer:
    wanted = (server.server_type, families.spelling(server.server_id), server.port)
    found = {
        each.address: each
        for each in present
        if (each.server_type, each.server_id, each.port) == wanted
    }
    if not found:
        where = f"{server.server_id} port {server.port}"
        raise errors.BackendServerNotFound(server=where, server_group_id=group.id)
    return found[_chosen(server, list(found))]


ACTIONS = (
    add_servers_to_server_group,
    remove_servers_from_server_group,
    list_server_group_servers,
)
