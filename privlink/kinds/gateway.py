"""The gateway endpoint: routes of a VPC that lead to blocks of addresses in a provider's.

What it asks of the service, of its creation, and of a route table it is to be associated with.
Sources: VPC 2016-04-28 CreateVpcGatewayEndpoint, AssociateRouteTablesWithVpcGatewayEndpoint.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations

from privlink import errors
from privlink.model.gateway import GatewayService
from privlink.model.network import RouteEntry, RouteTable, Vpc, VSwitch
from privlink.rules import endpoint_policy, routing

MOST_BLOCKS = 50
LONGEST_NAME, LONGEST_DESCRIPTION = 128, 255
# Of endpoint services, which have their id in it.
_PRIVATELINK = "com.aliyuncs.privatelink."


def check_service_name(name: str) -> None:
    """Refuse a name that endpoint services have. Its letters are the declaration's to check."""
    if name.startswith(_PRIVATELINK):
        why = f"{name!r} was given; {_PRIVATELINK}... are the names of endpoint services."
        raise errors.InvalidParameter(parameter="Name", why=why)


def service_blocks(given: Sequence[str], vpc: Vpc) -> list[str]:
    """The blocks of a service in their canonical form: in its VPC, and apart from each other."""
    found = []
    for number, text in enumerate(given, start=1):
        parameter = f"CidrBlock.{number}"
        try:
            block = routing.parse(text)
        except ValueError as error:
            why = f"{text!r} was given: {error}"
            raise errors.InvalidParameter(parameter=parameter, why=why) from None
        inside = [each for each in (vpc.cidr, vpc.cidr6) if each and routing.is_within(block, each)]
        if not inside:
            blocks = " and ".join(each for each in (vpc.cidr, vpc.cidr6) if each)
            why = f"{block} does not lie in {vpc.id}, the vSwitch's VPC, which has {blocks}."
            raise errors.InvalidParameter(parameter=parameter, why=why)
        found.append(block)
    for (_, one), (number, other) in combinations(enumerate(found, start=1), 2):
        if _overlap(one, other):
            why = f"{other} overlaps {one}, which is given too. Give each address once."
            raise errors.InvalidParameter(parameter=f"CidrBlock.{number}", why=why)
    return found


def service_policy(supported: bool, document: str) -> str:
    """The default policy of a service: the one given, or the one that allows everything."""
    if not supported:
        if document:
            why = "a service without policies has no default one; give PolicySupported=true too."
            raise errors.InvalidParameter(parameter="DefaultPolicyDocument", why=why)
        return ""
    if document and (broken := endpoint_policy.problem(document)):
        raise errors.InvalidParameter(parameter="DefaultPolicyDocument", why=broken)
    return document or endpoint_policy.DEFAULT


def check_name(name: str) -> None:
    """Refuse a name that no gateway endpoint can have. An empty one is none."""
    if len(name) > LONGEST_NAME or name.startswith(("http://", "https://")):
        raise errors.IllegalGatewayEndpointName(given=name[:200], most=LONGEST_NAME)


def check_description(description: str) -> None:
    """The same for a description."""
    if len(description) > LONGEST_DESCRIPTION or description.startswith(("http://", "https://")):
        raise errors.IllegalGatewayEndpointDescription(
            given=description[:300], most=LONGEST_DESCRIPTION
        )


def endpoint_document(service: GatewayService, document: str) -> str:
    """The policy of an endpoint: one that may be kept where its service wants one, else none."""
    if not service.policies:
        if document:
            raise errors.PolicyDocumentDenied(service=service.name)
        return ""
    if not document:
        why = f"{service.name} supports policies, so its endpoints have one; its default is "
        raise errors.MissingParam(parameter="PolicyDocument", why=f"{why}{service.default_policy}")
    if broken := endpoint_policy.problem(document):
        raise errors.PolicyWrongFormat(why=broken)
    return document


def check_families(service: GatewayService, blocks: Sequence[str], vpc: Vpc) -> None:
    """Refuse a service that is IPv6 alone in a VPC without it."""
    if not vpc.cidr6 and all(":" in block for block in blocks):
        raise errors.GatewayVpcIpv6Disabled(service=service.name, vpc_id=vpc.id)


def check_overlap(blocks: Sequence[str], vpc: Vpc, vswitches: Sequence[VSwitch]) -> None:
    """Refuse blocks that share an address with the consumer's own VPC: packets stay there."""
    own: list[tuple[str, str]] = [
        (vswitch.id, each) for vswitch in vswitches for each in routing.local_blocks([vswitch])
    ]
    own += [(vpc.id, each) for each in (vpc.cidr, vpc.cidr6) if each]
    for block in blocks:
        for whose, other in own:
            if _overlap(block, other):
                raise errors.GatewayBlockOverlap(block=block, cidr=other, whose=whose)


def check_conflict(
    table: RouteTable,
    blocks: Sequence[str],
    entries: Sequence[RouteEntry],
    lists: Mapping[str, Sequence[str]],
) -> None:
    """Refuse a table that has a route for one of the blocks. `lists`: prefix lists by id."""
    for entry in entries:
        said = [entry.destination] if entry.destination else lists.get(entry.prefix_list_id, ())
        for block in blocks:
            if block in said:
                raise errors.GatewayRouteConflict(
                    table_id=table.id,
                    block=block,
                    entry_id=entry.id,
                    hop=f"{entry.hop_kind} {entry.hop_id}",
                )


def _overlap(one: str, other: str) -> bool:
    first, second = _network(one), _network(other)
    if isinstance(first, IPv4Network):
        return isinstance(second, IPv4Network) and first.overlaps(second)
    return isinstance(second, IPv6Network) and first.overlaps(second)


@functools.lru_cache(maxsize=4096)
def _network(block: str) -> IPv4Network | IPv6Network:
    return ip_network(block)
