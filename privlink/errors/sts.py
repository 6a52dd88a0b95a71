"""STS: the sessions of roles."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.ram import LimitExceeded


class RootMayNotAssume(ApiError):
    code = "NoPermission"
    status = 403
    text = (
        "Roles may not be assumed by root accounts. Use the access key of a RAM user of account "
        "{account_id}: CreateUser and CreateAccessKey make one."
    )


class PolicyGrammar(ApiError):
    code = "InvalidParameter.PolicyGrammar"
    text = "The parameter Policy has not passed grammar check: {why}"


class LimitExceededRoleSession(LimitExceeded):
    code = "LimitExceeded.RoleSession"
