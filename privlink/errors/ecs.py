"""ECS: security groups, prefix lists and network interfaces."""

from __future__ import annotations

from privlink.errors.base import ApiError, ParameterError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class InvalidSecurityGroupIdNotFound(ApiError):
    code = "InvalidSecurityGroupId.NotFound"
    status = 404
    text = (
        "Security group {group_id!r} is NotFound in this account. "
        "DescribeSecurityGroups lists yours."
    )


class InvalidSecurityGroupNotFound(InvalidSecurityGroupIdNotFound):
    """What DeleteSecurityGroup says instead."""

    code = "InvalidSecurityGroup.NotFound"


class InvalidSecurityGroupRuleIdNotFound(ApiError):
    code = "InvalidSecurityGroupRuleId.NotFound"
    status = 404
    text = (
        "Rule {rule_id!r} is NotFound among the {direction} rules of {group_id}. "
        "DescribeSecurityGroupAttribute lists them."
    )


class SecurityGroupRuleNotExist(ApiError):
    code = "InvalidSecurityGroupRule.RuleNotExist"
    status = 404
    text = (
        "{group_id} has no {direction} rule like this: NotFound. "
        "DescribeSecurityGroupAttribute lists them; give SecurityGroupRuleId to change more of one "
        "than its description."
    )


class SecurityGroupRuleExists(ApiError):
    code = "InvalidSecurityGroupRule.RuleAlreadyExist"
    text = "{group_id} has a rule like this already: {rule_id}. Revoke one of the two."


class InnerAccessOfEnterpriseGroup(ApiError):
    code = "InvalidParameter.InnerAccessPolicy"
    status = 404
    text = (
        "InnerAccessPolicy of {group_id} stays Drop, as it is an enterprise group. "
        "Use a normal one for Accept."
    )


class InvalidEniIdNotFound(ApiError):
    code = "InvalidEniId.NotFound"
    status = 404
    text = (
        "Network interface {eni_id!r} is NotFound in this account. "
        "DescribeNetworkInterfaces lists yours."
    )


class UnenforcedPermission(ParameterError):
    code = "UnsupportedParameter."
    text = "{parameter} cannot be enforced: {why} Nothing has been changed."


class InvalidSourceGroupIdNotFound(ApiError):
    code = "InvalidSourceGroupId.NotFound"
    status = 404
    text = (
        "{parameter} {group_id!r} is NotFound in this account. DescribeSecurityGroups lists yours."
    )


class InvalidDestGroupIdNotFound(InvalidSourceGroupIdNotFound):
    code = "InvalidDestGroupId.NotFound"


class InvalidSourceGroupIdMismatch(ApiError):
    code = "InvalidSourceGroupId.Mismatch"
    text = (
        "{parameter} {peer_id} is in {peer_vpc} and {group_id} in {vpc_id}, whose addresses are "
        "not the same hosts'. Name a group of {vpc_id}."
    )


class InvalidDestGroupIdMismatch(InvalidSourceGroupIdMismatch):
    code = "InvalidDestGroupId.Mismatch"


class RuleNamesItsOwnGroup(ApiError):
    code = "InvalidParamter.Conflict"
    status = 403
    text = (
        "{parameter} must be another group than {group_id}. ModifySecurityGroupPolicy says whether "
        "its members let each other in."
    )


class EgressRuleNamesItsOwnGroup(RuleNamesItsOwnGroup):
    code = "InvalidSecurityGroup.IsSame"


class GroupOfEnterpriseGroup(ApiError):
    code = "InvalidGroupParameter.OperationDenied"
    text = (
        "{parameter} cannot be set: {group_id} is an enterprise group, whose rules name no groups. "
        "Give a block or a prefix list, or use a normal group."
    )


class RuleNamesEnterpriseGroup(ApiError):
    code = "InvalidGroupAuthParameter.OperationDenied"
    text = (
        "{parameter} {peer_id} is an enterprise group, which no rule may name. "
        "Give a block or a prefix list."
    )


class Ipv4ProtocolWithIpv6(ApiError):
    code = "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"
    text = "Permission {number}: ICMP is IPv4's and {parameter} {block} is IPv6. Use ICMPv6."


class Ipv6ProtocolWithIpv4(ApiError):
    code = "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"
    text = "Permission {number}: ICMPv6 is IPv6's and {parameter} {block} is IPv4. Use ICMP."


class GroupRuleLimit(QuotaExceeded):
    code = "AuthorizedGroupRule.LimitExceed"


class InvalidPrefixListIdNotFound(ApiError):
    code = "InvalidPrefixListId.NotFound"
    status = 404
    text = "Prefix list {list_id!r} is NotFound in this account. DescribePrefixLists lists yours."


class PrefixListInUse(ApiError):
    code = "NotAllowed.AssociationExist"
    text = "{list_id} is still named by rules of {groups}. Revoke those first."


class PrefixListLimit(QuotaExceeded):
    code = "LimitExceed.PrefixListPerRegion"
    status = 404


class PrefixListFull(ApiError):
    code = "LimitExceed.MaxEntries"
    text = (
        "{count} entries are more than MaxEntries of the list, {most}, which stays as it was made. "
        "Remove some, or make a larger list."
    )


class PrefixMalformed(ApiError):
    code = "InvalidParameter.CidrMalformed"
    text = "{why}"


class PrefixDuplicated(ApiError):
    code = "InvalidParameter.CidrDuplicated"
    text = "{parameter} {cidr} is given twice, or to be both added and removed. Give it once."


class EniServiceManaged(ApiError):
    code = "InvalidOperation.EniServiceManaged"
    status = 403
    text = (
        "{eni_id} belongs to {owner}, not to an attachment. "
        "AttachSecurityGroupToVpcEndpoint puts a group on all addresses of an endpoint."
    )


class EniDetaching(ApiError):
    code = "InvalidOperation.InvalidEniState"
    text = "{eni_id} belongs to {owner}, which is being detached."


class EniInAnotherVpc(ApiError):
    code = "InvalidOperation.VpcMismatch"
    status = 403
    text = "{eni_id} is in {eni_vpc} and {group_id} in {vpc_id}. Use a group of {eni_vpc}."


class GroupsOfTwoTypes(ApiError):
    code = "InvalidOperation.MultiGroupType"
    text = "An interface's security groups are all normal or all enterprise ones, not {groups}."


class GroupsPerInterfaceLimit(QuotaExceeded):
    code = "InstanceSecurityGroupLimitExceeded"


class NotInSecurityGroup(ApiError):
    code = "InvalidSecurityGroupAssociation.NotFound"
    text = "{eni_id} is NotFound in {group_id}; it is in {groups}."


class SecurityGroupInUse(DependencyViolation):
    code = "DependencyViolation"
    status = 403
    text = "{resource} is still used by {dependants}. {way_out}"


class SecurityGroupLimit(QuotaExceeded):
    code = "QuotaExceed.SecurityGroup"
    status = 403


class SecurityGroupRuleLimit(QuotaExceeded):
    code = "AuthorizationLimitExceed"
    status = 403


class InvalidPermission(ApiError):
    code = "InvalidPermission.Malformed"
    text = "Permission {number}: {why}"
