"""Every error the API answers, one class each.

A class holds what a client program decides on (code, HTTP status) and the sentence a person reads:
which field, which value, which rule, what to do. Codes and statuses are Alibaba Cloud's, spelling
mistakes included; the sentences are ours.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ApiError(Exception):
    """An answer that says no. Subclasses set `code`, `status` and the `text` of the message."""

    code: ClassVar[str]
    status: ClassVar[int] = 400
    text: ClassVar[str]

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.text.format(**fields))

    @property
    def message(self) -> str:
        """The sentence for a person."""
        return str(self)

    @property
    def answered_code(self) -> str:
        """The code as it goes on the wire; some codes end with a parameter name."""
        return self.code


class ParameterError(ApiError):
    """An error whose code ends with the name of the parameter it is about."""

    def __init__(self, *, parameter: str, **fields: Any) -> None:
        self.parameter = parameter
        super().__init__(parameter=parameter, **fields)

    @property
    def answered_code(self) -> str:
        return self.code + self.parameter.split(".")[0]


# The gateway: who calls, and is the request well formed?


class MissingParameter(ParameterError):
    code = "Missing"
    text = "{parameter} is mandatory for this action."


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


class InvalidNextToken(ApiError):
    code = "IllegalParamFormat.NextToken"
    text = "NextToken {token!r} is none of ours. Pass on the token of the last page, unchanged."


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


# VPC


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


class DependencyViolation(ApiError):
    """A resource cannot go because others stand on it; the message names them."""

    code = "DependencyViolation"
    text = "{resource} is still used by {dependants}. Delete those first."


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


# ECS security groups


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


# NLB


class LoadBalancerNotFoundNlb(ApiError):
    code = "ResourceNotFound.loadBalancer"
    status = 404
    text = "Load balancer {load_balancer_id!r} is NotFound in this account."


class ServerGroupNotFound(ApiError):
    code = "ResourceNotFound.ServerGroup"
    status = 404
    text = "Server group {server_group_id!r} is NotFound in this account."


class ListenerNotFound(ApiError):
    code = "ResourceNotFound.Listener"
    status = 404
    text = "Listener {listener_id!r} is NotFound in this account."


class ListenerAlreadyExist(ApiError):
    code = "ResourceAlreadyExist.Listener"
    text = "{load_balancer_id} already has a listener on {protocol} port {port}: {listener_id}."


class ServerAlreadyExist(ApiError):
    code = "ResourceAlreadyExist.BackendServer"
    text = "{server} is in {server_group_id} already."


class ServerNotInVpc(ApiError):
    code = "IllegalParam.ServerId"
    text = "{server_id!r} is no server of {vpc_id}: {why}"


class MismatchServerType(ApiError):
    code = "Mismatch.ServerType"
    text = (
        "{server_id!r} is given as {server_type}; {group_id} is of type {group_type} and takes "
        "servers of ServerType {fitting}."
    )


class MismatchServerIp(ApiError):
    code = "Mismatch.ServerIp"
    text = "ServerIp {server_ip!r} is not the address of {server_id!r}, {address}. Leave it out."


class ServerGroupInUse(DependencyViolation):
    code = "ResourceInUse.ServerGroup"


class QuotaExceededBalancers(QuotaExceeded):
    code = "QuotaExceeded.LoadBalancersNum"


class QuotaExceededListeners(QuotaExceeded):
    code = "QuotaExceeded.LoadBalancerListenersNum"


class QuotaExceededServers(QuotaExceeded):
    code = "QuotaExceeded.ServerGroupAddedServersNum"


class MismatchVpc(ApiError):
    code = "Mismatch.VpcId"
    text = "{first} lies in {first_vpc}, {second} in {second_vpc}; they must share a VPC."


# PrivateLink


class EndpointNotFound(ApiError):
    code = "EndpointNotFound"
    text = "Endpoint {endpoint_id!r} does not exist in this account. ListVpcEndpoints lists yours."


class EndpointZoneNotFound(ApiError):
    code = "EndpointZoneNotFound"
    text = "Endpoint {endpoint_id} has no zone {zone_id!r}. Its zones: {known}."


class EndpointServiceNotFound(ApiError):
    code = "EndpointServiceNotFound"
    text = "Endpoint service {service!r} does not exist, or is not shared with this account."


class EndpointServiceNotAuthorized(ApiError):
    code = "EndpointServiceNotAuthorized"
    text = (
        "Account {account_id} is not on the allow list of {service_id}. "
        "Ask its owner for AddUserToVpcEndpointService."
    )


class EndpointConnectionNotFound(ApiError):
    code = "EndpointConnectionNotFound"
    text = "Endpoint {endpoint_id!r} has no connection to {service_id}."


class EndpointConnectionOperationDenied(ApiError):
    code = "EndpointConnectionOperationDenied"
    text = "The connection of {endpoint_id} is {status}: {why}"


class EndpointOperationDenied(ApiError):
    code = "EndpointOperationDenied"
    text = "Endpoint {endpoint_id} is {status}: {why}"


class EndpointDependenceViolation(ApiError):
    code = "EndpointDependenceViolation"
    text = (
        "Endpoint {endpoint_id} still has zones: {dependants}. "
        "Remove each with RemoveZoneFromVpcEndpoint first."
    )


class EndpointZoneDuplicated(ApiError):
    code = "EndpointZoneDuplicated"
    text = "Zone {zone_id} is given twice or is a zone of the endpoint already; one vSwitch a zone."


class EndpointMustContainSecurityGroup(ApiError):
    code = "EndpointMustContainSecurityGroup"
    text = "An Interface endpoint needs at least one security group: give SecurityGroupId.1."


class SecurityGroupNotFound(ApiError):
    code = "SecurityGroupNotFound"
    text = "Security group {group_id!r} is NotFound in {vpc_id}. See DescribeSecurityGroups."


class SecurityGroupTypeOnlySingleTypeSupporteded(ApiError):
    code = "SecurityGroupTypeOnlySingleTypeSupporteded"
    text = "The security groups of one endpoint must all be normal or all be enterprise."


class EniIpUnavailable(ApiError):
    code = "EniIpUnavailable"
    text = "Address {address!r} cannot be used in {vswitch_id} ({cidr}): {why}"


class ResourceNotEnoughVSwitchIp(ApiError):
    code = "ResourceNotEnough.VSwitchIp"
    text = "vSwitch {vswitch_id} ({cidr}) has no free address left. Use a larger one."


class EndpointServiceNotSupportedZone(ApiError):
    code = "EndpointServiceNotSupportedZone"
    text = "{resource} has nothing in zone {zone_id!r}. Its zones: {known}."


class EndpointServiceResourceExist(ApiError):
    code = "EndpointServiceResourceExist"
    text = "{resource_id} in {zone_id} is a resource of {service_id} already."


class EndpointServiceResourceNotFound(ApiError):
    code = "EndpointServiceResourceNotFound"
    text = "{resource_id} in {zone_id} is no resource of {service_id}."


class EndpointServiceResourceTypeNotSupport(ApiError):
    code = "EndpointServiceResourceTypeNotSupport"
    text = "Resource type {resource_type!r} is not served here yet. Use nlb."


class EndpointServiceResourceTypeNotEqual(ApiError):
    code = "EndpointServiceResourceTypeNotEqual"
    text = "{service_id} takes resources of type {expected}, not {resource_type}."


class LoadBalancerNotFound(ApiError):
    code = "LoadBalancerNotFound"
    text = "Load balancer {resource_id!r} is NotFound in this account."


class EndpointServiceConnectionDependence(ApiError):
    code = "EndpointServiceConnectionDependence"
    text = (
        "{resource} still carries connections of: {dependants}. "
        "Close each with DisableVpcEndpointConnection first."
    )


class NoAvailableServiceResource(ApiError):
    code = "OperationDenied.NoAvailableServiceResource"
    text = (
        "{service_id} has no resource in {zones}, where {endpoint_id} has its address. "
        "Attach one there first."
    )


class MissingServiceUser(ApiError):
    code = "MissingParam.UserArn"
    text = "Give UserId or UserARN: who may use the service?"


class MismatchUserIdAndUserArn(ApiError):
    code = "Mismatch.UserIdAndUserArn"
    text = "UserId {user_id} and UserARN {user_arn!r} name different accounts."


# privlink's own


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


class AccountExists(ApiError):
    code = "AccountExists"
    text = "An account named {name!r} exists already: {account_id}."
