"""Who may be DualStack: a service whose resources all are, and an endpoint of such a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from privlink import errors
from privlink.api import enis
from privlink.api.action import Call
from privlink.api.wire import Wire
from privlink.model.balancer import LoadBalancer
from privlink.model.network import IpVersion, Vpc, VSwitch
from privlink.model.privatelink import Endpoint, EndpointService, ResourceType
from privlink.store import balancers, endpoints, members, networks, services

SupportIpv6 = Annotated[bool | None, Wire("ServiceSupportIPv6")]  # AddressIpVersion's older name
_ONLY_NLBS = (
    "only NLBs have IPv6. Create one with ServiceResourceType=nlb, or use AddressIpVersion=IPv4."
)


def asked(version: IpVersion | None, support_ipv6: bool | None) -> IpVersion | None:
    """What a caller asks of a service under either name. Refuses two that differ."""
    if support_ipv6 is None:
        return version
    older = IpVersion.DUAL_STACK if support_ipv6 else IpVersion.IPV4
    if version not in (None, older):
        why = f"it says {older}, and AddressIpVersion {version}; the latter is enough."
        raise errors.IllegalParamFormat(parameter="ServiceSupportIPv6", why=why)
    return older


def check_new_service(service: EndpointService) -> None:
    """Refuse a DualStack service on what has IPv4 addresses only."""
    if service.ip_version is IpVersion.DUAL_STACK and service.resource_type is not ResourceType.NLB:
        what = f"A service on {service.resource_type}"
        raise errors.EndpointServiceNotSupportIpv6(what=what, why=_ONLY_NLBS)


def of_service(call: Call, service: EndpointService, wanted: IpVersion | None) -> IpVersion:
    """The version that a service has from now on. Refuses to take IPv6 away from one."""
    if wanted in (None, service.ip_version):
        return service.ip_version
    if wanted is IpVersion.IPV4:
        raise errors.EndpointServiceDowngradeNotAllowed(service_id=service.id)
    if service.resource_type is not ResourceType.NLB:
        what = f"{service.id} on {service.resource_type}"
        raise errors.ServiceResourceNotSupportIpv6(what=what, why=_ONLY_NLBS)
    resources = balancers.by_ids(call.tx, services.resource_ids(call.tx, service.id))
    refuse_lacking(service, resources, errors.ServiceResourceNotSupportIpv6)
    return IpVersion.DUAL_STACK


def refuse_lacking(
    service: EndpointService,
    resources: Iterable[LoadBalancer],
    refusal: type[errors.EndpointServiceNotSupportIpv6],
) -> None:
    """Refuse resources of a DualStack service that have IPv4 addresses only."""
    if lacking := [each.id for each in resources if each.ip_version is IpVersion.IPV4]:
        why = "its load balancers must be created with AddressIpVersion=DualStack, all of them."
        raise refusal(what=f"{service.id} on {', '.join(sorted(lacking))}", why=why)


def check_endpoint(service: EndpointService, vpc: Vpc, wanted: IpVersion) -> None:
    """Refuse a DualStack endpoint to a service, or in a VPC, without IPv6."""
    if wanted is IpVersion.IPV4:
        return
    if service.ip_version is IpVersion.IPV4:
        why = "the service is IPv4. Use AddressIpVersion=IPv4, or ask its owner for DualStack."
        raise errors.EndpointServiceNotSupportIpv6(what=f"An endpoint of {service.id}", why=why)
    if not vpc.cidr6:
        raise errors.VpcNotSupportIpv6(vpc_id=vpc.id)


def change_zones(call: Call, endpoint: Endpoint, wanted: IpVersion) -> None:
    """Give the zones of an endpoint IPv6 addresses, or take those away. Its service is there."""
    if wanted is endpoint.ip_version:
        return
    service = services.get(call.tx, endpoint.service_id)
    assert service is not None, endpoint
    check_endpoint(service, networks.vpc_by_id(call.tx, endpoint.vpc_id), wanted)
    zones = [zone for zone in endpoints.zones(call.tx, endpoint.id) if not zone.deleting]
    vswitches = networks.vswitches_by_ids(call.tx, {zone.vswitch_id for zone in zones})
    members.touch_of(call.tx, endpoint.id)
    for zone in zones:
        chosen = None
        if wanted is IpVersion.DUAL_STACK:
            chosen = enis.choose6(call, vswitches[zone.vswitch_id])
        networks.set_address6(call.tx, zone.eni_id, chosen)
        endpoints.touch_address(call.tx, zone)


def address6(call: Call, endpoint: Endpoint, vswitch: VSwitch, given: str | None) -> str | None:
    """The IPv6 address of an endpoint's new zone, None if it is an IPv4 one."""
    if endpoint.ip_version is IpVersion.DUAL_STACK:
        return enis.choose6(call, vswitch, given)
    if given:
        why = f"{given!r} was given; it goes with AddressIpVersion=DualStack of the endpoint."
        raise errors.IllegalParamFormat(parameter="Ipv6Address", why=why)
    return None
