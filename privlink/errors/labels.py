"""Tags and resource groups, as most products say it; PrivateLink has codes of its own."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class MissingTagKey(ApiError):
    code = "MissingParameter.TagKey"
    text = "Tag.{number} has no Key. Give Tag.{number}.Key."


class NoTagKey(ApiError):
    """What UntagResources says that is told neither which tags nor all."""

    code = "MissingParameter.TagKey"
    text = "Give TagKey.N, or All=true: which tags shall be taken off?"


class MissingTagValue(ApiError):
    code = "MissingParameter.TagValue"
    text = "Tag.{number} ({key!r}) has no Value. Give Tag.{number}.Value, which may be empty."


class InvalidTagKey(ApiError):
    code = "InvalidTagKey.Malformed"
    text = "Tag key {key!r} cannot be used: {why}"


class InvalidTagValue(ApiError):
    code = "InvalidTagValue.Malformed"
    text = "The value {value!r} of tag {key!r} cannot be used: {why}"


class DuplicateTagKey(ApiError):
    code = "Duplicate.TagKey"
    text = "Tag key {key!r} is given twice; keys are unique on a resource."


class TooManyTags(QuotaExceeded):
    code = "QuotaExceeded.TagsPerResource"


class BothEmptyTagsAndResources(ApiError):
    code = "BothEmpty.TagsAndResources"
    text = "Give ResourceId.N, Tag.N or both: whose tags shall be listed?"


class InvalidResourceIdNotFound(ApiError):
    code = "InvalidResourceId.NotFound"
    status = 404
    text = "{kind} {resource_id!r} is NotFound in this account."


class InvalidResourceGroup(ApiError):
    code = "InvalidResourceGroup"
    text = "Resource group {group_id!r} does not exist in this account. ListResourceGroups shows."


class ResourceGroupNotExist(ApiError):
    code = "EntityNotExist.ResourceGroup"
    status = 404
    text = "Resource group {group_id!r} does not exist in this account. ListResourceGroups shows."


class ResourceGroupExists(ApiError):
    code = "EntityAlreadyExists.ResourceGroup"
    status = 409
    text = "There is a resource group {name!r} in this account already: {group_id}."


class ResourceGroupLimit(QuotaExceeded):
    code = "LimitExceeded.ResourceGroup"
    status = 409


class ResourceGroupInUse(DependencyViolation):
    code = "DeleteConflict.ResourceGroup.Resource"
    status = 409


class DefaultResourceGroup(ApiError):
    code = "NotSupport.DefaultResourceGroup"
    text = "{group_id} is the account's default resource group; it stays as it is."
