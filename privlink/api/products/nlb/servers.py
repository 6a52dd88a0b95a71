"""The servers of a group: addresses or attachments of its VPC, each with a port."""

from __future__ import annotations

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
from privlink.rules import addresses, quotas
from privlink.store import balancers

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
Weight = Annotated[int, msgspec.Meta(ge=0, le=100, description="a weight is 0 to 100.")]
ServerType = Annotated[
    Literal["Ip", "Eni"],
    msgspec.Meta(description="Ip (ServerId is an address) or Eni; there are no ECS here."),
]
# The servers a group takes, by the group's type. There are no ECS here: an instance is its ENI.
_SERVER_TYPES = {"Ip": "Ip", "Instance": "Eni"}


class Server(Fields, frozen=True):
    """A server to add. `ServerId` is an address (type Ip) or the id of an ENI (type Eni)."""

    server_id: str
    server_type: ServerType
    port: Port
    weight: Weight = 100
    server_ip: str | None = None
    description: Name = ""


class NamedServer(Fields, frozen=True):
    """A server to take out."""

    server_id: str
    server_type: ServerType
    port: Port
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
    for server in servers:
        address = _server_address(call, group, server)
        if (address, server.port) in present:
            where = f"{addresses.text(address)}:{server.port}"
            raise errors.ServerAlreadyExist(server=where, server_group_id=group.id)
        present.add((address, server.port))
        added.append(
            GroupServer(
                group_id=group.id,
                server_type=server.server_type,
                server_id=server.server_id,
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
    """Take servers out of a server group: they get no new flows, and running ones go on."""
    group = ours.server_group(call, server_group_id)
    present = {
        (each.server_type, each.server_id, each.port): each
        for each in balancers.servers(call.tx, [group.id])
    }
    gone = []
    for server in dict.fromkeys(servers):
        found = present.get((server.server_type, server.server_id, server.port))
        if found is None:
            where = f"{server.server_id} port {server.port}"
            raise errors.BackendServerNotFound(server=where, server_group_id=group.id)
        _refuse_contradiction(server, found.address)
        gone.append(found)
    balancers.remove_servers(call.tx, group.id, gone)
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
    """List the servers of a server group, by address and port."""
    group = ours.server_group(call, server_group_id)
    found = [
        server
        for server in balancers.servers(call.tx, [group.id])
        if (not server_ids or server.server_id in server_ids)
        and (not server_ips or addresses.text(server.address) in server_ips)
    ]
    page, following = by_token(
        found, lambda each: f"{each.address:010} {each.port:05}", max_results, next_token
    )
    return ServersAnswer(
        servers=[
            ServerAnswer(
                server_group_id=group.id,
                server_id=server.server_id,
                server_ip=addresses.text(server.address),
                server_type=server.server_type,
                port=server.port,
                weight=server.weight,
                description=server.description,
                status="Available",
            )
            for server in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


def _server_address(call: Call, group: ServerGroup, server: Server) -> int:
    fitting = _SERVER_TYPES[group.type]
    if server.server_type != fitting:
        raise errors.MismatchServerType(
            server_id=server.server_id,
            server_type=server.server_type,
            group_id=group.id,
            group_type=group.type,
            fitting=fitting,
        )
    find = balancing.address_of_eni if server.server_type == "Eni" else balancing.address_in_vpc
    try:
        address = find(call, server.server_id, group.vpc_id)
    except ValueError as error:
        raise errors.ServerNotInVpc(
            server_id=server.server_id, vpc_id=group.vpc_id, why=error
        ) from None
    _refuse_contradiction(server, address)
    return address


def _refuse_contradiction(server: Server | NamedServer, address: int) -> None:
    """Refuse a ServerIp that is not the server's address."""
    if server.server_ip not in (None, addresses.text(address)):
        raise errors.MismatchServerIp(
            server_ip=server.server_ip,
            server_id=server.server_id,
            address=addresses.text(address),
        )


ACTIONS = (
    add_servers_to_server_group,
    remove_servers_from_server_group,
    list_server_group_servers,
)
