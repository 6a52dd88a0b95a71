"""CLB (Server Load Balancer): load balancers, listeners, backend servers."""

from __future__ import annotations

from privlink.errors.base import ApiError
from privlink.errors.gateway import DependencyViolation, QuotaExceeded


class InvalidLoadBalancerIdNotFound(ApiError):
    code = "InvalidLoadBalancerId.NotFound"
    status = 404
    text = "Load balancer {load_balancer_id!r} is NotFound in this account."


class VServerGroupNotFound(ApiError):
    code = "InvalidParameter"
    text = "The specified VServerGroup does not exist: {group_id!r} is NotFound in this account."


class ClbListenerNotFound(ApiError):
    code = "InvalidParameter"
    text = (
        "The specified resource does not exist: a listener on {where} is NotFound on "
        "{load_balancer_id}. Its ports: {known}."
    )


class ListenerAlreadyExists(ApiError):
    code = "ListenerAlreadyExists"
    text = "{load_balancer_id} already has a listener on {protocol} port {port}."


class DeleteProtectionIsOn(ApiError):
    code = "OperationDenied.DeleteProtectionIsOn"
    text = (
        "{load_balancer_id} is protected against deletion. Use SetLoadBalancerDeleteProtection, "
        "DeleteProtection=off, first."
    )


class VServerGroupInUse(DependencyViolation):
    code = "RspoolVipExist"


class QuotaExceededClbs(QuotaExceeded):
    code = "QuotaLimitExceeds.LoadBalancers"


class QuotaExceededClbListeners(QuotaExceeded):
    code = "QuotaLimitExceeds.Listeners"


class QuotaExceededBackendServers(QuotaExceeded):
    code = "QuotaLimitExceeds.BackendServers"


class QuotaExceededVServerGroups(QuotaExceeded):
    code = "QuotaLimitExceeds.VServerGroups"
