"""VPC: networks and their subnets."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class VpcNotFound(ApiError):
    code = "VpcNotFound"
    text = "VPC {vpc_id!r} is NotFound in this account. DescribeVpcs lists yours."


class InvalidVpcIdNotFound(ApiError):
    code = "InvalidVpcId.NotFound"
    status = 404
    text = "VPC {vpc_id!r} is NotFound in this account. DescribeVpcs lists yours."


class VSwitchNotFound(ApiError):
    code = "VSwitchNotFound"
    text = "vSwitch {vswitch_id!r} is NotFound {where}. DescribeVSwitches lists yours."


class InvalidVSwitchIdNotFound(ApiError):
    code = "InvalidVSwitchId.NotFound"
    status = 404
    text = "vSwitch {vswitch_id!r} is NotFound in this account. DescribeVSwitches lists yours."


class InvalidRouteTableIdNotFound(ApiError):
    code = "InvalidRouteTableId.NotFound"
    status = 404
    text = (
        "Route table {table_id!r} is NotFound in this account. DescribeRouteTableList lists yours."
    )


class InvalidNatGatewayIdNotFound(ApiError):
    code = "InvalidNatGatewayId.NotFound"
    status = 404
    text = (
        "NAT gateway {gateway_id!r} is NotFound in this account. DescribeNatGateways lists yours."
    )


class InvalidNatIpIdNotFound(ApiError):
    code = "InvalidNatIpId.NotFound"
    status = 404
    text = "NAT IP {nat_ip_id!r} is NotFound in this account. ListNatIps lists those of a gateway."


class InvalidFullNatTableIdNotFound(ApiError):
    code = "InvalidFullNatTableId.NotFound"
    status = 404
    text = (
        "Full-NAT table {table_id!r} is NotFound in this account. GetNatGatewayAttribute shows "
        "the one of a NAT gateway."
    )


class InvalidFullNatEntryIdNotFound(ApiError):
    code = "InvalidFullNatEntryId.NotFound"
    status = 404
    text = "Full-NAT entry {entry_id!r} is NotFound in {table_id}. ListFullNatEntries lists them."


class NatIpNotFound(ApiError):
    code = "InvalidNatIp.NotFound"
    status = 404
    text = "NatIp {address!r} is no address of {gateway_id}. Its addresses: {known}."


class NatIpPortTaken(ApiError):
    code = "ResourceAlreadyExist.FullNatEntry"
    text = (
        "{protocol} port {port} of {address} is taken by another entry of {gateway_id}. Leave "
        "NatIpPort out to get a free one."
    )


class NoFreeNatIpPort(ApiError):
    code = "ResourceNotEnough.NatIpPort"
    text = (
        "Every {protocol} port of {address} from 1024 on is taken. CreateNatIp gives the NAT "
        "gateway another address."
    )


class NetworkInterfaceNotAssociated(ApiError):
    code = "InvalidNetworkInterfaceId.NotFound"
    status = 404
    text = (
        "NetworkInterfaceId {eni_id!r} is NotFound behind {gateway_id}: it takes that of a Reverse "
        "endpoint of a service that stands on this NAT gateway. "
        "DescribeNatGatewayAssociateNetworkInterfaces lists them."
    )


class NetworkInterfaceNotAccepted(ApiError):
    code = "IncorrectStatus.NetworkInterface"
    text = (
        "{eni_id} is of {endpoint_id}, whose connection is not accepted in this zone. "
        "EnableVpcEndpointConnection accepts it."
    )


class NatGatewayNotForPrivateLink(ApiError):
    code = "OperationUnsupported.FullNatEntry"
    text = (
        "{gateway_id} was created without PrivateLinkEnabled=true, so no endpoint can be behind "
        "it. Create another one with it."
    )


class DefaultNatIp(ApiError):
    code = "OperationDenied.DefaultNatIp"
    text = "{nat_ip_id} came with {gateway_id} and goes with it. DeleteNatGateway deletes both."


class DependencyViolationFullNatEntry(DependencyViolation):
    code = "DependencyViolation.FullNatEntry"


class DependencyViolationEndpointService(DependencyViolation):
    code = "DependencyViolation.VpcEndpointService"


class QuotaExceededNatGateways(QuotaExceeded):
    code = "QuotaExceeded.NatGateway"


class QuotaExceededNatIps(QuotaExceeded):
    code = "QuotaExceeded.NatIp"


class QuotaExceededFullNatEntries(QuotaExceeded):
    code = "QuotaExceeded.FullNatEntry"


class RouteTableElsewhere(ApiError):
    code = "Mismatch.VpcAndRouteTable"
    text = (
        "Route table {table_id} is of {vpc_id} and vSwitch {vswitch_id} of {other}: use one VPC's."
    )


class RouteTableNotBound(ApiError):
    code = "InvalidParameter.RouteTableId"
    text = "vSwitch {vswitch_id} has route table {bound}; {table_id} is NotFound on it."


class SystemRouteTable(ApiError):
    code = "OperationDenied.SystemRouteTable"
    text = "{table_id} is the system route table of {vpc_id}: {why}"


class RouteTableInUse(DependencyViolation):
    code = "DependencyViolation.VSwitch"
    text = "{resource} is still used by {dependants}. Take it off with UnassociateRouteTable."


class QuotaExceededRouteTable(QuotaExceeded):
    code = "QuotaExceeded.RouteTable"


class QuotaExceededVpc(QuotaExceeded):
    code = "QuotaExceeded.Vpc"


class QuotaExceededVSwitch(QuotaExceeded):
    code = "QuotaExceeded.VSwitch"


class InvalidCidrBlock(ApiError):
    code = "InvalidCidrBlock.Malformed"
    text = "CidrBlock {cidr!r} is not valid: {why}"


class InvalidCidrBlockOverlapped(ApiError):
    code = "InvalidCidrBlock.Overlapped"
    text = "CidrBlock {cidr} overlaps {other_cidr} of {other}. Choose one that overlaps neither."


class InvalidIpv6CidrBlock(ApiError):
    code = "InvalidIpv6CidrBlock.Malformed"
    text = "Ipv6CidrBlock {cidr!r} is not valid: {why}"


class InvalidIpv6CidrBlockOverlapped(ApiError):
    code = "InvalidIpv6CidrBlock.Overlapped"
    text = "Ipv6CidrBlock {number} is {cidr6}, which {other} has. Choose another one, 0 to 255."


class Ipv6BlockFixed(ApiError):
    code = "OperationFailed.Ipv6CidrBlockExisted"
    text = (
        "{resource} has the IPv6 block {cidr6}, which stays as it is. To get another one, switch "
        "IPv6 off first: EnableIPv6=false does it once nothing uses the block."
    )


class Ipv6InUse(DependencyViolation):
    code = "DependencyViolation.Ipv6"
    text = "IPv6 of {resource} is still used by {dependants}. {way_out}"


class VpcNotSupportIpv6(ApiError):
    code = "OperationUnsupported.Ipv6Feature"
    text = (
        "VPC {vpc_id} has no IPv6 block, so nothing in it can have IPv6. ModifyVpcAttribute with "
        "EnableIPv6=true gives it one."
    )


class VSwitchNotSupportIpv6(ApiError):
    code = "OperationFailed.vSwitchNotSupportIpv6"
    text = (
        "vSwitch {vswitch_id} has no IPv6 block, so nothing in it can have an IPv6 address. "
        "ModifyVSwitchAttribute with EnableIPv6=true and Ipv6CidrBlock gives it one."
    )


class DependencyViolationVSwitch(DependencyViolation):
    code = "DependencyViolation.VSwitch"


class DependencyViolationRouteTable(DependencyViolation):
    code = "DependencyViolation.RouteTable"


class DependencyViolationSecurityGroup(DependencyViolation):
    code = "DependencyViolation.SecurityGroup"


class DependencyViolationLoadBalancer(DependencyViolation):
    code = "DependencyViolation.LoadBalancer"


class DependencyViolationServerGroup(DependencyViolation):
    code = "DependencyViolation.ServerGroup"


class DependencyViolationNetworkInterface(DependencyViolation):
    code = "DependencyViolation.NetworkInterface"
