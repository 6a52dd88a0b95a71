"""An installation of the product with one service and one endpoint, as its users make them.

It is started by `privlink up` over a state folder of its own, driven by the official SDKs, and its
workloads come in by `privlink attach`. Its server is not checked, since whoever measures starts and
ends it as he needs. It goes, with all it made, with its context manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_nlb20220430 import models as nlb
from Tea.exceptions import TeaException

from demo.cloud import REGION, Cloud, Network
from tests.journey.installation import Installation, Workload, workload

PORT = 7000  # of every server of the bench
ENDPOINT = "10.0.0.80"
_HOST = "10.0.0.5"  # client and server, the same on purpose
_AT_ONCE = 100  # rules in one call


class Site(NamedTuple):
    """What there is."""

    installation: Installation
    cloud: Cloud
    consumer: Network
    service: str
    group: str  # lets the consumer's VPC use the port
    client: Workload
    server: Workload
    why_no_udp: str  # what the API says to a UDP listener; empty if it makes one


@contextmanager
def build(state: Path, rules: int = 1, subnet: str = "10.0.0.0/24") -> Iterator[Site]:
    """A site whose endpoint's security group has so many rules, the one that lets in last."""
    installation = Installation(state)
    try:
        installation.up()
        cloud = installation.cloud()
        consumer, provider = cloud.network("consumer", subnet=subnet), cloud.network("provider")
        with (
            workload(installation, consumer, "client", _HOST) as client,
            workload(installation, provider, "server", _HOST) as server,
        ):
            balancer = cloud.load_balancer(provider, [_HOST], PORT, checked=False)
            why_no_udp = _listen_for_udp(cloud, provider, balancer)
            service = cloud.service(balancer, auto_accept=True)
            group = security_group(cloud, consumer, rules)
            endpoint = cloud.endpoint(consumer, service, group, ENDPOINT)
            cloud.await_connection(endpoint, "Connected")
            place = installation, cloud, consumer, service, group
            yield Site(*place, client, server, why_no_udp)
    finally:
        installation.tear_down()


def security_group(cloud: Cloud, network: Network, rules: int) -> str:
    """A group whose last rule lets in; those before it match another port or another source."""
    group: str = cloud.ecs.create_security_group(
        ecs.CreateSecurityGroupRequest(region_id=REGION, vpc_id=network.vpc)
    ).body.security_group_id
    others = [
        ("tcp", f"{PORT + number}/{PORT + number}", "10.0.0.0/8", "1")
        if number % 2
        else ("tcp", f"{PORT}/{PORT}", f"192.168.{number}.0/24", "1")
        for number in range(1, rules)
    ]
    wanted = [*others, ("all", "-1/-1", "10.0.0.0/8", "100")]
    for start in range(0, rules, _AT_ONCE):
        permissions = [
            ecs.AuthorizeSecurityGroupRequestPermissions(
                ip_protocol=protocol, port_range=ports, source_cidr_ip=source, priority=priority
            )
            for protocol, ports, source, priority in wanted[start : start + _AT_ONCE]
        ]
        cloud.ecs.authorize_security_group(
            ecs.AuthorizeSecurityGroupRequest(
                region_id=REGION, security_group_id=group, permissions=permissions
            )
        )
    return group


def _listen_for_udp(cloud: Cloud, network: Network, balancer: str) -> str:
    """Have the load balancer carry UDP too; why it does not, or nothing."""
    try:
        group = cloud.nlb.create_server_group(
            nlb.CreateServerGroupRequest(
                region_id=REGION,
                vpc_id=network.vpc,
                server_group_name="datagrams",
                server_group_type="Ip",
                protocol="UDP",
                health_check_config=nlb.CreateServerGroupRequestHealthCheckConfig(
                    health_check_enabled=False
                ),
            )
        ).body.server_group_id
        server = nlb.AddServersToServerGroupRequestServers(
            server_type="Ip", server_id=_HOST, port=PORT
        )
        cloud.nlb.add_servers_to_server_group(
            nlb.AddServersToServerGroupRequest(
                region_id=REGION, server_group_id=group, servers=[server]
            )
        )
        cloud.nlb.create_listener(
            nlb.CreateListenerRequest(
                region_id=REGION,
                load_balancer_id=balancer,
                listener_protocol="UDP",
                listener_port=PORT,
                server_group_id=group,
            )
        )
    except TeaException as refusal:
        said = refusal.message.partition(" request id: ")[0]
        return f"the API refuses a UDP listener: {said}"
    return ""
