"""NLB: load balancers, listeners, server groups."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


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


class MismatchIpVersion(ApiError):
    code = "Mismatch.AddressIPVersion"
    text = (
        "{address} is an IPv6 address; {group_id} takes IPv4 ones. A server group that is created "
        "with AddressIPVersion DualStack takes both."
    )


class MismatchProtocol(ApiError):
    code = "Mismatch.Protocol"
    text = (
        "{group_id} is of Protocol {group_protocol}, which is not for a {protocol} listener. Name "
        "a server group of {protocol} or TCP_UDP."
    )


class MismatchAnyPort(ApiError):
    code = "Mismatch.AnyPortEnabled"
    text = (
        "A listener on ports {ports} needs servers that take any port, and AnyPortEnabled of "
        "{group_id} is false. Name a server group that is created with AnyPortEnabled=true."
    )


class BackendServerNotFound(ApiError):
    code = "ResourceNotFound.BackendServer"
    status = 404
    text = "{server} is NotFound in {server_group_id}. ListServerGroupServers lists its servers."


class JobNotFound(ApiError):
    code = "ResourceNotFound.Job"
    status = 404
    text = "Job {job_id!r} is NotFound in this account. Give the JobId of an answer, unchanged."


class DeletionProtectionEnabled(ApiError):
    code = "OperationDenied.DeletionProtectionEnabled"
    text = (
        "{load_balancer_id} is protected against deletion (reason: {reason}). Disable that with "
        "UpdateLoadBalancerProtection, DeletionProtectionEnabled=false, first."
    )


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
