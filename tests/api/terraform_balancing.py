"""What Terraform's provider sends and reads of server groups, and of listeners of either kind.

Source: aliyun/terraform-provider-alicloud, as in `terraform.py`.
"""

from __future__ import annotations

from typing import Any

from tests.api.terraform import NLB, SLB, Answer, Provider, SdkError

# Settings of HTTP listeners that the provider sends with every change of one on TCP or UDP.
OF_HTTP = {
    "StickySession": "off",
    "HealthCheck": "on",
    "HealthCheckURI": "/",
    "HealthyThreshold": 3,
    "UnhealthyThreshold": 3,
    "HealthCheckTimeout": 5,
    "HealthCheckInterval": 2,
    "HealthCheckHttpCode": "http_2xx",
    "IdleTimeout": 15,
    "RequestTimeout": 60,
    "Gzip": "on",
    "XForwardedFor_SLBIP": "off",
    "XForwardedFor_SLBID": "off",
    "XForwardedFor_proto": "off",
}


class NetworkServerGroup:
    """alicloud_nlb_server_group."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, **arguments: Any) -> str:
        made = self._provider.write(NLB, "CreateServerGroup", self._provider.region(**arguments))
        group_id = str(made["ServerGroupId"])
        self._provider.wait(
            lambda: (self.read(group_id) or {}).get("ServerGroupStatus"), "Available"
        )
        return group_id

    def read(self, group_id: str) -> Answer | None:
        body = self._provider.region(**{"ServerGroupIds.1": group_id})
        found = self._provider.post(NLB, "ListServerGroups", body)["ServerGroups"]
        return dict(found[0]) if found else None

    def change(self, group_id: str, **changed: Any) -> None:
        body = self._provider.region(ServerGroupId=group_id, **changed)
        self._provider.write(NLB, "UpdateServerGroupAttribute", body)
        self._provider.wait(
            lambda: (self.read(group_id) or {}).get("ServerGroupStatus"), "Available"
        )

    def delete(self, group_id: str) -> None:
        body = self._provider.region(ServerGroupId=group_id)
        self._provider.write(NLB, "DeleteServerGroup", body)
        self._provider.wait(lambda: self.read(group_id), None)


class NetworkListener:
    """alicloud_nlb_listener."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def create(self, **arguments: Any) -> str:
        made = self._provider.write(NLB, "CreateListener", self._provider.region(**arguments))
        listener_id = str(made["ListenerId"])
        self._provider.wait(lambda: (self.read(listener_id) or {}).get("ListenerStatus"), "Running")
        return listener_id

    def read(self, listener_id: str) -> Answer | None:
        body = self._provider.region(ListenerId=listener_id)
        try:
            return self._provider.post(NLB, "GetListenerAttribute", body)
        except SdkError as error:
            assert error.is_one_of(["ResourceNotFound.listener", "ResourceNotFound.Listener"])
            return None

    def change(self, listener_id: str, **changed: Any) -> None:
        body = self._provider.region(ListenerId=listener_id, **changed)
        self._provider.write(NLB, "UpdateListenerAttribute", body)
        self._provider.wait(lambda: (self.read(listener_id) or {}).get("ListenerStatus"), "Running")


class ClassicListener:
    """alicloud_slb_listener on TCP or UDP: everything in the query."""

    def __init__(self, provider: Provider, protocol: str) -> None:
        self._provider, self._protocol = provider, protocol.upper()

    def create(self, balancer_id: str, port: int, backend_port: int, **settings: Any) -> None:
        """It creates the listener bare, starts it, and then sets all it is to be."""
        about = {
            "LoadBalancerId": balancer_id,
            "ListenerPort": port,
            "BackendServerPort": backend_port,
            "Bandwidth": -1,
            "AclStatus": "off",
        }
        self._ask(f"CreateLoadBalancer{self._protocol}Listener", **about)
        self._wait(balancer_id, port, "stopped")
        started = {"ListenerProtocol": self._protocol.lower(), "LoadBalancerId": balancer_id}
        self._ask("StartLoadBalancerListener", ListenerPort=port, **started)
        self._wait(balancer_id, port, "running")
        self.change(**about, **settings)

    def read(self, balancer_id: str, port: int) -> Answer:
        action = f"DescribeLoadBalancer{self._protocol}ListenerAttribute"
        return self._ask(action, LoadBalancerId=balancer_id, ListenerPort=port)

    def change(self, **about: Any) -> None:
        self._ask(f"SetLoadBalancer{self._protocol}ListenerAttribute", **OF_HTTP | about)

    def delete(self, balancer_id: str, port: int) -> None:
        named = {"LoadBalancerId": balancer_id, "ListenerPort": port}
        protocol = self._protocol.lower()
        self._ask("DeleteLoadBalancerListener", ListenerProtocol=protocol, **named)

    def _wait(self, balancer_id: str, port: int, status: str) -> None:
        self._provider.wait(lambda: self.read(balancer_id, port)["Status"], status)

    def _ask(self, action: str, **query: Any) -> Answer:
        return self._provider.post(SLB, action, query=self._provider.region(**query))
