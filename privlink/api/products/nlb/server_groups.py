"""Server groups: the servers that take a listener's flows."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, ours, tagging
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.paging import NextToken, by_token
from privlink.api.products.nlb import health_checks, jobs
from privlink.api.products.nlb.health_checks import HealthCheckConfig
from privlink.api.products.nlb.labels import GROUP, LABELS, MaxResults
from privlink.api.products.nlb.load_balancers import SPELT, VERSIONS, AddressIpVersion, Strings
from privlink.api.tagging import TagAnswer, Tags
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import HealthCheck, ServerGroup
from privlink.model.ids import ServerGroupId, new_id
from privlink.store import balancers

Protocol = Annotated[
    Literal["TCP", "UDP", "TCP_UDP"],
    msgspec.Meta(description="it is TCP, UDP or TCP_UDP, for listeners of either."),
]
AnyPort = Annotated[
    bool,
    msgspec.Meta(
        description="it is true (servers get flows on the port the client asked for) or false."
    ),
]
# Clients spell these with and without a capital, and get back what they gave.
Scheduler = Annotated[
    str,
    msgspec.Meta(
        pattern=r"(?i)^(wrr|rr|wlc|sch|tch)\Z",
        description="it is Wrr, Rr, Wlc, Sch or Tch. Qch is refused: privlink reads no QUIC ids.",
    ),
]
DrainTimeout = Annotated[
    int, msgspec.Meta(ge=0, le=900, description="it is 0 to 900 seconds; 0 ends flows at once.")
]
GroupType = Literal["Instance", "Ip"]
# Settings of the cloud that have one value here: what is true is taken, the rest is refused.
NotSo = Annotated[
    Literal["false", "False"], msgspec.Meta(description="only false: privlink does not do that.")
]


class ServerGroupAnswer(Answer):
    server_group_id: str
    job_id: str


class GroupAnswer(Answer):
    server_group_id: str
    server_group_name: str
    server_group_status: str
    server_group_type: str
    server_count: int
    protocol: str
    scheduler: str
    address_ip_version: str = msgspec.field(name="AddressIPVersion")
    any_port_enabled: bool
    connection_drain_enabled: bool
    connection_drain_timeout: int
    preserve_client_ip_enabled: bool
    health_check: health_checks.HealthCheckAnswer
    related_load_balancer_ids: list[str]
    region_id: str
    resource_group_id: str
    tags: list[TagAnswer]
    vpc_id: str


class GroupsAnswer(Answer):
    server_groups: list[GroupAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(NLB, writes=True, resource=("servergroup/*", "vpc:vpc/{vpc_id}"))
def create_server_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_name: Name,
    vpc_id: str,
    protocol: Protocol = "TCP",
    server_group_type: GroupType = "Instance",
    scheduler: Scheduler = "Wrr",
    address_ip_version: Annotated[AddressIpVersion, Wire("AddressIPVersion")] = "ipv4",
    health_check_config: HealthCheckConfig | None = None,
    connection_drain_enabled: bool = False,
    connection_drain_timeout: DrainTimeout = 300,
    preserve_client_ip_enabled: NotSo | None = None,
    any_port_enabled: AnyPort = False,
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> ServerGroupAnswer:
    """Create a server group.

    One of DualStack takes servers with IPv6 addresses as well. A server gets flows of its address's
    own family: nothing is translated between the two.

    Rr is Wrr with all weights equal. With `ConnectionDrainEnabled`, a server that is taken out
    keeps its flows for `ConnectionDrainTimeout` seconds.
    """
    group = ServerGroup(
        id=ServerGroupId(new_id("sgp")),
        account_id=call.account_id,
        vpc_id=ours.vpc(call, vpc_id).id,
        protocol=protocol,
        type=server_group_type,
        name=server_group_name,
        created_at=call.now,
        ip_version=VERSIONS[address_ip_version.lower()],
        any_port=any_port_enabled,
        scheduler=scheduler,
        draining=connection_drain_enabled,
        drain_timeout=connection_drain_timeout,
    )
    health = health_checks.default(protocol, any_port=any_port_enabled)
    if health_check_config is not None:
        health = health_checks.changed(health, health_check_config, group)
    group = msgspec.structs.replace(group, health=health.text)
    balancers.add_group(call.tx, group)
    grouping.put(call, group.id, resource_group_id)
    LABELS.attach(call, GROUP, group.id, tag)
    return ServerGroupAnswer(server_group_id=group.id, job_id=jobs.begun(call))


@action(NLB, resource="servergroup/*")
def list_server_groups(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_ids: Strings = (),
    server_group_names: Strings = (),
    server_group_type: GroupType | None = None,
    vpc_id: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: MaxResults = 20,
    next_token: NextToken = "",
) -> GroupsAnswer:
    """List your server groups. All filters given must match."""
    tagged = LABELS.matching(call, GROUP, tag)
    candidates = [
        group
        for group in balancers.groups_of_account(call.tx, call.account_id)
        if (not server_group_ids or group.id in server_group_ids)
        and (not server_group_names or group.name in server_group_names)
        and server_group_type in (None, group.type)
        and vpc_id in (None, group.vpc_id)
        and (tagged is None or group.id in tagged)
    ]
    chosen = grouping.chosen(call, [group.id for group in candidates], resource_group_id)
    found = [group for group in candidates if group.id in chosen]
    page, following = by_token(
        found, lambda each: f"{each.created_at} {each.id}", max_results, next_token
    )
    return GroupsAnswer(
        server_groups=_shown(call, list(page)),
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(NLB, writes=True, resource="servergroup/{server_group_id}")
def update_server_group_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_id: str,
    server_group_name: Name | None = None,
    scheduler: Scheduler | None = None,
    health_check_config: HealthCheckConfig | None = None,
    connection_drain_enabled: bool | None = None,
    connection_drain_timeout: DrainTimeout | None = None,
    preserve_client_ip_enabled: NotSo | None = None,
) -> ServerGroupAnswer:
    """Change what is given of a server group. Its protocol, address versions and ports stay."""
    group = ours.server_group(call, server_group_id)
    if server_group_name is not None:
        group = msgspec.structs.replace(group, name=server_group_name)
        balancers.change_group(call.tx, group)
    wanted: dict[str, Any] = {
        "scheduler": scheduler,
        "draining": connection_drain_enabled,
        "drain_timeout": connection_drain_timeout,
    }
    if health_check_config is not None:
        health = health_checks.changed(HealthCheck.read(group.health), health_check_config, group)
        wanted["health"] = health.text
    given = {name: value for name, value in wanted.items() if value is not None}
    changed = msgspec.structs.replace(group, **given)
    if changed != group:
        balancers.set_balancing(call.tx, changed)
    return ServerGroupAnswer(server_group_id=group.id, job_id=jobs.begun(call))


@action(NLB, writes=True, resource="servergroup/{server_group_id}")
def delete_server_group(
    call: Call, *, region_id: RegionId | None = None, server_group_id: str
) -> jobs.JobAnswer:
    """Delete a server group that no listener uses; its servers are not touched."""
    group = ours.server_group(call, server_group_id)
    if users := balancers.listeners_using(call.tx, group.id):
        dependants = ", ".join(f"{each.id} of {each.balancer_id}" for each in users)
        raise errors.ServerGroupInUse(resource=group.id, dependants=dependants)
    balancers.delete_group(call.tx, group.id)
    return jobs.JobAnswer(job_id=jobs.begun(call))


def _shown(call: Call, page: list[ServerGroup]) -> list[GroupAnswer]:
    ids = [group.id for group in page]
    groups, tags = grouping.shown(call, ids), tagging.shown(call, ids)
    counts = Counter(server.group_id for server in balancers.servers(call.tx, ids))
    return [
        GroupAnswer(
            server_group_id=group.id,
            server_group_name=group.name,
            server_group_status="Available",
            server_group_type=group.type,
            server_count=counts[group.id],
            protocol=group.protocol,
            scheduler=group.scheduler,
            address_ip_version=SPELT[group.ip_version],
            any_port_enabled=group.any_port,
            connection_drain_enabled=group.draining,
            connection_drain_timeout=group.drain_timeout,
            preserve_client_ip_enabled=False,  # servers see an address of the endpoint
            health_check=health_checks.answer(HealthCheck.read(group.health)),
            related_load_balancer_ids=sorted(
                {each.balancer_id for each in balancers.listeners_using(call.tx, group.id)}
            ),
            region_id=call.config.region,
            resource_group_id=groups[group.id],
            tags=tags[group.id],
            vpc_id=group.vpc_id,
        )
        for group in page
    ]


ACTIONS = (
    create_server_group,
    list_server_groups,
    update_server_group_attribute,
    delete_server_group,
)
