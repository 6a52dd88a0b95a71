"""privlink's own API: what the cloud has no word for."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import QuotaExceeded


class AttachmentNotFound(ApiError):
    code = "AttachmentNotFound"
    status = 404
    text = "Attachment {attachment_id!r} is NotFound in this account. ListAttachments lists yours."


class QuotaExceededAttachments(QuotaExceeded):
    code = "QuotaExceeded.Attachment"


class NodeNotFound(ApiError):
    code = "NodeNotFound"
    status = 404
    text = "Node {node_id!r} is NotFound."


class EndpointNotReverse(ApiError):
    code = "EndpointTypeNotSupport"
    text = (
        "Endpoint {endpoint_id} is of type {type}: nobody calls through it into your network, so "
        "there are no targets to list. Targets are a Reverse endpoint's."
    )


class AccountExists(ApiError):
    code = "AccountExists"
    text = "An account named {name!r} exists already: {account_id}."


class AccountNotFound(ApiError):
    code = "AccountNotFound"
    status = 404
    text = "Account {account_id!r} is NotFound. ListAccounts lists them."


class QuotaNotFound(ApiError):
    code = "QuotaNotFound"
    status = 404
    text = "There is no quota {name!r}. ListQuotas lists them."


class NameServerNotFound(ApiError):
    code = "NameServerNotFound"
    status = 404
    text = "Name server {server_id!r} is NotFound. ListNameServers lists them."


class NameServerExists(ApiError):
    code = "NameServerExists"
    text = (
        "Zone {zone} of {address}, port {port}, has the names already: {server_id}. Delete that "
        "one first."
    )


class NameServerKeyExists(ApiError):
    code = "NameServerKeyExists"
    text = (
        "{server_id} has a key named {name!r} with another secret or algorithm; of one name there "
        "is one key. Give this one another KeyName, there and here."
    )


class QuotaExceededNameServers(ApiError):
    code = "QuotaExceeded.NameServer"
    text = "There are {limit} name servers, which is as many as there may be. Delete one first."


class FlowLogUnavailable(ApiError):
    code = "FlowLogUnavailable"
    status = 503
    text = "The log of flow records cannot be written: {why}. Make room on the server's disk."
