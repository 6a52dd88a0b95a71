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


class DependencyViolationVSwitch(DependencyViolation):
    code = "DependencyViolation.VSwitch"


class DependencyViolationSecurityGroup(DependencyViolation):
    code = "DependencyViolation.SecurityGroup"


class DependencyViolationLoadBalancer(DependencyViolation):
    code = "DependencyViolation.LoadBalancer"


class DependencyViolationServerGroup(DependencyViolation):
    code = "DependencyViolation.ServerGroup"


class DependencyViolationNetworkInterface(DependencyViolation):
    code = "DependencyViolation.NetworkInterface"
