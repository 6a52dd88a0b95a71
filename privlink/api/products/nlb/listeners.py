"""Listeners: ports of a load balancer and the servers behind each."""

from __future__ import annotations

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.products.nlb.load_balancers import known_to_nodes
from privlink.api.products.nlb.server_groups import Port, Protocol
from privlink.api.wire import Answer
from privlink.model.balancer import Listener
from privlink.model.ids import ListenerId, new_id
from privlink.rules import quotas
from privlink.store import balancers


class ListenerIdAnswer(Answer):
    listener_id: str


class ListenerAnswer(Answer):
    listener_id: str
    listener_port: int
    listener_protocol: str
    listener_status: str
    load_balancer_id: str
    server_group_id: str
    region_id: str


@action(NLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def create_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_protocol: Protocol,
    listener_port: Port,
    server_group_id: str,
) -> ListenerIdAnswer:
    """Create a listener: a port of the load balancer and the servers behind it."""
    balancer, group = (
        ours.balancer(call, load_balancer_id),
        ours.server_group(call, server_group_id),
    )
    if balancer.vpc_id != group.vpc_id:
        raise errors.MismatchVpc(
            first=balancer.id,
            first_vpc=balancer.vpc_id,
            second=group.id,
            second_vpc=group.vpc_id,
        )
    listeners = balancers.listeners(call.tx, [balancer.id])
    for present in listeners:
        if (present.protocol, present.port) == (listener_protocol, listener_port):
            raise errors.ListenerAlreadyExist(
                load_balancer_id=balancer.id,
                protocol=listener_protocol,
                port=listener_port,
                listener_id=present.id,
            )
    limits.check(call, quotas.LISTENERS_PER_BALANCER, len(listeners), balancer.id)
    listener = Listener(
        id=ListenerId(new_id("lsn")),
        account_id=call.account_id,
        balancer_id=balancer.id,
        protocol=listener_protocol,
        port=listener_port,
        group_id=group.id,
        created_at=call.now,
    )
    balancers.add_listener(call.tx, listener)
    return ListenerIdAnswer(listener_id=listener.id)


@action(NLB, resource="listener/{listener_id}")
def get_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> ListenerAnswer:
    """Show a listener. It is Running once the nodes know it."""
    listener = ours.listener(call, listener_id)
    ready = known_to_nodes(call, listener.balancer_id)
    return ListenerAnswer(
        listener_id=listener.id,
        listener_port=listener.port,
        listener_protocol=listener.protocol,
        listener_status="Running" if ready else "Provisioning",
        load_balancer_id=listener.balancer_id,
        server_group_id=listener.group_id,
        region_id=call.config.region,
    )


@action(NLB, writes=True, resource="listener/{listener_id}")
def delete_listener(call: Call, *, region_id: RegionId | None = None, listener_id: str) -> Answer:
    """Delete a listener: its port takes no new flows."""
    balancers.delete_listener(call.tx, ours.listener(call, listener_id))
    return Answer()


ACTIONS = (
    create_listener,
    get_listener_attribute,
    delete_listener,
)
