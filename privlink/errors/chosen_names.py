"""privlink's own API: names that people choose."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import QuotaExceeded


class ServiceTypeNotNamed(ApiError):
    code = "ServiceTypeNotSupport"
    text = (
        "Service {service_id} is for Reverse endpoints: nobody calls these, so they have no names."
    )


class EndpointTypeNotNamed(ApiError):
    code = "EndpointTypeNotSupport"
    text = "Endpoint {endpoint_id} is of type {type}: nobody calls it, so it has no names."


class ServicePrivateNameNotFound(ApiError):
    code = "ServicePrivateNameNotFound"
    status = 404
    text = "Service {service_id} has no private name. Its owner sets one: SetServicePrivateName."


class ServicePrivateNameNotVerified(ApiError):
    code = "ServicePrivateNameNotVerified"
    text = (
        "The private name of {service_id}, {name}, is Pending. Its owner proves that it is theirs "
        "with VerifyServicePrivateName, or the operator with ApproveServicePrivateName."
    )


class ServicePrivateNameChanged(ApiError):
    code = "ServicePrivateNameChanged"
    text = "The private name of {service_id} is {name} now, not {given}. Look at it, and ask again."


class VerificationFailed(ApiError):
    code = "VerificationFailed"
    text = (
        "{name} is not verified: {found} Publish {value!r} as a TXT record of {record}, wait until "
        "it is seen, and ask again; or ask the operator for ApproveServicePrivateName."
    )


class NoNameServer(ApiError):
    code = "NoNameServer"
    status = 503
    text = (
        "{record} cannot be looked up: {why} Ask again; or ask the operator for "
        "ApproveServicePrivateName."
    )


class EndpointAliasExists(ApiError):
    code = "EndpointAliasExists"
    text = (
        "Endpoint {endpoint_id} has the alias {name} already, for {what}. DeleteEndpointAlias "
        "takes it away."
    )


class EndpointAliasNotFound(ApiError):
    code = "EndpointAliasNotFound"
    status = 404
    text = "Endpoint {endpoint_id} has no alias {name!r}. ListEndpointNames lists those it has."


class QuotaExceededAliases(QuotaExceeded):
    code = "QuotaExceeded.EndpointAlias"
