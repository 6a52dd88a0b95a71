"""ECS: security groups."""

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
    code = "InvalidOperation.InvalidSecurityGroupType"
    status = 403
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


class SecurityGroupInUse(DependencyViolation):
    code = "DependencyViolation"
    status = 403


class SecurityGroupLimit(QuotaExceeded):
    code = "QuotaExceed.SecurityGroup"
    status = 403


class SecurityGroupRuleLimit(QuotaExceeded):
    code = "AuthorizationLimitExceed"
    status = 403


class InvalidPermission(ApiError):
    code = "InvalidPermission.Malformed"
    text = "Permission {number}: {why}"
