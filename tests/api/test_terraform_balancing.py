"""Terraform's provider reads back what it sent of server groups and of listeners of either kind."""

from __future__ import annotations

import pytest

from tests.api.terraform import Provider, SdkError
from tests.api.terraform_balancing import ClassicListener, NetworkListener, NetworkServerGroup
from tests.api.world import World

# As the provider's documentation has it: what is about HTTP stands beside a check by TCP.
CHECK = {
    "HealthCheckEnabled": True,
    "HealthCheckType": "TCP",
    "HealthCheckConnectPort": 0,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 2,
    "HealthCheckConnectTimeout": 5,
    "HealthCheckInterval": 10,
    "HttpCheckMethod": "GET",
    "HealthCheckHttpCode": ["http_2xx", "http_3xx", "http_4xx"],
}


def test_a_server_group(provider: Provider, world: World) -> None:
    group = NetworkServerGroup(provider)
    made = group.create(
        ServerGroupName="tf-testacc",
        ServerGroupType="Instance",
        VpcId=world.network().vpc,
        Scheduler="Rr",
        Protocol="TCP",
        ConnectionDrainEnabled=True,
        ConnectionDrainTimeout=60,
        AddressIPVersion="Ipv4",
        HealthCheckConfig=CHECK,
    )
    shown = group.read(made)
    assert shown is not None
    assert (shown["Scheduler"], shown["ConnectionDrainTimeout"]) == ("Rr", 60)
    assert shown["ConnectionDrainEnabled"] is True
    assert shown["HealthCheck"].items() >= CHECK.items()
    # A change of one setting sends all that was read, the computed ones with it.
    group.change(made, HealthCheckConfig=shown["HealthCheck"] | {"HealthCheckType": "HTTP"})
    group.change(made, Scheduler="Wlc", ConnectionDrainEnabled=False)
    again = group.read(made)
    assert again == shown | {
        "Scheduler": "Wlc",
        "ConnectionDrainEnabled": False,
        "HealthCheck": shown["HealthCheck"] | {"HealthCheckType": "HTTP"},
    }
    group.delete(made)
    assert group.read(made) is None


def test_a_listener_of_a_network_balancer(provider: Provider, world: World) -> None:
    network, listener = world.network(), NetworkListener(provider)
    made = listener.create(
        LoadBalancerId=world.balancer(network),
        ListenerProtocol="TCP",
        ListenerPort=80,
        ServerGroupId=world.server_group(network),
        IdleTimeout=900,
        ProxyProtocolEnabled=False,
        SecSensorEnabled=False,
        Cps=0,
    )
    shown = listener.read(made)
    assert shown is not None and shown["IdleTimeout"] == 900
    listener.change(made, IdleTimeout=10)
    again = listener.read(made)
    assert again is not None and again["IdleTimeout"] == 10


def test_a_listener_of_a_classic_balancer_on_tcp(provider: Provider, world: World) -> None:
    clb, listener = world.clb(world.network()), ClassicListener(provider, "tcp")
    settings = {
        "Scheduler": "sch",
        "HealthCheckType": "http",
        "HealthCheckDomain": "tf-testacc.example",
        "HealthCheckURI": "/well",
        "HealthCheckConnectPort": 20,
        "HealthCheckHttpCode": "http_2xx,http_3xx",
        "HealthCheckInterval": 5,
        "HealthyThreshold": 8,
        "UnhealthyThreshold": 9,
        "EstablishedTimeout": 600,
    }
    more = {"HealthCheckConnectTimeout": 8, "PersistenceTimeout": 0}
    listener.create(clb, 22, 22, **settings, **more)
    shown = listener.read(clb, 22)
    assert shown.items() >= (settings | more | {"HealthCheck": "on"}).items()
    about = {"LoadBalancerId": clb, "ListenerPort": 22}
    with pytest.raises(SdkError) as caught:
        listener.change(**about, BackendServerPort=23)
    assert caught.value.code == "InvalidBackendServerPort"
    assert "'23' was given, and it is 22 for good" in caught.value.message
    listener.change(**about, **settings | {"EstablishedTimeout": 700})
    assert listener.read(clb, 22)["EstablishedTimeout"] == 700
    listener.delete(clb, 22)


def test_a_listener_of_a_classic_balancer_on_udp(provider: Provider, world: World) -> None:
    clb, listener = world.clb(world.network()), ClassicListener(provider, "udp")
    settings = {"HealthCheckInterval": 4, "HealthyThreshold": 8, "UnhealthyThreshold": 9}
    listener.create(clb, 53, 53, Scheduler="wrr", HealthCheckConnectTimeout=8, **settings)
    assert listener.read(clb, 53).items() >= settings.items()
    listener.delete(clb, 53)
