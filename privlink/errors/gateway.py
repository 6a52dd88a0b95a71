"""Who calls, is the request well formed, and what every product says alike."""

from __future__ import annotations

from typing import Any

from privlink.errors.base import ApiError, ParameterError


class MissingParameter(ParameterError):
    code = "Missing"
    text = "{parameter} is mandatory for this action."


class NeededParameter(ParameterError):
    """A parameter that is mandatory because of what else was given, or of what is there."""

    code = "Missing"
    text = "{parameter} is mandatory here: {why}"


class InvalidParameter(ParameterError):
    code = "Invalid"
    text = "Specified parameter {parameter} is not valid: {why}"


class UnsupportedParameter(ParameterError):
    code = "UnsupportedParameter."
    text = (
        "privlink does not act on {parameter} of {action}. Leave it out; nothing has been changed."
    )


class MalformedRequest(ApiError):
    code = "MalformedRequest"
    text = "{why}"


class RequestTooLarge(ApiError):
    code = "RequestTooLarge"
    status = 413
    text = "The request body is larger than {limit} bytes."


class MethodNotAllowed(ApiError):
    code = "MethodNotAllowed"
    status = 405
    text = "The API answers GET and POST on the path /, not {method} {path}."


class InvalidVersion(ApiError):
    code = "InvalidVersion"
    text = "Specified parameter Version {version!r} is not valid. Versions served: {known}."


class InvalidActionNotFound(ApiError):
    code = "InvalidAction.NotFound"
    status = 404
    text = "Specified API {action!r} is not found in version {version}. {hint}"


class InvalidAccessKeyIdNotFound(ApiError):
    code = "InvalidAccessKeyId.NotFound"
    status = 404
    text = "Specified access key {access_key_id!r} is not found. Check ALIBABA_CLOUD_ACCESS_KEY_ID."


class SignatureDoesNotMatch(ApiError):
    code = "SignatureDoesNotMatch"
    text = (
        "Specified signature does not match our calculation; check the access key secret. "
        "{scheme}:{string_to_sign}"
    )


class SignatureNonceUsed(ApiError):
    code = "SignatureNonceUsed"
    text = "Specified signature nonce was used already. Sign each request with a fresh nonce."


class InvalidTimeStampExpired(ApiError):
    code = "InvalidTimeStamp.Expired"
    text = (
        "Specified time stamp or date value {timestamp} is expired: the server's clock says {now}. "
        "They may differ by 15 minutes; set this machine's clock."
    )


class InvalidTimeStampFormat(ApiError):
    code = "InvalidTimeStamp.Format"
    text = "Specified time stamp {timestamp!r} is not of the form 2026-01-31T23:59:59Z (UTC)."


class InvalidSignature(ApiError):
    code = "InvalidSignature"
    text = "The Authorization header cannot be read: {why}"


class UnsupportedSignatureMethod(ApiError):
    code = "InvalidSignatureMethod"
    text = "Signature method {method!r} is not supported. Use ACS3-HMAC-SHA256 or HMAC-SHA1."


class NoPermission(ApiError):
    code = "NoPermission"
    status = 403
    text = "{caller} may not call {action}: {why}"


class AccessDenied(ApiError):
    """No policy of the caller allows this, or one forbids it; each product has its own code."""

    code = "NoPermission"
    status = 403
    text = (
        "{caller} may not do {action} on {resource}: {why} Whoever runs the account can allow it "
        "with a policy."
    )

    def __init__(self, *, detail: dict[str, str], **fields: Any) -> None:
        super().__init__(**fields)
        self.detail = detail


class ForbiddenRam(AccessDenied):
    code = "Forbidden.RAM"


class InvalidAccessKeyIdInactive(ApiError):
    code = "InvalidAccessKeyId.Inactive"
    text = (
        "Specified access key {access_key_id!r} is disabled. UpdateAccessKey with Status=Active "
        "enables it again."
    )


class InvalidSecurityTokenExpired(ApiError):
    code = "InvalidSecurityToken.Expired"
    text = "Specified SecurityToken is expired since {expired}. AssumeRole gives a new one."


class InvalidSecurityTokenMalformed(ApiError):
    code = "InvalidSecurityToken.Malformed"
    text = "Specified SecurityToken is malformed. Pass on the one that AssumeRole gave, unchanged."


class InvalidSecurityTokenMismatch(ApiError):
    code = "InvalidSecurityToken.MismatchWithAccessKey"
    text = (
        "Specified SecurityToken does not belong to access key {access_key_id!r}. The three that "
        "AssumeRole gives belong together; permanent keys have no token."
    )


class InternalError(ApiError):
    code = "InternalError"
    status = 500
    text = "privlink failed to answer this request; its log has the reason under {request_id}."


class RegionNotFound(ApiError):
    code = "RegionNotFound"
    text = "Region {region_id!r} is not served here. Served: {known}."


class InvalidZoneId(ApiError):
    code = "InvalidZoneId.NotFound"
    status = 404
    text = "Zone {zone_id!r} does not exist in region {region_id}. Zones: {known}."


class DryRunOperation(ApiError):
    code = "DryRunOperation"
    text = "The request is valid and would have succeeded; DryRun was set, so nothing was done."


class IdempotenceSignatureMismatch(ApiError):
    code = "IdempotenceSignatureMismatch"
    text = (
        "ClientToken {token!r} was used before for a {action} with other parameters. "
        "Send a new token with a new request."
    )


class IdempotenceProcessing(ApiError):
    code = "IdempotenceProcessing"
    text = (
        "A {action} with ClientToken {token!r} is being carried out. Ask again in a moment: the "
        "same request will get that one's answer."
    )


class IdempotentParameterMismatch(IdempotenceSignatureMismatch):
    code = "IdempotentParameterMismatch"


class LastTokenProcessing(IdempotenceProcessing):
    code = "LastTokenProcessing"


class QuotaExceeded(ApiError):
    """There is no room for one more; each product has its own code for that."""

    text = "{what}: {count} would be more than the limit of {limit}. {way_out}"


class QuotaMisMatched(QuotaExceeded):
    code = "QuotaMisMatched"


class IllegalParamFormat(ParameterError):
    code = "IllegalParamFormat."
    text = "{parameter} is not valid: {why}"


class MissingParam(ParameterError):
    code = "MissingParam."
    text = "{parameter} is missing: {why}"


class DependencyViolation(ApiError):
    """A resource cannot go because others stand on it; the message names them."""

    code = "DependencyViolation"
    text = "{resource} is still used by {dependants}. Delete those first."
