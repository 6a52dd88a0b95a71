"""Listeners: ports of a load balancer and the servers behind each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, limits, ours, tagging
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Description
from privlink.api.paging import NextToken, by_token
from privlink.api.products.nlb import jobs
from privlink.api.products.nlb.labels import LABELS, LISTENER, MaxResults
from privlink.api.products.nlb.load_balancers import Strings
from privlink.api.products.nlb.server_groups import NotSo
from privlink.api.tagging import TagAnswer, Tags
from privlink.api.wire import Answer
from privlink.model.balancer import Listener
from privlink.model.ids import ListenerId, new_id
from privlink.model.privatelink import ResourceType
from privlink.rules import listening, quotas
from privlink.store import balancers

Protocol = Annotated[
    Literal["TCP", "UDP"],
    msgspec.Meta(
        description="it is TCP or UDP: a TCPSSL listener cannot be reached through PrivateLink."
    ),
]
Port = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=65535,
        description="a port is 1 to 65535; 0 means those from StartPort to EndPort.",
    ),
]
Bound = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=65535, description="an end of a range is 0 to 65535; it goes with ListenerPort=0."
    ),
]
IdleTimeout = Annotated[
    int,
    msgspec.Meta(ge=1, le=900, description="it is 1 to 900 seconds without a packet."),
]
# Seconds without a packet after which a flow ends, where nobody says.
_IDLE = {"TCP": 900, "UDP": 60}
NoLimit = Annotated[int, msgspec.Meta(ge=0, le=0, description="only 0, which is no limit.")]


class ListenerIdAnswer(Answer):
    listener_id: str
    job_id: str


class _About(Answer):
    listener_id: str
    listener_port: int
    start_port: str | msgspec.UnsetType
    end_port: str | msgspec.UnsetType
    listener_protocol: str
    listener_status: str
    listener_description: str
    load_balancer_id: str
    server_group_id: str
    idle_timeout: int
    proxy_protocol_enabled: bool
    sec_sensor_enabled: bool
    cps: int
    region_id: str


class ListenerAnswer(_About):
    tags: list[balancing.TagShown]


class ListedListener(_About):
    tags: list[TagAnswer]


class ListenersAnswer(Answer):
    listeners: list[ListedListener]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(
    NLB, writes=True, resource=("loadbalancer/{load_balancer_id}", "servergroup/{server_group_id}")
)
def create_listener(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    listener_protocol: Protocol,
    listener_port: Port,
    start_port: Bound | None = None,
    end_port: Bound | None = None,
    server_group_id: str,
    listener_description: Description = "",
    idle_timeout: IdleTimeout | None = None,
    proxy_protocol_enabled: NotSo | None = None,
    sec_sensor_enabled: NotSo | None = None,
    cps: NoLimit | None = None,
    tag: Tags = (),
) -> ListenerIdAnswer:
    """Create a listener: ports of the load balancer and the servers behind them.

    TCP and UDP have their ports apart: the same one may be in use on both. A range of ports needs a
    server group with AnyPortEnabled. Without `IdleTimeout` a flow ends after 900 seconds of silence
    on TCP, 60 on UDP.
    """
    first, last = _ports(listener_port, start_port, end_port)
    listener = Listener(
        id=ListenerId(new_id("lsn")),
        account_id=call.account_id,
        balancer_id=ours.balancer(call, load_balancer_id).id,
        protocol=listener_protocol,
        first=first,
        last=last,
        group_id=ours.server_group(call, server_group_id).id,
        created_at=call.now,
        description=listener_description,
        idle=idle_timeout or 0,
    )
    _refuse_misfit(call, listener)
    _refuse_overlap(call, listener)
    balancers.add_listener(call.tx, listener)
    LABELS.attach(call, LISTENER, listener.id, tag)
    return ListenerIdAnswer(listener_id=listener.id, job_id=jobs.begun(call))


@action(NLB, resource="listener/{listener_id}")
def get_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> ListenerAnswer:
    """Show a listener. It is Running, or Stopped, once the nodes know it."""
    listener = ours.listener(call, listener_id)
    tags = balancing.tags(call, [listener.id])[listener.id]
    return ListenerAnswer(**_fields(call, listener), tags=tags)


@action(NLB, resource="listener/*")
def list_listeners(
    call: Call,
    *,
    region_id: RegionId | None = None,
    listener_ids: Strings = (),
    load_balancer_ids: Strings = (),
    listener_protocol: str | None = None,
    sec_sensor_enabled: NotSo | None = None,
    tag: Tags = (),
    max_results: MaxResults = 20,
    next_token: NextToken = "",
) -> ListenersAnswer:
    """List the listeners of your load balancers. All filters given must match."""
    tagged = LABELS.matching(call, LISTENER, tag)
    ids = {each.id for each in balancers.of_account(call.tx, call.account_id, ResourceType.NLB)}
    found = [
        listener
        for listener in balancers.listeners_of_account(call.tx, call.account_id)
        if listener.balancer_id in ids
        and (not listener_ids or listener.id in listener_ids)
        and (not load_balancer_ids or listener.balancer_id in load_balancer_ids)
        and listener_protocol in (None, listener.protocol)
        and (tagged is None or listener.id in tagged)
    ]
    page, following = by_token(
        found, lambda each: f"{each.created_at} {each.id}", max_results, next_token
    )
    tags = tagging.shown(call, [listener.id for listener in page])
    return ListenersAnswer(
        listeners=[ListedListener(**_fields(call, each), tags=tags[each.id]) for each in page],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(NLB, writes=True, resource=("listener/{listener_id}", "servergroup/{server_group_id}"))
def update_listener_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    listener_id: str,
    server_group_id: str | None = None,
    listener_description: Description | None = None,
    idle_timeout: IdleTimeout | None = None,
    proxy_protocol_enabled: NotSo | None = None,
    sec_sensor_enabled: NotSo | None = None,
    cps: NoLimit | None = None,
) -> jobs.JobAnswer:
    """Change what is given of a listener. New flows go to the new servers, running ones stay."""
    listener = ours.listener(call, listener_id)
    if server_group_id is not None:
        group = ours.server_group(call, server_group_id)
        listener = msgspec.structs.replace(listener, group_id=group.id)
        _refuse_misfit(call, listener)
    if listener_description is not None:
        listener = msgspec.structs.replace(listener, description=listener_description)
    if idle_timeout is not None:
        listener = msgspec.structs.replace(listener, idle=idle_timeout)
    balancers.change_listener(call.tx, listener)
    return jobs.JobAnswer(job_id=jobs.begun(call))


@action(NLB, writes=True, resource="listener/{listener_id}")
def start_listener(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> jobs.JobAnswer:
    """Let a listener take new flows again."""
    return _switch(call, listener_id, started=True)


@action(NLB, writes=True, resource="listener/{listener_id}")
def stop_listener(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> jobs.JobAnswer:
    """Stop a listener: its port takes no new flows, running ones go on."""
    return _switch(call, listener_id, started=False)


@action(NLB, writes=True, resource="listener/{listener_id}")
def delete_listener(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> jobs.JobAnswer:
    """Delete a listener: its port takes no new flows."""
    balancers.delete_listener(call.tx, ours.listener(call, listener_id))
    return jobs.JobAnswer(job_id=jobs.begun(call))


def _switch(call: Call, listener_id: str, *, started: bool) -> jobs.JobAnswer:
    listener = ours.listener(call, listener_id)
    balancers.change_listener(call.tx, msgspec.structs.replace(listener, started=started))
    return jobs.JobAnswer(job_id=jobs.begun(call))


def _ports(port: int, start: int | None, end: int | None) -> tuple[int, int]:
    """The first and the last port that a caller means."""
    given = {"StartPort": start, "EndPort": end}
    for name, value in given.items():
        if port == 0 and value is None:
            why = "ListenerPort=0 means a range, which has a StartPort and an EndPort."
            raise errors.NeededParameter(parameter=name, why=why)
        if port != 0 and value is not None:
            why = f"'{value}' was given, which goes with ListenerPort=0 alone. Leave it out."
            raise NLB.invalid(parameter=name, why=why)
    if start is None or end is None:
        return port, port
    if start >= end:
        why = f"'{end}' was given, and it must be greater than StartPort, {start}."
        raise NLB.invalid(parameter="EndPort", why=why)
    return start, end


def _refuse_misfit(call: Call, listener: Listener) -> None:
    """Refuse a listener whose server group cannot stand behind it."""
    balancer = ours.balancer(call, listener.balancer_id)
    group = ours.server_group(call, listener.group_id)
    if balancer.vpc_id != group.vpc_id:
        raise errors.MismatchVpc(
            first=balancer.id,
            first_vpc=balancer.vpc_id,
            second=group.id,
            second_vpc=group.vpc_id,
        )
    if not listening.takes(group, listener.protocol):
        raise errors.MismatchProtocol(
            group_id=group.id, group_protocol=group.protocol, protocol=listener.protocol
        )
    if listener.first < listener.last and not group.any_port:
        ports = listening.ports(listener.first, listener.last)
        raise errors.MismatchAnyPort(ports=ports, group_id=group.id)


def _refuse_overlap(call: Call, listener: Listener) -> None:
    """Refuse a listener too many, and one on a port that another one of its balancer has."""
    present = balancers.listeners(call.tx, [listener.balancer_id])
    other = listening.in_the_way(present, listener.protocol, listener.first, listener.last)
    if other is not None:
        raise errors.ListenerAlreadyExist(
            load_balancer_id=listener.balancer_id,
            protocol=other.protocol,
            port=listening.ports(other.first, other.last),
            listener_id=other.id,
        )
    limits.check(call, quotas.LISTENERS_PER_BALANCER, len(present), listener.balancer_id)


def _fields(call: Call, listener: Listener) -> dict[str, Any]:
    ranged = listener.first < listener.last
    about = _About(
        listener_id=listener.id,
        listener_port=0 if ranged else listener.first,
        start_port=str(listener.first) if ranged else msgspec.UNSET,
        end_port=str(listener.last) if ranged else msgspec.UNSET,
        listener_protocol=listener.protocol,
        listener_status=_status(call, listener),
        listener_description=listener.description,
        load_balancer_id=listener.balancer_id,
        server_group_id=listener.group_id,
        idle_timeout=listener.idle or _IDLE[listener.protocol],
        proxy_protocol_enabled=False,
        sec_sensor_enabled=False,
        cps=0,  # no limit
        region_id=call.config.region,
    )
    return msgspec.structs.asdict(about)


def _status(call: Call, listener: Listener) -> str:
    ready = balancing.known_to_nodes(call, listener.balancer_id)
    if listener.started:
        return "Running" if ready else "Provisioning"
    return "Stopped" if ready else "Stopping"


ACTIONS = (
    create_listener,
    get_listener_attribute,
    list_listeners,
    update_listener_attribute,
    start_listener,
    stop_listener,
    delete_listener,
)
