"""VPC: gateway endpoints, and the gateway services behind them."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation


class GatewayEndpointNotFound(ApiError):
    code = "ResourceNotFound.GatewayEndpoint"
    text = (
        "Gateway endpoint {endpoint_id!r} is NotFound in this account. ListVpcGatewayEndpoints "
        "lists yours."
    )


class GatewayEndpointExists(ApiError):
    code = "ResourceAlreadyExist.GatewayEndpoint"
    text = (
        "{vpc_id} has a gateway endpoint for {service} already: {endpoint_id}. Associate its route "
        "tables with that one."
    )


class GatewayServiceNameNotFound(ApiError):
    code = "ResourceNotFound.ServiceName"
    text = (
        "Gateway service {name!r} is NotFound. ListVpcEndpointServicesByEndUser of this product "
        "lists those there are."
    )


class GatewayVpcNotFound(ApiError):
    code = "ResourceNotFound.VpcId"
    text = "VPC {vpc_id!r} is NotFound in this account. DescribeVpcs lists yours."


class GatewayVpcIpv6Disabled(ApiError):
    code = "OperationFailed.VpcIpv6Disabled"
    text = (
        "{service} is reached by IPv6 alone and {vpc_id} has none. ModifyVpcAttribute with "
        "EnableIPv6=true gives it a block."
    )


class GatewayEndpointDeleting(ApiError):
    code = "IncorrectStatus.GatewayEndpoint"
    text = "Gateway endpoint {endpoint_id} is being deleted, so nothing of it can be changed."


class IllegalGatewayEndpointName(ApiError):
    code = "IllegalParam.GatewayEndpointName"
    text = (
        "EndpointName {given!r} is not valid: a name has up to {most} characters and does not "
        "begin with http(s)://."
    )


class IllegalGatewayEndpointDescription(ApiError):
    code = "IllegalParam.GatewayEndpointDescription"
    text = (
        "EndpointDescription {given!r} is not valid: a description has up to {most} characters "
        "and does not begin with http(s)://."
    )


class IllegalGatewayMaxResults(ApiError):
    code = "IllegalParam.MaxResults"
    text = "MaxResults {given} is not valid: a page has 1 to {most} items."


class IllegalGatewayNextToken(ApiError):
    code = "IllegalParam.NextToken"
    text = "NextToken is not valid: {why}"


class PolicyDocumentDenied(ApiError):
    code = "OperationDenied.PolicyDocument"
    text = "{service} supports no policies. Leave PolicyDocument out."


class PolicyWrongFormat(ApiError):
    code = "InvalidPolicy.WrongFormat"
    text = "PolicyDocument is not valid: {why}"


class GatewayRouteTableNotFound(ApiError):
    code = "ResourceNotFound.RouteTable"
    text = (
        "Route table {table_id!r} is NotFound in this account. DescribeRouteTableList lists yours."
    )


class GatewayRouteTableElsewhere(ApiError):
    code = "Mismatch.VpcAndRouteTable"
    text = "Route table {table_id} is of {vpc_id} and {endpoint_id} of {other}: use one VPC's."


class GatewayAssociationExists(ApiError):
    code = "ResourceAlreadyExist.Association"
    text = "Route table {table_id} is associated with {endpoint_id} already."


class GatewayAssociationNotFound(ApiError):
    code = "ResourceNotFound.Association"
    text = (
        "Route table {table_id} is NotFound among those associated with {endpoint_id}. "
        "GetVpcGatewayEndpointAttribute lists them."
    )


class GatewayRouteConflict(ApiError):
    code = "VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE"
    text = (
        "{table_id} has a route for {block} already: {entry_id}, to {hop}. Delete that one, or "
        "use another route table."
    )


class GatewayBlockOverlap(ApiError):
    code = "OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch"
    text = (
        "{block} of the service overlaps {cidr} of {whose}: packets for it stay in the VPC. "
        "Reach the service from a VPC with another block."
    )


class DependencyViolationGatewayEndpoint(DependencyViolation):
    code = "DependencyViolation.GatewayEndpoint"


class DependencyViolationGatewayService(DependencyViolation):
    code = "DependencyViolation.GatewayService"
    text = (
        "{resource} is still used by {dependants}. The operator deletes those with "
        "DeleteGatewayService."
    )


class GatewayServiceNotFound(ApiError):
    code = "GatewayServiceNotFound"
    status = 404
    text = "Gateway service {service_id!r} is NotFound. ListGatewayServices lists them."


class GatewayServiceExists(ApiError):
    code = "GatewayServiceExists"
    text = "A gateway service named {name!r} exists already: {service_id}."


class SystemPrefixList(ApiError):
    code = "OperationDenied.SystemPrefixList"
    text = (
        "{list_id} is the system's, of {service}: it can be read and not changed, and its routes "
        "are written with AssociateRouteTablesWithVpcGatewayEndpoint."
    )
