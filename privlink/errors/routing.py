"""VPC: routes, what they lead to, and the prefix lists they name."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class DestinationMalformed(ApiError):
    code = "InvalidCidrBlock.Malformed"
    text = "DestinationCidrBlock {given!r} is not valid: {why}"


class DestinationNotRouted(ApiError):
    code = "InvalidCidrBlock"
    text = "DestinationCidrBlock {block} is not valid: {why}"


class DestinationInVSwitch(ApiError):
    code = "InvalidCidrBlock"
    text = (
        "DestinationCidrBlock {block} is the same as or inside {cidr} of {vswitch_id}: packets for "
        "it stay in the VPC. Give a block that is none of its vSwitches', or a larger one."
    )


class DestinationInVSwitch6(DestinationInVSwitch):
    code = "OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch"


class DestinationDuplicate(ApiError):
    code = "InvalidCIDRBlock.Duplicate"
    text = (
        "{table_id} has a route for {block} already: {entry_id}. Change that with ModifyRouteEntry."
    )


class PrefixListRouted(ApiError):
    code = "ResourceAlreadyAssociated.PrefixList"
    text = (
        "{table_id} has a route for {list_id} already: {entry_id}. Change that with "
        "ModifyRouteEntry."
    )


class DestinationOnPrefixList(ApiError):
    code = "OperationFailed.CidrConflictWithPrefixList"
    text = (
        "{block} is on {list_id}, for which {table_id} has a route: {entry_id}. Take it off the "
        "list, or delete that route."
    )


class VpcIpv6NotEnabled(ApiError):
    code = "OperationDenied.VpcIpv6NotEnabled"
    text = (
        "{destination} is IPv6 and VPC {vpc_id} has no IPv6 block. ModifyVpcAttribute with "
        "EnableIPv6=true gives it one."
    )


class NextHopNotFound(ApiError):
    code = "InvalidNextHop.NotFound"
    text = "{parameter} {hop_id!r} is NotFound: {where}"


class NatGatewayNotFound(ApiError):
    code = "InvalidNatGateway.NotFound"
    text = "{parameter} {hop_id!r} is NotFound in this account: it is the id of a NAT gateway."


class NextHopNotPermitted(ApiError):
    code = "InvalidNexthop"
    text = "{parameter} {hop_id} belongs to {owner}, which passes nothing on. Give an attachment's."


class NextHopElsewhere(ApiError):
    code = "INVALID_VPC_ID"
    text = "{parameter} {hop_id} is in {hop_vpc} and {table_id} of {vpc_id}: use one VPC's."


class NextHopWithoutIpv6(ApiError):
    code = "OperationFailed.NotSupportIPV6"
    text = (
        "{destination} is IPv6 and {hop_id} has no IPv6 address. Give one that has, or an IPv4 "
        "destination."
    )


class RouteEntryNotFound(ApiError):
    code = "InvalidRouteEntry.NotFound"
    text = "{wanted} is NotFound. DescribeRouteEntryList lists the routes of a table."


class SystemRouteEntry(ApiError):
    code = "OperationDenied"
    text = "{entry_id} is a system route, to {destination}: it is there as long as its vSwitch."


class GatewayEndpointRoute(ApiError):
    code = "OperationDenied.DeleteGatewayEndpointRoute"
    text = (
        "{entry_id} leads to gateway endpoint {endpoint_id}, which the system wrote it for. "
        "DissociateRouteTablesFromVpcGatewayEndpoint removes it."
    )


class RouteNamedTwice(ApiError):
    code = "ParamExclusive.RouteEntryIdAndRouteTableIdOrDestCidrBlock"
    text = (
        "Name the route by RouteEntryId or by RouteTableId and DestinationCidrBlock, not by both."
    )


class RouteEntryLimit(QuotaExceeded):
    code = "QuotaExceeded"


class RouteInVSwitch(ApiError):
    code = "RouterEntryConflict.Duplicated"
    text = (
        "{block} holds {destination}, which {entry_id} of {table_id} leads out of the VPC's "
        "vSwitches. Delete that route with DeleteRouteEntry, or choose another block."
    )


class DependencyViolationRouteEntry(DependencyViolation):
    code = "DependencyViolation.RouteEntry"
    text = "{resource} is still the next hop of {dependants}. Delete those with DeleteRouteEntry."


class RouteTableHasEndpoints(DependencyViolation):
    code = "DependencyViolation.RouteEntry"
    text = (
        "{resource} still has routes of {dependants}. "
        "DissociateRouteTablesFromVpcGatewayEndpoint removes them."
    )


class VpcPrefixListNotFound(ApiError):
    code = "ResourceNotFound.PrefixList"
    text = "Prefix list {list_id!r} is NotFound in this account. ListPrefixLists lists yours."


class VpcPrefixListInUse(DependencyViolation):
    code = "DependencyViolation.PrefixListRelation"
    text = "{resource} is still named by {dependants}. Delete those with DeleteRouteEntry."


class VpcPrefixListFull(ApiError):
    code = "OperationFailed.CidrCountExceedMaxCount"
    text = (
        "{count} entries are more than MaxEntries of the list, {most}. Remove some, or give a "
        "larger MaxEntries."
    )


class VpcPrefixMalformed(ApiError):
    code = "IllegalParam.CidrBlock"
    text = "{why}"


class VpcPrefixDuplicated(ApiError):
    code = "DuplicatedParam.CidrBlock"
    text = "{parameter} {cidr} is given twice, or to be both added and removed. Give it once."


class VpcPrefixListLimit(QuotaExceeded):
    code = "QuotaExceeded.PrefixListCount"
