"""RAM: users, roles, policies."""

from __future__ import annotations

from privlink.errors.base import ApiError, ParameterError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class InvalidRamParameter(ParameterError):
    code = "InvalidParameter."
    text = "The parameter {parameter} is not valid: {why}"


class MalformedPolicyDocument(ApiError):
    code = "MalformedPolicyDocument"
    text = "{parameter} is not a policy that can be applied: {why}"


class EntityNotExistUser(ApiError):
    code = "EntityNotExist.User"
    status = 404
    text = "The user {name!r} does not exist in this account. ListUsers lists yours."


class EntityNotExistUserAccessKey(ApiError):
    code = "EntityNotExist.User.AccessKey"
    status = 404
    text = "User {name} has no access key {key_id!r}. ListAccessKeys lists them."


class EntityNotExistUserLoginProfile(ApiError):
    code = "EntityNotExist.User.LoginProfile"
    status = 404
    text = "User {name} has no login profile: privlink has no console passwords for users."


class EntityNotExistUserMfaDevice(ApiError):
    code = "EntityNotExist.User.MFADevice"
    status = 404
    text = "User {name} has no MFA device: privlink knows none."


class EntityNotExistUserPolicy(ApiError):
    code = "EntityNotExist.User.Policy"
    status = 404
    text = "User {name} does not have the {policy_type} policy {policy!r}."


class EntityNotExistRole(ApiError):
    code = "EntityNotExist.Role"
    status = 404
    text = "The role {name!r} does not exist in this account. ListRoles lists yours."


class EntityNotExistRolePolicy(ApiError):
    code = "EntityNotExist.Role.Policy"
    status = 404
    text = "Role {name} does not have the {policy_type} policy {policy!r}."


class EntityNotExistPolicy(ApiError):
    code = "EntityNotExist.Policy"
    status = 404
    text = "There is no {policy_type} policy {name!r} in this account. ListPolicies lists them."


class EntityNotExistPolicyVersion(ApiError):
    code = "EntityNotExist.Policy.Version"
    status = 404
    text = "Policy {name} has no version {version!r}. ListPolicyVersions lists them."


class EntityAlreadyExistsUser(ApiError):
    code = "EntityAlreadyExists.User"
    status = 409
    text = "There is a user {name!r} in this account already."


class EntityAlreadyExistsRole(ApiError):
    code = "EntityAlreadyExists.Role"
    status = 409
    text = "There is a role {name!r} in this account already."


class EntityAlreadyExistsPolicy(ApiError):
    code = "EntityAlreadyExists.Policy"
    status = 409
    text = "There is a policy {name!r} already."


class EntityAlreadyExistsUserPolicy(ApiError):
    code = "EntityAlreadyExists.User.Policy"
    status = 409
    text = "User {name} has the {policy_type} policy {policy} already."


class EntityAlreadyExistsRolePolicy(ApiError):
    code = "EntityAlreadyExists.Role.Policy"
    status = 409
    text = "Role {name} has the {policy_type} policy {policy} already."


class DeleteConflict(DependencyViolation):
    """Something stands in the way of a deletion; the message names it."""

    code = "DeleteConflict"
    status = 409
    text = "{resource} still has {dependants}. {way_out}"


class DeleteConflictUserAccessKey(DeleteConflict):
    code = "DeleteConflict.User.AccessKey"


class DeleteConflictUserPolicy(DeleteConflict):
    code = "DeleteConflict.User.Policy"


class DeleteConflictRolePolicy(DeleteConflict):
    code = "DeleteConflict.Role.Policy"


class DeleteConflictPolicyUser(DeleteConflict):
    code = "DeleteConflict.Policy.User"
    text = "Policy {resource} is still on {dependants}. {way_out}"


class DeleteConflictPolicyVersion(DeleteConflict):
    code = "DeleteConflict.Policy.Version"


class DeleteConflictDefaultVersion(ApiError):
    code = "DeleteConflict.PolicyVersion.Default"
    status = 409
    text = (
        "Version {version} of policy {name} is the one that holds. "
        "Let another one hold with SetDefaultPolicyVersion first."
    )


class ServiceLinkedRole(ApiError):
    code = "InvalidOperation.Role.ServiceLinked"
    status = 409
    text = "{name} belongs to {service}: {why}"


class LimitExceeded(QuotaExceeded):
    """RAM's words for a quota that is used up."""

    code = "LimitExceeded"
    status = 409


class LimitExceededUser(LimitExceeded):
    code = "LimitExceeded.User"


class LimitExceededUserAccessKey(LimitExceeded):
    code = "LimitExceeded.User.AccessKey"


class LimitExceededUserPolicy(LimitExceeded):
    code = "LimitExceeded.User.Policy"


class LimitExceededRole(LimitExceeded):
    code = "LimitExceeded.Role"


class LimitExceededRolePolicy(LimitExceeded):
    code = "LimitExceeded.Role.Policy"


class LimitExceededPolicy(LimitExceeded):
    code = "LimitExceeded.Policy"


class LimitExceededPolicyVersion(LimitExceeded):
    code = "LimitExceeded.Policy.Version"
