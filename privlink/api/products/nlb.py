"""NLB 2022-04-30: load balancers, listeners, server groups."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import enis
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.products.vpc import check_zone
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import (
    GroupServer,
    Listener,
    LoadBalancer,
    LoadBalancerZone,
    ServerGroup,
)
from privlink.model.ids import ListenerId, LoadBalancerId, ServerGroupId, ZoneId, new_id
from privlink.model.network import EniOwner, Vpc
from privlink.rules import addresses
from privlink.store import balancers, changes, networks, nodes, rows

Name = Annotated[str, msgspec.Meta(max_length=128, description="a name has up to 128 characters.")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
Weight = Annotated[int, msgspec.Meta(ge=0, le=100, description="a weight is 0 to 100.")]
AddressType = Annotated[
    Literal["Intranet"],
    msgspec.Meta(description="only Intranet: there are no public addresses here."),
]
Protocol = Annotated[Literal["TCP"], msgspec.Meta(description="only TCP so far.")]


class ZoneMapping(Fields, frozen=True):
    """Where a load balancer has an address."""

    zone_id: str
    vswitch_id: str
    private_ipv4_address: str | None = msgspec.field(name="PrivateIPv4Address", default=None)


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


class CreateLoadBalancerAnswer(Answer):
    loadbalancer_id: str  # spelt with a small b, unlike everywhere else


class LoadBalancerAddress(Answer):
    eni_id: str
    private_ipv4_address: str = msgspec.field(name="PrivateIPv4Address")


class ZoneMappingAnswer(Answer):
    zone_id: str
    vswitch_id: str
    status: str
    load_balancer_addresses: list[LoadBalancerAddress]


class LoadBalancerAnswer(Answer):
    load_balancer_id: str
    load_balancer_name: str
    load_balancer_status: str
    load_balancer_business_status: str
    load_balancer_type: str
    address_type: str
    address_ip_version: str
    cross_zone_enabled: bool
    region_id: str
    vpc_id: str
    create_time: str
    zone_mappings: list[ZoneMappingAnswer]


class ServerGroupAnswer(Answer):
    server_group_id: str


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


@action(NLB, writes=True)
def create_load_balancer(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    zone_mappings: Annotated[tuple[ZoneMapping, ...], msgspec.Meta(min_length=1, max_length=10)],
    address_type: AddressType,
    address_ip_version: Literal["ipv4"] = "ipv4",
    load_balancer_type: Literal["network"] = "network",
    load_balancer_name: Name = "",
) -> CreateLoadBalancerAnswer:
    """Create a load balancer with one address in each zone given."""
    vpc = _our_vpc(call, vpc_id)
    balancer = LoadBalancer(
        id=LoadBalancerId(new_id("nlb")),
        number=rows.next_number(call.tx, "load balancer"),
        account_id=call.account_id,
        vpc_id=vpc.id,
        address_type=address_type,
        name=load_balancer_name,
        created_at=call.now,
    )
    places = [_place(call, balancer, mapping) for mapping in zone_mappings]
    if len({place.zone_id for place in places}) < len(places):
        raise errors.InvalidParameter(parameter="ZoneMappings", why="a zone is given twice.")
    balancers.add(call.tx, balancer, places)
    return CreateLoadBalancerAnswer(loadbalancer_id=balancer.id)


@action(NLB)
def get_load_balancer_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> LoadBalancerAnswer:
    """Show a load balancer. It is Active once the nodes know it."""
    balancer = _our_balancer(call, load_balancer_id)
    ready = _known_to_nodes(call, balancer.id)
    return LoadBalancerAnswer(
        load_balancer_id=balancer.id,
        load_balancer_name=balancer.name,
        load_balancer_status="Active" if ready else "Provisioning",
        load_balancer_business_status="Normal",
        load_balancer_type="Network",
        address_type=balancer.address_type,
        address_ip_version="ipv4",
        cross_zone_enabled=True,  # every zone's flows go to all servers
        region_id=call.config.region,
        vpc_id=balancer.vpc_id,
        create_time=balancer.created_at,
        zone_mappings=[
            _zone_answer(call, place, ready) for place in balancers.zones(call.tx, balancer.id)
        ],
    )


@action(NLB, writes=True)
def delete_load_balancer(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> Answer:
    """Delete a load balancer, its listeners with it, that no endpoint service uses."""
    balancer = _our_balancer(call, load_balancer_id)
    if services := balancers.services_on(call.tx, balancer.id):
        raise errors.DependencyViolation(
            resource=balancer.id, dependants=f"endpoint services {', '.join(services)}"
        )
    balancers.delete_balancer(call.tx, balancer.id)
    return Answer()


@action(NLB, writes=True)
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
        vpc_id=_our_vpc(call, vpc_id).id,
        protocol=protocol,
        type=server_group_type,
        name=server_group_name,
        created_at=call.now,
    )
    balancers.add_group(call.tx, group)
    return ServerGroupAnswer(server_group_id=group.id)


@action(NLB, writes=True)
def add_servers_to_server_group(
    call: Call,
    *,
    region_id: RegionId | None = None,
    server_group_id: str,
    servers: Annotated[tuple[Server, ...], msgspec.Meta(min_length=1, max_length=40)],
) -> ServerGroupAnswer:
    """Add servers to a server group; new flows reach them at once."""
    group = _our_group(call, server_group_id)
    present = {(s.address, s.port) for s in balancers.servers(call.tx, [group.id])}
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


@action(NLB, writes=True)
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
    balancer, group = _our_balancer(call, load_balancer_id), _our_group(call, server_group_id)
    if balancer.vpc_id != group.vpc_id:
        raise errors.MismatchVpc(
            first=balancer.id,
            first_vpc=balancer.vpc_id,
            second=group.id,
            second_vpc=group.vpc_id,
        )
    for present in balancers.listeners(call.tx, [balancer.id]):
        if (present.protocol, present.port) == (listener_protocol, listener_port):
            raise errors.ListenerAlreadyExist(
                load_balancer_id=balancer.id,
                protocol=listener_protocol,
                port=listener_port,
                listener_id=present.id,
            )
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


@action(NLB)
def get_listener_attribute(
    call: Call, *, region_id: RegionId | None = None, listener_id: str
) -> ListenerAnswer:
    """Show a listener. It is Running once the nodes know it."""
    listener = balancers.get_listener(call.tx, call.account_id, listener_id)
    if listener is None:
        raise errors.ListenerNotFound(listener_id=listener_id)
    ready = _known_to_nodes(call, listener.balancer_id)
    return ListenerAnswer(
        listener_id=listener.id,
        listener_port=listener.port,
        listener_protocol=listener.protocol,
        listener_status="Running" if ready else "Provisioning",
        load_balancer_id=listener.balancer_id,
        server_group_id=listener.group_id,
        region_id=call.config.region,
    )


def _our_vpc(call: Call, vpc_id: str) -> Vpc:
    vpc = networks.get_vpc(call.tx, call.account_id, vpc_id)
    if vpc is None:
        raise errors.InvalidVpcIdNotFound(vpc_id=vpc_id)
    return vpc


def _our_balancer(call: Call, balancer_id: str) -> LoadBalancer:
    balancer = balancers.get(call.tx, call.account_id, balancer_id)
    if balancer is None:
        raise errors.LoadBalancerNotFoundNlb(load_balancer_id=balancer_id)
    return balancer


def _our_group(call: Call, group_id: str) -> ServerGroup:
    group = balancers.get_group(call.tx, call.account_id, group_id)
    if group is None:
        raise errors.ServerGroupNotFound(server_group_id=group_id)
    return group


def _place(call: Call, balancer: LoadBalancer, mapping: ZoneMapping) -> LoadBalancerZone:
    check_zone(call, mapping.zone_id)
    vswitch = networks.get_vswitch(call.tx, call.account_id, mapping.vswitch_id)
    if vswitch is None or vswitch.vpc_id != balancer.vpc_id or vswitch.zone_id != mapping.zone_id:
        where = f"in {balancer.vpc_id}, zone {mapping.zone_id}"
        raise errors.VSwitchNotFound(vswitch_id=mapping.vswitch_id, where=where)
    wanted = mapping.private_ipv4_address
    eni = enis.take(call, vswitch, wanted, EniOwner.BALANCER, balancer.id)
    return LoadBalancerZone(balancer.id, ZoneId(mapping.zone_id), vswitch.id, eni.id)


def _server_address(call: Call, group: ServerGroup, server: Server) -> int:
    vpc = networks.vpc_by_id(call.tx, group.vpc_id)

    def refused(why: str) -> errors.ApiError:
        return errors.ServerNotInVpc(server_id=server.server_id, vpc_id=vpc.id, why=why)

    if server.server_type == "Eni":
        attachment = networks.attachment_of(call.tx, server.server_id)
        if attachment is None or attachment.account_id != call.account_id:
            raise refused("no attachment of this account has that ENI.")
        eni = networks.get_eni(call.tx, attachment.eni_id)
        if eni.vpc_id != vpc.id:
            raise refused(f"that ENI lies in {eni.vpc_id}.")
        return eni.address
    try:
        address = IPv4Address(server.server_id)
    except AddressValueError:
        raise refused("for ServerType Ip, ServerId is an IPv4 address.") from None
    if address not in IPv4Network(vpc.cidr):
        raise refused(f"it lies outside {vpc.cidr}.")
    return int(address)


def _known_to_nodes(call: Call, balancer_id: LoadBalancerId) -> bool:
    key = changes.balancer_key(balancer_id)
    return nodes.in_step(call.tx).confirms(key, changes.changed_at(call.tx, [key])[key])


def _zone_answer(call: Call, place: LoadBalancerZone, ready: bool) -> ZoneMappingAnswer:
    eni = networks.get_eni(call.tx, place.eni_id)
    address = LoadBalancerAddress(eni_id=eni.id, private_ipv4_address=addresses.text(eni.address))
    return ZoneMappingAnswer(
        zone_id=place.zone_id,
        vswitch_id=place.vswitch_id,
        status="Active" if ready else "Provisioning",
        load_balancer_addresses=[address],
    )


ACTIONS = (
    create_load_balancer,
    get_load_balancer_attribute,
    delete_load_balancer,
    create_server_group,
    add_servers_to_server_group,
    create_listener,
    get_listener_attribute,
)
