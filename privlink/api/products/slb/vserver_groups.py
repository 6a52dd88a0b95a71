"""VServer groups: servers of a CLB, each with a port, for the listeners that name the group."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.products.slb import backends
from privlink.api.products.slb.backends import Backend, BackendServers
from privlink.api.wire import Answer
from privlink.model.balancer import GroupServer, ServerGroup, default_group
from privlink.model.ids import ServerGroupId, new_id
from privlink.rules import quotas
from privlink.store import balancers


class Server(Answer):
    server_id: str
    type: str
    port: int
    weight: int
    description: str | msgspec.UnsetType
    server_ip: str | msgspec.UnsetType = msgspec.UNSET


class ServerList(Answer):
    backend_server: list[Server]


class GroupAnswer(Answer):
    vserver_group_id: str
    backend_servers: ServerList


class NamedGroupAnswer(GroupAnswer):
    vserver_group_name: str


class GroupAttributeAnswer(NamedGroupAnswer):
    load_balancer_id: str
    create_time: str


class ListedGroup(Answer):
    vserver_group_id: str
    vserver_group_name: str
    server_count: int
    create_time: str


class GroupList(Answer):
    vserver_group: list[ListedGroup]


class GroupsAnswer(Answer):
    vserver_groups: GroupList


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def create_vserver_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    vserver_group_name: Name = "",
    backend_servers: BackendServers = "",
) -> GroupAnswer:
    """Create a VServer group of a CLB, with servers or without."""
    balancer = ours.clb(call, load_balancer_id)
    present = len(balancers.groups_of_balancer(call.tx, balancer.id)) - 1  # but the default one
    limits.check(call, quotas.VSERVER_GROUPS_PER_CLB, present, balancer.id)
    group = ServerGroup(
        id=ServerGroupId(new_id("rsp")),
        account_id=call.account_id,
        vpc_id=balancer.vpc_id,
        protocol="TCP_UDP",
        type="VServer",
        name=vserver_group_name,
        created_at=call.now,
        balancer_id=balancer.id,
    )
    balancers.add_group(call.tx, group)
    if backend_servers.strip() not in ("", "[]"):
        _add(call, group, backend_servers)
    return _answer(call, group)


@action(SLB, writes=True, resource="vservergroup/{vserver_group_id}")
def add_vserver_group_backend_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vserver_group_id: str,
    backend_servers: BackendServers,
) -> GroupAnswer:
    """Add servers to a VServer group; new flows reach them at once."""
    group = ours.vserver_group(call, vserver_group_id)
    _add(call, group, backend_servers)
    return _answer(call, group)


@action(SLB, writes=True, resource="vservergroup/{vserver_group_id}")
def remove_vserver_group_backend_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vserver_group_id: str,
    backend_servers: BackendServers,
) -> GroupAnswer:
    """Take servers out of a VServer group: they get no new flows, and running ones end.

    On listeners with ConnectionDrain running flows go on meanwhile.
    """
    group = ours.vserver_group(call, vserver_group_id)
    present = balancers.servers(call.tx, [group.id])
    gone = {_named(group, present, each) for each in backends.read(backend_servers)}
    balancers.remove_servers(call.tx, group, gone, int(call.moment.timestamp()))
    answer = _answer(call, group)
    for left in answer.backend_servers.backend_server:
        left.description = msgspec.UNSET  # the one answer that does not know it
    return answer


@action(SLB, writes=True, resource="vservergroup/{vserver_group_id}")
def set_vserver_group_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vserver_group_id: str,
    vserver_group_name: Name | None = None,
    backend_servers: BackendServers = "",
) -> NamedGroupAnswer:
    """Give a VServer group another name, and its servers other weights and descriptions."""
    group = ours.vserver_group(call, vserver_group_id)
    if vserver_group_name is not None:
        group = msgspec.structs.replace(group, name=vserver_group_name)
        balancers.change_group(call.tx, group)
    if backend_servers:
        present = balancers.servers(call.tx, [group.id])
        changed = []
        for each in backends.read(backend_servers):
            server = _named(group, present, each)
            given = {"weight": each.weight, "description": each.description}
            values = {name: value for name, value in given.items() if value is not None}
            changed.append(msgspec.structs.replace(server, **values))
        balancers.change_servers(call.tx, group.id, changed)
    return NamedGroupAnswer(
        vserver_group_id=group.id,
        vserver_group_name=group.name,
        backend_servers=_servers(call, group),
    )


@action(SLB, resource="vservergroup/{vserver_group_id}")
def describe_vserver_group_attribute(
    call: Call, *, region_id: RegionId | None = None, vserver_group_id: str
) -> GroupAttributeAnswer:
    """Show a VServer group and its servers."""
    group = ours.vserver_group(call, vserver_group_id)
    return GroupAttributeAnswer(
        vserver_group_id=group.id,
        vserver_group_name=group.name,
        load_balancer_id=str(group.balancer_id),
        create_time=group.created_at,
        backend_servers=_servers(call, group, with_addresses=True),
    )


@action(SLB, resource="loadbalancer/{load_balancer_id}")
def describe_vserver_groups(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> GroupsAnswer:
    """List the VServer groups of a CLB."""
    balancer = ours.clb(call, load_balancer_id)
    default = default_group(balancer.id)
    groups = [
        ListedGroup(
            vserver_group_id=group.id,
            vserver_group_name=group.name,
            server_count=len(balancers.servers(call.tx, [group.id])),
            create_time=group.created_at,
        )
        for group in balancers.groups_of_balancer(call.tx, balancer.id)
        if group.id != default
    ]
    return GroupsAnswer(vserver_groups=GroupList(vserver_group=groups))


@action(SLB, writes=True, resource="vservergroup/{vserver_group_id}")
def delete_vserver_group(
    call: Call, *, region_id: RegionId | None = None, vserver_group_id: str
) -> Answer:
    """Delete a VServer group that no listener uses; its servers are not touched."""
    group = ours.vserver_group(call, vserver_group_id)
    if users := balancers.listeners_using(call.tx, group.id):
        ports = ", ".join(f"{each.protocol} port {each.first}" for each in users)
        raise errors.VServerGroupInUse(resource=group.id, dependants=f"listeners on {ports}")
    balancers.delete_group(call.tx, group.id)
    return Answer()


def _add(call: Call, group: ServerGroup, backend_servers: str) -> None:
    given = backends.read(backend_servers)
    present = {(each.address, each.port) for each in balancers.servers(call.tx, [group.id])}
    limits.check(call, quotas.BACKEND_SERVERS, len(present), group.id, more=len(given))
    added = []
    for each in given:
        server = backends.server(call, group, each, needs_port=True)
        if (server.address, server.port) in present:
            where = f"{each.server_id!r} port {server.port}"
            raise backends.refused(f"{where} is in {group.id} already.")
        present.add((server.address, server.port))
        added.append(server)
    balancers.add_servers(call.tx, group.id, added)


def _named(group: ServerGroup, present: list[GroupServer], wanted: Backend) -> GroupServer:
    backends.check_port(wanted, needs_port=True)
    for server in present:
        if (server.server_id, server.port) == (wanted.server_id, wanted.port):
            return server
    known = ", ".join(f"{server.server_id} port {server.port}" for server in present) or "none"
    where = f"{wanted.server_id!r} port {wanted.port}"
    raise backends.refused(f"{where} is no server of {group.id}. Its servers: {known}.")


def _answer(call: Call, group: ServerGroup) -> GroupAnswer:
    return GroupAnswer(vserver_group_id=group.id, backend_servers=_servers(call, group))


def _servers(call: Call, group: ServerGroup, *, with_addresses: bool = False) -> ServerList:
    return ServerList(
        backend_server=[
            Server(
                server_id=server.server_id,
                type=server.server_type,
                port=server.port,
                weight=server.weight,
                description=server.description,
                server_ip=server.address if with_addresses else msgspec.UNSET,
            )
            for server in balancers.servers(call.tx, [group.id])
        ]
    )


ACTIONS = (
    create_vserver_group,
    add_vserver_group_backend_servers,
    remove_vserver_group_backend_servers,
    set_vserver_group_attribute,
    describe_vserver_group_attribute,
    describe_vserver_groups,
    delete_vserver_group,
)
