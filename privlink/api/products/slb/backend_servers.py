"""The default servers of a CLB: those of every listener that names no VServer group."""

from __future__ import annotations

import msgspec

from privlink.api import limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.products.slb import backends
from privlink.api.products.slb.backends import BackendServers
from privlink.api.wire import Answer
from privlink.model.balancer import GroupServer, LoadBalancer, ServerGroup, default_group
from privlink.rules import quotas
from privlink.store import balancers


class WeighedServer(Answer):
    server_id: str
    type: str
    weight: str | int  # as text where servers are added and set, as a number where removed
    description: str


class WeighedServers(Answer):
    backend_server: list[WeighedServer]


class ServersAnswer(Answer):
    load_balancer_id: str
    backend_servers: WeighedServers


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def add_backend_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    backend_servers: BackendServers,
) -> ServersAnswer:
    """Add default servers to a CLB; new flows reach them at once."""
    balancer = ours.clb(call, load_balancer_id)
    group, present = _servers(call, balancer)
    given = backends.read(backend_servers)
    limits.check(call, quotas.BACKEND_SERVERS, len(present), balancer.id, more=len(given))
    taken = {server.address for server in present}
    added = []
    for each in given:
        server = backends.server(call, group, each, needs_port=False)
        if server.address in taken:
            raise backends.refused(f"{each.server_id!r} is a server of {balancer.id} already.")
        taken.add(server.address)
        added.append(server)
    balancers.add_servers(call.tx, group.id, added)
    return _answer(call, balancer)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def set_backend_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    backend_servers: BackendServers,
) -> ServersAnswer:
    """Change the weights and descriptions of default servers of a CLB."""
    balancer = ours.clb(call, load_balancer_id)
    group, present = _servers(call, balancer)
    changed = []
    for each in backends.read(backend_servers):
        backends.check_port(each, needs_port=False)
        server = _named(balancer, present, each.server_id)
        given = {"weight": each.weight, "description": each.description}
        values = {name: value for name, value in given.items() if value is not None}
        changed.append(msgspec.structs.replace(server, **values))
    balancers.change_servers(call.tx, group.id, changed)
    return _answer(call, balancer)


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def remove_backend_servers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    backend_servers: BackendServers,
) -> ServersAnswer:
    """Take default servers off a CLB: they get no new flows, and running ones end.

    On listeners with ConnectionDrain running flows go on meanwhile.
    """
    balancer = ours.clb(call, load_balancer_id)
    group, present = _servers(call, balancer)
    named = [each.server_id for each in backends.read(backend_servers)]
    gone = [_named(balancer, present, each) for each in dict.fromkeys(named)]
    balancers.remove_servers(call.tx, group, gone, int(call.moment.timestamp()))
    return _answer(call, balancer, as_text=False)


def _servers(call: Call, balancer: LoadBalancer) -> tuple[ServerGroup, list[GroupServer]]:
    group = balancers.get_group(call.tx, call.account_id, default_group(balancer.id))
    assert group is not None, f"{balancer.id} has lost its default servers"
    return group, balancers.servers(call.tx, [group.id])


def _named(balancer: LoadBalancer, present: list[GroupServer], server_id: str) -> GroupServer:
    for server in present:
        if server.server_id == server_id:
            return server
    known = ", ".join(server.server_id for server in present) or "none"
    raise backends.refused(f"{server_id!r} is no server of {balancer.id}. Its servers: {known}.")


def _answer(call: Call, balancer: LoadBalancer, *, as_text: bool = True) -> ServersAnswer:
    _, servers = _servers(call, balancer)
    return ServersAnswer(
        load_balancer_id=balancer.id,
        backend_servers=WeighedServers(
            backend_server=[
                WeighedServer(
                    server_id=server.server_id,
                    type=server.server_type,
                    weight=str(server.weight) if as_text else server.weight,
                    description=server.description,
                )
                for server in servers
            ]
        ),
    )


ACTIONS = (add_backend_servers, set_backend_servers, remove_backend_servers)
