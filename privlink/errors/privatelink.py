"""PrivateLink: services, endpoints and what joins them."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import AccessDenied, QuotaExceeded
from privlink.errors.labels import (
    BothEmptyTagsAndResources,
    DuplicateTagKey,
    InvalidResourceIdNotFound,
    InvalidTagKey,
    InvalidTagValue,
    MissingTagKey,
    MissingTagValue,
    NoTagKey,
    TooManyTags,
)


class PrivateLinkNoPermission(AccessDenied):
    code = "NoPermission"
    status = 400


class NeedOpenProduct(ApiError):
    code = "NeedOpenProduct"
    text = (
        "PrivateLink is not switched on for account {account_id}. OpenPrivateLinkService does it, "
        "once and for good."
    )


class OrderOpend(ApiError):
    code = "OrderOpend"
    text = "PrivateLink is switched on for account {account_id} already."


class EndpointProtected(ApiError):
    code = "EndpointProtected"
    text = (
        "Endpoint {endpoint_id} is protected: only {owner}, who created it, may change or delete "
        "it. Assume that role with that session name to do so."
    )


class EndpointNotFound(ApiError):
    code = "EndpointNotFound"
    text = "Endpoint {endpoint_id!r} is NotFound in this account. ListVpcEndpoints lists yours."


class EndpointZoneNotFound(ApiError):
    code = "EndpointZoneNotFound"
    text = "Endpoint {endpoint_id} has no zone {zone_id!r}. Its zones: {known}."


class EndpointServiceNotFound(ApiError):
    code = "EndpointServiceNotFound"
    text = "Endpoint service {service!r} is NotFound, or it is not shared with this account."


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


class EndpointServiceDeleted(ApiError):
    code = "EndpointServiceDeleted"
    text = (
        "Endpoint {endpoint_id} leads nowhere any more: its service {service_id} was deleted. "
        "Delete it, and create one of another service."
    )


class EndpointDependenceViolation(ApiError):
    code = "EndpointDependenceViolation"
    text = (
        "Endpoint {endpoint_id} still has zones: {dependants}. "
        "Remove each with RemoveZoneFromVpcEndpoint first."
    )


class EndpointZoneDuplicated(ApiError):
    code = "EndpointZoneDuplicated"
    text = "Zone {zone_id} is given twice or is a zone of the endpoint already; one vSwitch a zone."


class MismatchEndpointType(ApiError):
    code = "Mismatch.EndpointType"
    text = "{service_id} stands on {resource_type}, which takes {fitting} endpoints, not {given}."


class EndpointMustContainSecurityGroup(ApiError):
    code = "EndpointMustContainSecurityGroup"
    text = "An endpoint needs at least one security group: give SecurityGroupId.1."


class SecurityGroupNotFound(ApiError):
    code = "SecurityGroupNotFound"
    text = "Security group {group_id!r} is NotFound in {vpc_id}. See DescribeSecurityGroups."


class SecurityGroupExist(ApiError):
    code = "SecurityGroupExist"
    text = "Security group {group_id} is on {endpoint_id} already."


class SecurityGroupTypeOnlySingleTypeSupporteded(ApiError):
    code = "SecurityGroupTypeOnlySingleTypeSupporteded"
    text = "The security groups of one endpoint must all be normal or all be enterprise."


class SecurityGroupTypeNotSupport(ApiError):
    code = "SecurityGroupTypeNotSupport"
    text = (
        "A Reverse endpoint's security groups must let everything in, and none of {groups} does "
        "for {families}. Authorize all protocols (IpProtocol=all, PortRange=-1/-1) from 0.0.0.0/0, "
        "for a DualStack endpoint from ::/0 as well, ahead of every rule that drops; "
        "SetEndpointTargets says what may be called."
    )


class ResourceNotFoundNatGateway(ApiError):
    code = "ResourceNotFound.NatGateway"
    text = (
        "NAT gateway {resource_id!r} is NotFound in this account. DescribeNatGateways lists yours."
    )


class NatGatewayWithoutPrivateLink(ApiError):
    code = "VpcNatServiceException"
    text = (
        "NAT gateway {resource_id} cannot stand behind an endpoint service, as it was created "
        "without PrivateLinkEnabled=true. Create another one with it."
    )


class VpcNatNotSupportBandwidth(ApiError):
    code = "OperationDenied.VpcNatServiceResourceTypeNotSupportBandwidth"
    text = (
        "{parameter} {given} was given; connections to {service_id} have no limit of bandwidth, as "
        "NAT gateways stand behind it. Leave it out."
    )


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


class QuotaExceededEndpointsPerVpc(QuotaExceeded):
    code = "QuotaExceeded.totalEpPerVpc"


class QuotaExceededZonesPerEndpoint(QuotaExceeded):
    code = "QuotaExceeded.epZonePerEndpoint"


class EndpointServiceResourceTypeNotSupport(ApiError):
    code = "EndpointServiceResourceTypeNotSupport"
    text = "Resource type {resource_type!r} cannot be used here: {why}"


class EndpointServiceResourceTypeNotEqual(ApiError):
    code = "EndpointServiceResourceTypeNotEqual"
    text = (
        "{service_id} takes resources of type {expected}, not {resource_type}. ServiceResourceType "
        "says which when a service is created, once and for good; left out it is slb."
    )


class MismatchResourceType(ApiError):
    code = "Mismatch.ResourceType"
    text = "{resource_id} is of type {found}; {service_id} takes resources of type {expected}."


class ResourceAutoAllocateViolation(ApiError):
    code = "ResourceAutoAllocateViolation"
    text = (
        "{resource_id} is the last resource of {service_id} in {zone_id} that new connections may "
        "be placed on; each zone must keep one. Attach or allow another one there first."
    )


class EndpointServiceResourceCannotRemove(ApiError):
    code = "EndpointServiceResourceCannotRemove"
    text = (
        "{resource_id} is the last resource of {service_id} in {zone_id} that new connections may "
        "be placed on, and others stay there. Allow one of those with "
        "UpdateVpcEndpointServiceResourceAttribute first."
    )


class EndpointServiceNotSupportIpv6(ApiError):
    code = "EndpointServiceNotSupportIpv6"
    text = "{what} cannot be DualStack: {why}"


class ServiceResourceNotSupportIpv6(EndpointServiceNotSupportIpv6):
    code = "ServiceResourceNotSupportIpv6"


class EndpointServiceDowngradeNotAllowed(ApiError):
    code = "EndpointServiceDowngradeNotAllowed"
    text = (
        "{service_id} is DualStack and stays so, as endpoints may rely on its IPv6. "
        "For IPv4 alone, create another service."
    )


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


class IncorrectStatusConnection(ApiError):
    code = "IncorrectStatus.VpcEndpointConnection"
    text = (
        "The connection of {endpoint_id} to {service_id} is {status}; a zone of it can be opened "
        "or closed only while it is Connected."
    )


class IncorrectStatusZone(ApiError):
    code = "IncorrectStatus.VpcEndpointZone"
    text = "Zone {zone_id} of {endpoint_id} is {status}; for this it must be {wanted}."


class ResourceNotFoundZone(ApiError):
    code = "ResourceNotFound.VpcEndpointZone"
    status = 404
    text = "Endpoint {endpoint_id} has no zone {zone_id!r}. Its zones: {known}."


class MissingServiceUser(ApiError):
    code = "MissingParam.UserArn"
    text = "Give UserId or UserARN: who may use the service?"


class MismatchUserIdAndUserArn(ApiError):
    code = "Mismatch.UserIdAndUserArn"
    text = "UserId {user_id} and UserARN {user_arn!r} name different accounts."


class MissingTagKeyParam(MissingTagKey):
    code = "MissingTagKeyParam"


class NoTagKeyParam(NoTagKey):
    code = "MissingTagKeyParam"


class MissingTagValueParam(MissingTagValue):
    code = "MissingTagValueParam"


class IllegalTagKeyParam(InvalidTagKey):
    code = "IllegalTagKeyParam"


class IllegalTagValueParam(InvalidTagValue):
    code = "IllegalTagValueParam"


class DuplicatedTagKey(DuplicateTagKey):
    code = "DuplicatedTagKey"


class QuotaExceedTagsPerResource(TooManyTags):
    code = "QuotaExceed.TagsPerResource"


class MissingResourceIdOrTagParam(BothEmptyTagsAndResources):
    code = "MissingResourceIdOrTagParam"


class TaggedResourceNotFound(InvalidResourceIdNotFound):
    code = "InvalidResourceId.NotFound"
    status = 400


class TagInfoNotExist(ApiError):
    code = "TagInfoNotExist"
    text = "{resource_id} has no tag with the key {key!r}. ListTagResources shows its tags."


class GroupedResourceNotFound(ApiError):
    code = "ResourceNotFound"
    text = "{kind} {resource_id!r} is NotFound in this account."


class ZoneOperationDenied(ApiError):
    code = "ZoneOperationDenied"
    text = "Zone {zone_id} of {endpoint_id} stays where it is: {why}"


class CurrentResourceAutoAllocated(ApiError):
    code = "OperationDenied.CurrentResourceAutoAllocated"
    text = (
        "{resource_id} in {zone_id} is still given to new connections. Take it out of the choice "
        "with UpdateVpcEndpointServiceResourceAttribute, AutoAllocatedEnabled=false, first."
    )


class IllegalResourceAllocateMode(ApiError):
    code = "IllegalParam.ResourceAllocateMode"
    text = "The connection is {status}: give ResourceReplaceMode, Graceful or Force, and only it."


class IllegalResourceReplaceMode(ApiError):
    code = "IllegalParam.ResourceReplaceMode"
    text = "The connection is {status}: there is nothing to move. Give ResourceAllocateMode."


class MismatchZoneId(ApiError):
    code = "Mismatch.ZoneId"
    text = "{resource_id} does not serve zone {zone_id}; of this service it serves {known}."
