"""Full-NAT entries: ports of a NAT gateway that lead to targets behind reverse endpoints."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import doors, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import NextToken, by_token
from privlink.api.products.vpc.nat_ips import MaxResults100, UpTo20
from privlink.api.wire import Answer
from privlink.model.ids import FullNatEntryId, new_id
from privlink.model.items import Protocol
from privlink.model.nat import FullNatEntry, NatGateway, NatIp
from privlink.model.privatelink import EndpointZone
from privlink.rules import addresses, names, quotas
from privlink.store import endpoints, nat_gateways, networks, rows

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
# Where the search for a free port begins: below are those of well-known services.
_FIRST_FREE, _LAST = 1024, 65535


class CreateFullNatEntryAnswer(Answer):
    full_nat_entry_id: str


class EntryAnswer(Answer):
    full_nat_entry_id: str
    full_nat_table_id: str
    full_nat_entry_name: str
    full_nat_entry_description: str
    full_nat_entry_status: str
    ip_protocol: str
    nat_ip: str
    nat_ip_port: str
    network_interface_id: str
    access_ip: str | msgspec.UnsetType  # or:
    access_domain: str | msgspec.UnsetType
    domain_resolve: str | msgspec.UnsetType
    access_port: str
    creation_time: str
    network_interface_type: str = "Endpoint"


class EntriesAnswer(Answer):
    full_nat_entries: list[EntryAnswer]
    full_nat_table_id: str
    nat_gateway_id: str
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(VPC, writes=True, resource="fullnattable/{full_nat_table_id}")
def create_full_nat_entry(
    call: Call,
    *,
    region_id: RegionId,
    full_nat_table_id: str,
    ip_protocol: Protocol,
    nat_ip: str,
    network_interface_id: str,
    access_port: Port,
    access_ip: str | None = None,
    access_domain: str | None = None,
    nat_ip_port: Port | None = None,
    full_nat_entry_name: Name = "",
    full_nat_entry_description: Description = "",
) -> CreateFullNatEntryAnswer:
    """Let who calls NatIp:NatIpPort reach AccessIp:AccessPort behind a Reverse endpoint.

    NetworkInterfaceId is the endpoint's in one zone; its connection must be accepted. NatIpPort is
    a free one if it is left out. The entry is Available once a byte can pass, and Pending else:
    ListFullNatEntryStates says why. AccessDomain, in the place of AccessIp, is resolved by the DNS
    server that the endpoint's owner names (SetEndpointTargets), and followed.
    """
    gateway = ours.gateway_of_table(call, full_nat_table_id)
    if not gateway.private_link:
        raise errors.NatGatewayNotForPrivateLink(gateway_id=gateway.id)
    domain = _domain(access_ip, access_domain)
    if access_ip is None and not domain:
        raise errors.NeededParameter(parameter="AccessIp", why="which address is called?")
    present = nat_gateways.count_entries(call.tx, [gateway.id]).get(gateway.id, 0)
    limits.check(call, quotas.FULL_NAT_ENTRIES_PER_GATEWAY, present, gateway.id)
    zone, address = _zone(call, gateway, network_interface_id), _nat_ip(call, gateway, nat_ip)
    vpc_id = networks.get_eni(call.tx, zone.eni_id).vpc_id
    entry = FullNatEntry(
        id=FullNatEntryId(new_id("fullnat")),
        gateway_id=gateway.id,
        nat_ip_id=address.id,
        protocol=ip_protocol,
        port=_port(call, gateway, address, nat_ip, ip_protocol, nat_ip_port),
        balancer=rows.next_number(call.tx, "place"),
        endpoint_id=zone.endpoint_id,
        zone_id=zone.zone_id,
        eni_id=zone.eni_id,
        place=zone.number,
        target_vpc_id=vpc_id,
        domain=domain,
        target=_target(call, zone, access_ip) if access_ip is not None else "",
        target_port=access_port,
        name=full_nat_entry_name,
        description=full_nat_entry_description,
        created_at=call.now,
    )
    nat_gateways.add_entry(call.tx, entry)
    return CreateFullNatEntryAnswer(full_nat_entry_id=entry.id)


@action(VPC, resource="natgateway/{nat_gateway_id}")
def list_full_nat_entries(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str | None = None,
    full_nat_table_id: str | None = None,
    full_nat_entry_id: str | None = None,
    full_nat_entry_names: UpTo20 = (),
    ip_protocol: Protocol | None = None,
    nat_ip: str | None = None,
    nat_ip_port: Port | None = None,
    network_interface_ids: UpTo20 = (),
    max_results: MaxResults100 = 20,
    next_token: NextToken = "",
) -> EntriesAnswer:
    """List the full-NAT entries of a NAT gateway. All filters given must match.

    One is Pending while no byte can pass: ListFullNatEntryStates says why.
    """
    gateway = _gateway(call, nat_gateway_id, full_nat_table_id)
    address_of = _addresses(call, gateway)
    found = [
        entry
        for entry in nat_gateways.entries(call.tx, gateway.id)
        if full_nat_entry_id in (None, entry.id)
        and (not full_nat_entry_names or entry.name in full_nat_entry_names)
        and ip_protocol in (None, entry.protocol)
        and nat_ip in (None, address_of[entry.nat_ip_id])
        and nat_ip_port in (None, entry.port)
        and (not network_interface_ids or entry.eni_id in network_interface_ids)
    ]
    page, following = by_token(found, lambda entry: entry.id, max_results, next_token)
    shut, resolved = doors.why_shut(call, page), doors.resolved(call, page)
    table_id = names.full_nat_table_id(gateway.id)
    return EntriesAnswer(
        full_nat_entries=[
            EntryAnswer(
                full_nat_entry_id=entry.id,
                full_nat_table_id=table_id,
                full_nat_entry_name=entry.name,
                full_nat_entry_description=entry.description,
                full_nat_entry_status="Pending" if shut[entry.id] else "Available",
                ip_protocol=entry.protocol,
                nat_ip=address_of[entry.nat_ip_id],
                nat_ip_port=str(entry.port),
                network_interface_id=entry.eni_id,
                access_ip=entry.target or msgspec.UNSET,
                access_domain=entry.domain or msgspec.UNSET,
                domain_resolve=resolved[entry.id].addresses if entry.domain else msgspec.UNSET,
                access_port=str(entry.target_port),
                creation_time=entry.created_at,
            )
            for entry in page
        ],
        full_nat_table_id=table_id,
        nat_gateway_id=gateway.id,
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(VPC, writes=True, resource="fullnattable/{full_nat_table_id}")
def modify_full_nat_entry_attribute(
    call: Call,
    *,
    region_id: RegionId,
    full_nat_table_id: str,
    full_nat_entry_id: str,
    ip_protocol: Protocol | None = None,
    nat_ip: str | None = None,
    nat_ip_port: Port | None = None,
    network_interface_id: str | None = None,
    access_ip: str | None = None,
    access_domain: str | None = None,
    access_port: Port | None = None,
    full_nat_entry_name: Name | None = None,
    full_nat_entry_description: Description | None = None,
) -> Answer:
    """Change what is given of a full-NAT entry. Flows to where it led before end."""
    gateway = ours.gateway_of_table(call, full_nat_table_id)
    old = ours.full_nat_entry(call, gateway, full_nat_entry_id)
    domain = _domain(access_ip, access_domain)
    new = _moved(call, gateway, old, ip_protocol, nat_ip, nat_ip_port)
    if network_interface_id is not None and network_interface_id != old.eni_id:
        zone = _zone(call, gateway, network_interface_id)
        new = msgspec.structs.replace(
            new,
            endpoint_id=zone.endpoint_id,
            zone_id=zone.zone_id,
            eni_id=zone.eni_id,
            place=zone.number,
            target_vpc_id=networks.get_eni(call.tx, zone.eni_id).vpc_id,
        )
    else:
        zone = None
    new = _aimed(call, gateway, old, new, zone, access_ip, domain)
    given = {
        "target_port": access_port,
        "name": full_nat_entry_name,
        "description": full_nat_entry_description,
    }
    changed = {field: value for field, value in given.items() if value is not None}
    nat_gateways.change_entry(call.tx, old, msgspec.structs.replace(new, **changed))
    return Answer()


@action(VPC, writes=True, resource="fullnattable/{full_nat_table_id}")
def delete_full_nat_entry(
    call: Call, *, region_id: RegionId, full_nat_table_id: str, full_nat_entry_id: str
) -> Answer:
    """Delete a full-NAT entry; its flows end."""
    gateway = ours.gateway_of_table(call, full_nat_table_id)
    entry = ours.full_nat_entry(call, gateway, full_nat_entry_id)
    nat_gateways.delete_entry(call.tx, entry)
    return Answer()


def _gateway(call: Call, gateway_id: str | None, table_id: str | None) -> NatGateway:
    if gateway_id is None and table_id is None:
        raise errors.NeededParameter(
            parameter="NatGatewayId", why="give NatGatewayId or FullNatTableId."
        )
    if gateway_id is None:
        assert table_id is not None
        return ours.gateway_of_table(call, table_id)
    gateway = ours.nat_gateway(call, gateway_id)
    if table_id not in (None, names.full_nat_table_id(gateway.id)):
        raise errors.InvalidFullNatTableIdNotFound(table_id=table_id)
    return gateway


def _domain(access_ip: str | None, given: str | None) -> str:
    """A name in its one spelling; empty if none is given."""
    if given is None:
        return ""
    try:
        if access_ip is not None:
            raise ValueError("AccessIp is given too; give one of both.")
        return names.host_name(given)
    except ValueError as wrong:
        why = f"{given!r} was given; {wrong}"
        raise errors.InvalidParameter(parameter="AccessDomain", why=why) from None


def _addresses(call: Call, gateway: NatGateway) -> dict[str, str]:
    """The addresses of a gateway by the ids of its NAT IPs."""
    return {
        each.id: addresses.text(networks.get_eni(call.tx, each.eni_id).address)
        for each in nat_gateways.ips_of(call.tx, [gateway.id])[gateway.id]
    }


def _nat_ip(call: Call, gateway: NatGateway, address: str) -> NatIp:
    """The NAT IP of a gateway that has an address. Raises NatIpNotFound."""
    known = _addresses(call, gateway)
    for each in nat_gateways.ips_of(call.tx, [gateway.id])[gateway.id]:
        if known[each.id] == address:
            return each
    raise errors.NatIpNotFound(
        address=address, gateway_id=gateway.id, known=", ".join(known.values())
    )


def _zone(call: Call, gateway: NatGateway, eni_id: str) -> EndpointZone:
    """The zone of a Reverse endpoint behind a gateway. What is behind none of the caller's services
    is not found, as if it were not.

    Raises NetworkInterfaceNotAssociated, and NetworkInterfaceNotAccepted while it is not open.
    """
    zone = nat_gateways.zone_of_eni(call.tx, eni_id)
    endpoint = endpoints.get(call.tx, zone.endpoint_id) if zone else None
    served = nat_gateways.services_on(call.tx, gateway.id)
    if zone is None or endpoint is None or endpoint.service_id not in served:
        raise errors.NetworkInterfaceNotAssociated(eni_id=eni_id, gateway_id=gateway.id)
    if zone.opening is None:
        raise errors.NetworkInterfaceNotAccepted(eni_id=zone.eni_id, endpoint_id=endpoint.id)
    if zone.resource_id != gateway.id:
        raise errors.NetworkInterfaceNotAssociated(eni_id=eni_id, gateway_id=gateway.id)
    return zone


def _target(call: Call, zone: EndpointZone, given: str) -> str:
    """An address in the endpoint's VPC, in its one spelling."""
    vpc = networks.vpc_by_id(call.tx, networks.get_eni(call.tx, zone.eni_id).vpc_id)
    try:
        is_inside = IPv4Address(given) in IPv4Network(vpc.cidr)
    except AddressValueError:
        is_inside = False
    if not is_inside:
        why = f"{given!r} was given; it is an IPv4 address in the VPC of {zone.endpoint_id}."
        raise errors.InvalidParameter(parameter="AccessIp", why=why)
    return str(IPv4Address(given))


