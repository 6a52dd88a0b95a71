"""Server groups: the servers that take a listener's flows."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import GroupServer, ServerGroup
from privlink.model.ids import ServerGroupId, new_id
from privlink.rules import addresses, quotas
from privlink.store import balancers, networks

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
Weight = Annotated[int, msgspec.Meta(ge=0, le=100, description="a weight is 0 to 100.")]
Protocol = Annotated[Literal["TCP"], msgspec.Meta(description="only TCP so far.")]
# The servers a group takes, by the group's type. There are no ECS here: an instance is its ENI.
_SERVER_TYPES = {"Ip": "Ip", "Instance": "Eni"}


class Server(Fields, frozen=True):
    """A server to add. `ServerId` is an address (type Ip) or the id of an ENI (type Eni)."""

    server_id: str
    server_type: Annotated[
        Literal["Ip", "Eni"],
        msgspec.Meta(description="Ip (ServerId is an address) or Eni; there are no ECS here."),
    ]
    port: Port
    weight: Weight = 100
    server_ip: str | None = None
    description: Name = ""


class ServerGroupAnswer(Answer):
    server_group_id: str


@action(NLB, writes=True, resource="servergroup/*")
def create_server_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_name: Name,
    vpc_id: str,
    protocol: Protocol = "TCP",
    server_group_type: Literal["Instance", "Ip"] = "Instance",
    scheduler: Annotated[Literal["Wrr"], msgspec.Meta(description="only Wrr so far.")] = "Wrr",
) -> ServerGroupAnswer:
    """Create a server group."""
    group = ServerGroup(
        id=ServerGroupId(new_id("sgp")),
        account_id=call.account_id,
        vpc_id=ours.vpc(call, vpc_id).id,
        protocol=protocol,
        type=server_group_type,
        name=server_group_name,
        created_at=call.now,
    )
    balancers.add_group(call.tx, group)
    return ServerGroupAnswer(server_group_id=group.id)


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
    return ServerGroupAnswer(server_group_id=group.id)


@action(NLB, writes=True, resource="servergroup/{server_group_id}")
def delete_server_group(
    call: Call, *, region_id: RegionId | None = None, server_group_id: str
) -> Answer:
    """Delete a server group that no listener uses; its servers are not touched."""
    group = ours.server_group(call, server_group_id)
    if users := balancers.listeners_using(call.tx, group.id):
        dependants = ", ".join(f"{each.id} of {each.balancer_id}" for each in users)
        raise errors.ServerGroupInUse(resource=group.id, dependants=dependants)
    balancers.delete_group(call.tx, group.id)
    return Answer()


def _server_address(call: Call, group: ServerGroup, server: Server) -> int:
    vpc = networks.vpc_by_id(call.tx, group.vpc_id)

    def refused(why: str) -> errors.ApiError:
        return errors.ServerNotInVpc(server_id=server.server_id, vpc_id=vpc.id, why=why)

    fitting = _SERVER_TYPES[group.type]
    if server.server_type != fitting:
        raise errors.MismatchServerType(
            server_id=server.server_id,
            server_type=server.server_type,
            group_id=group.id,
            group_type=group.type,
            fitting=fitting,
        )
    if server.server_type == "Eni":
        attachment = networks.attachment_of(call.tx, server.server_id)
        if attachment is None or attachment.account_id != call.account_id:
            raise refused("no attachment of this account has that ENI.")
        eni = networks.get_eni(call.tx, attachment.eni_id)
        if eni.vpc_id != vpc.id:
            raise refused(f"that ENI lies in {eni.vpc_id}.")
        return _unless_contradicted(server, eni.address)
    try:
        address = IPv4Address(server.server_id)
    except AddressValueError:
        raise refused("for ServerType Ip, ServerId is an IPv4 address.") from None
    if address not in IPv4Network(vpc.cidr):
        raise refused(f"it lies outside {vpc.cidr}.")
    return _unless_contradicted(server, int(address))


def _unless_contradicted(server: Server, address: int) -> int:
    """The address of a server, unless ServerIp says another."""
    if server.server_ip not in (None, addresses.text(address)):
        raise errors.MismatchServerIp(
            server_ip=server.server_ip,
            server_id=server.server_id,
            address=addresses.text(address),
        )
    return address


ACTIONS = (
    create_server_group,
    add_servers_to_server_group,
    delete_server_group,
)
