"""What the calling account owns, by id. What a stranger owns is not found, as if it were not."""

from __future__ import annotations

from collections.abc import Sequence

from privlink import errors
from privlink.api.action import Call
from privlink.model.balancer import Listener, LoadBalancer, ServerGroup, default_group
from privlink.model.gateway import GatewayEndpoint
from privlink.model.nat import FullNatEntry, NatGateway, NatIp
from privlink.model.network import Attachment, Eni, RouteTable, Vpc, VSwitch
from privlink.model.privatelink import Endpoint, EndpointService, ResourceType
from privlink.model.security import PrefixList, PrefixListUse, SecurityGroup
from privlink.rules import names
from privlink.store import (
    balancers,
    endpoints,
    gateways,
    interfaces,
    nat_gateways,
    networks,
    prefix_lists,
    route_tables,
    security,
    services,
)


def vpc(
    call: Call, vpc_id: str, refusal: type[errors.ApiError] = errors.InvalidVpcIdNotFound
) -> Vpc:
    """A VPC. Raises the product's refusal."""
    found = networks.get_vpc(call.tx, call.account_id, vpc_id)
    if found is None:
        raise refusal(vpc_id=vpc_id)
    return found


def vswitch(call: Call, vswitch_id: str) -> VSwitch:
    """A vSwitch. Raises InvalidVSwitchIdNotFound."""
    found = networks.get_vswitch(call.tx, call.account_id, vswitch_id)
    if found is None:
        raise errors.InvalidVSwitchIdNotFound(vswitch_id=vswitch_id)
    return found


def vswitch_in(call: Call, vswitch_id: str, vpc_id: str, zone_id: str) -> VSwitch:
    """A vSwitch of one VPC and zone. Raises VSwitchNotFound."""
    found = networks.get_vswitch(call.tx, call.account_id, vswitch_id)
    if found is None or found.vpc_id != vpc_id or found.zone_id != zone_id:
        where = f"in {vpc_id}, zone {zone_id}"
        raise errors.VSwitchNotFound(vswitch_id=vswitch_id, where=where)
    return found


def route_table(call: Call, table_id: str) -> RouteTable:
    """A route table. Raises InvalidRouteTableIdNotFound."""
    found = route_tables.get(call.tx, call.account_id, table_id)
    if found is None:
        raise errors.InvalidRouteTableIdNotFound(table_id=table_id)
    return found


def nat_gateway(call: Call, gateway_id: str) -> NatGateway:
    """A NAT gateway. Raises InvalidNatGatewayIdNotFound."""
    found = nat_gateways.get(call.tx, call.account_id, gateway_id)
    if found is None:
        raise errors.InvalidNatGatewayIdNotFound(gateway_id=gateway_id)
    return found


def gateway_of_table(call: Call, table_id: str) -> NatGateway:
    """The NAT gateway that has a full-NAT table. Raises InvalidFullNatTableIdNotFound."""
    gateway_id = names.gateway_of_table(table_id)
    found = nat_gateways.get(call.tx, call.account_id, gateway_id)
    if found is None:
        raise errors.InvalidFullNatTableIdNotFound(table_id=table_id)
    return found


def nat_ip(call: Call, nat_ip_id: str) -> NatIp:
    """An address of a NAT gateway. Raises InvalidNatIpIdNotFound."""
    found = nat_gateways.get_ip(call.tx, nat_ip_id)
    if found is None or nat_gateways.get(call.tx, call.account_id, found.gateway_id) is None:
        raise errors.InvalidNatIpIdNotFound(nat_ip_id=nat_ip_id)
    return found


def full_nat_entry(call: Call, gateway: NatGateway, entry_id: str) -> FullNatEntry:
    """An entry of a NAT gateway's table. Raises InvalidFullNatEntryIdNotFound."""
    found = nat_gateways.get_entry(call.tx, gateway.id, entry_id)
    if found is None:
        table_id = names.full_nat_table_id(gateway.id)
        raise errors.InvalidFullNatEntryIdNotFound(entry_id=entry_id, table_id=table_id)
    return found


def security_group(
    call: Call,
    group_id: str,
    refusal: type[errors.ApiError] = errors.InvalidSecurityGroupIdNotFound,
) -> SecurityGroup:
    """A security group. Raises the product's refusal."""
    found = security.get(call.tx, call.account_id, group_id)
    if found is None:
        raise refusal(group_id=group_id)
    return found


def security_groups_in(call: Call, group_ids: Sequence[str], vpc_id: str) -> list[SecurityGroup]:
    """Security groups of one VPC, without repetition.

    Raises SecurityGroupNotFound for the first that is not there.
    """
    found = []
    for group_id in dict.fromkeys(group_ids):
        group = security.get(call.tx, call.account_id, group_id)
        if group is None or group.vpc_id != vpc_id:
            raise errors.SecurityGroupNotFound(group_id=group_id, vpc_id=vpc_id)
        found.append(group)
    return found