def _port(
    call: Call,
    gateway: NatGateway,
    nat_ip: NatIp,
    address: str,
    protocol: Protocol,
    wanted: int | None,
) -> int:
    """The wanted port of an address, or a free one. Raises NatIpPortTaken and NoFreeNatIpPort."""
    taken = nat_gateways.ports_taken(call.tx, nat_ip.id, protocol)
    if wanted is None:
        free = (port for port in range(_FIRST_FREE, _LAST + 1) if port not in taken)
        found = next(free, None)
        if found is None:
            raise errors.NoFreeNatIpPort(protocol=protocol, address=address)
        return found
    if wanted in taken:
        raise errors.NatIpPortTaken(
            protocol=protocol, port=wanted, address=address, gateway_id=gateway.id
        )
    return wanted


def _aimed(
    call: Call,
    gateway: NatGateway,
    old: FullNatEntry,
    new: FullNatEntry,
    zone: EndpointZone | None,
    access_ip: str | None,
    domain: str,
) -> FullNatEntry:
    """An entry with another target; `zone` is the one it moves to, in whose VPC that has to be."""
    if domain:
        return msgspec.structs.replace(new, domain=domain, target="")
    wanted = old.target if access_ip is None else access_ip
    if wanted == old.target and (zone is None or old.domain):
        return new
    zone = zone or _zone(call, gateway, old.eni_id)
    return msgspec.structs.replace(new, domain="", target=_target(call, zone, wanted))


def _moved(
    call: Call,
    gateway: NatGateway,
    entry: FullNatEntry,
    protocol: Protocol | None,
    address: str | None,
    port: int | None,
) -> FullNatEntry:
    """An entry at another address, protocol or port of its gateway."""
    address = address or _addresses(call, gateway)[entry.nat_ip_id]
    moved = msgspec.structs.replace(
        entry,
        nat_ip_id=_nat_ip(call, gateway, address).id,
        protocol=protocol or entry.protocol,
        port=port or entry.port,
    )
    place = (moved.nat_ip_id, moved.protocol, moved.port)
    if place != (entry.nat_ip_id, entry.protocol, entry.port):
        taken = nat_gateways.ports_taken(call.tx, moved.nat_ip_id, moved.protocol)
        if moved.port in taken:
            raise errors.NatIpPortTaken(
                protocol=moved.protocol, port=moved.port, address=address, gateway_id=gateway.id
            )
    return moved


ACTIONS = (
    create_full_nat_entry,
    list_full_nat_entries,
    modify_full_nat_entry_attribute,
    delete_full_nat_entry,
)
