"""ECS: security groups."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class InvalidSecurityGroupIdNotFound(ApiError):
    code = "InvalidSecurityGroupId.NotFound"
    status = 404
    text = (
        "Security group {group_id!r} is NotFound in this account. "
        "DescribeSecurityGroups lists yours."
    )


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