def prefix_list(call: Call, list_id: str) -> PrefixList:
    """A prefix list for rules. Raises InvalidPrefixListIdNotFound."""
    found = prefix_lists.get(call.tx, call.account_id, list_id, PrefixListUse.RULES)
    if found is None:
        raise errors.InvalidPrefixListIdNotFound(list_id=list_id)
    return found


def vpc_prefix_list(call: Call, list_id: str) -> PrefixList:
    """A prefix list for routes. Raises VpcPrefixListNotFound, SystemPrefixList."""
    found = prefix_lists.get(call.tx, call.account_id, list_id, PrefixListUse.ROUTES)
    if found is None and (served := gateways.service_of_list(call.tx, list_id)):
        raise errors.SystemPrefixList(list_id=list_id, service=served.name)
    if found is None:
        raise errors.VpcPrefixListNotFound(list_id=list_id)
    return found


def readable_prefix_list(call: Call, list_id: str) -> PrefixList:
    """A prefix list for routes, or one of the system's. Raises VpcPrefixListNotFound."""
    if gateways.service_of_list(call.tx, list_id) is not None:
        (found,) = prefix_lists.by_ids(call.tx, [list_id])
        return found
    return vpc_prefix_list(call, list_id)


def eni(call: Call, eni_id: str) -> Eni:
    """A network interface in one of the account's VPCs. Raises InvalidEniIdNotFound."""
    found = interfaces.get(call.tx, call.account_id, eni_id)
    if found is None:
        raise errors.InvalidEniIdNotFound(eni_id=eni_id)
    return found


def attachment(call: Call, attachment_id: str) -> Attachment:
    """An attachment. Raises AttachmentNotFound."""
    found = networks.get_attachment(call.tx, call.account_id, attachment_id)
    if found is None:
        raise errors.AttachmentNotFound(attachment_id=attachment_id)
    return found


def balancer(call: Call, balancer_id: str) -> LoadBalancer:
    """An NLB. Raises LoadBalancerNotFoundNlb."""
    found = balancers.get(call.tx, call.account_id, balancer_id)
    if found is None or found.kind is not ResourceType.NLB:
        raise errors.LoadBalancerNotFoundNlb(load_balancer_id=balancer_id)
    return found


def clb(call: Call, balancer_id: str) -> LoadBalancer:
    """A CLB. Raises InvalidLoadBalancerIdNotFound."""
    found = balancers.get(call.tx, call.account_id, balancer_id)
    if found is None or found.kind is not ResourceType.SLB:
        raise errors.InvalidLoadBalancerIdNotFound(load_balancer_id=balancer_id)
    return found


def vserver_group(call: Call, group_id: str) -> ServerGroup:
    """A server group of a CLB, but its default one. Raises VServerGroupNotFound."""
    found = balancers.get_group(call.tx, call.account_id, group_id)
    if found is None or found.balancer_id is None or found.id == default_group(found.balancer_id):
        raise errors.VServerGroupNotFound(group_id=group_id)
    return found


def server_group(call: Call, group_id: str) -> ServerGroup:
    """A server group for NLBs. Raises ServerGroupNotFound."""
    found = balancers.get_group(call.tx, call.account_id, group_id)
    if found is None or found.balancer_id is not None:
        raise errors.ServerGroupNotFound(server_group_id=group_id)
    return found


def listener(call: Call, listener_id: str) -> Listener:
    """A listener of an NLB. Raises ListenerNotFound."""
    found = balancers.get_listener(call.tx, call.account_id, listener_id)
    (carrier,) = balancers.by_ids(call.tx, [found.balancer_id]) if found else (None,)
    if found is None or carrier is None or carrier.kind is not ResourceType.NLB:
        raise errors.ListenerNotFound(listener_id=listener_id)
    return found


def service(call: Call, service_id: str) -> EndpointService:
    """An endpoint service. Raises EndpointServiceNotFound."""
    found = services.get(call.tx, service_id)
    if found is None or found.account_id != call.account_id:
        raise errors.EndpointServiceNotFound(service=service_id)
    return found


def endpoint(call: Call, endpoint_id: str) -> Endpoint:
    """An endpoint. Raises EndpointNotFound."""
    found = endpoints.get(call.tx, endpoint_id)
    if found is None or found.account_id != call.account_id:
        raise errors.EndpointNotFound(endpoint_id=endpoint_id)
    return found


def gateway_endpoint(call: Call, endpoint_id: str) -> GatewayEndpoint:
    """A gateway endpoint. Raises GatewayEndpointNotFound."""
    found = gateways.get(call.tx, endpoint_id)
    if found is None or found.account_id != call.account_id:
        raise errors.GatewayEndpointNotFound(endpoint_id=endpoint_id)
    return found
