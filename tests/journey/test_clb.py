"""A service on a CLB carries bytes as one on an NLB does.

consumer 10.0.0.0/16                              provider 10.0.0.0/16
client 10.0.0.5 ──▶ endpoint 10.0.0.80 ──▶ service on a CLB ──▶ server 10.0.0.5
                                           port 7001     port 7000
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from demo.cloud import wait_for
from tests.api.account import Account
from tests.journey.installation import PORT, SERVER, Installation, Stage
from tests.kernel import lab

ENDPOINT = "10.0.0.80"
FRONT = 7001  # another port than the servers', so that the CLB has something to do


@pytest.fixture
def account(installation: Installation) -> Account:
    """The operator, through the official SDKs."""
    keys = json.loads((installation.state / "credentials.json").read_text())
    names = ("account_id", "access_key_id", "access_key_secret")
    return Account(installation.listen, *(keys[name] for name in names))


@pytest.fixture
def clb(account: Account, stage: Stage) -> str:
    """A CLB before the echo server, with an endpoint that is Connected."""
    made = account.slb.CreateLoadBalancer(VSwitchId=stage.provider.vswitch)["LoadBalancerId"]
    servers = json.dumps([{"ServerId": SERVER, "Type": "eniip"}])
    account.slb.AddBackendServers(LoadBalancerId=made, BackendServers=servers)
    account.slb.CreateLoadBalancerTCPListener(
        LoadBalancerId=made, ListenerPort=FRONT, Bandwidth=-1, BackendServerPort=PORT
    )
    account.slb.StartLoadBalancerListener(LoadBalancerId=made, ListenerPort=FRONT)
    service = account.privatelink.CreateVpcEndpointService(
        AutoAcceptEnabled=True, Resource=[{"ResourceType": "slb", "ResourceId": made}]
    )["ServiceId"]
    stage.cloud.allow(stage.group, "tcp", f"{FRONT}/{FRONT}")
    endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
    stage.cloud.await_connection(endpoint, "Connected")
    return str(made)


def test_bytes_pass_through_a_clb(stage: Stage, clb: str) -> None:
    wait_for(lambda: reaches(stage), "the rule for the port to hold")
    assert lab.ask(stage.client.netns, ENDPOINT, FRONT, b"the first byte") == b"the first byte"
    assert stage.callers[-1].startswith("100.64.")


@pytest.mark.parametrize("how", ["listener", "load balancer"])
def test_a_clb_that_is_stopped_takes_no_new_flows_and_keeps_the_running(
    account: Account, stage: Stage, clb: str, how: str
) -> None:
    wait_for(lambda: reaches(stage), "the rule for the port to hold")
    stop, start = switches(account, clb, how)
    with lab.connect(stage.client.netns, ENDPOINT, FRONT) as running:
        stop()
        wait_for(lambda: not reaches(stage), "new flows to be refused")
        running.sendall(b"on")
        assert lab.receive(running, 2) == b"on"
    start()
    wait_for(lambda: reaches(stage), "new flows to pass again")


def switches(account: Account, clb: str, how: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """What stops a CLB, and what starts it again."""

    def listener(verb: str) -> None:
        getattr(account.slb, f"{verb}LoadBalancerListener")(LoadBalancerId=clb, ListenerPort=FRONT)

    def balancer(status: str) -> None:
        account.slb.SetLoadBalancerStatus(LoadBalancerId=clb, LoadBalancerStatus=status)

    if how == "listener":
        return lambda: listener("Stop"), lambda: listener("Start")
    return lambda: balancer("inactive"), lambda: balancer("active")


def reaches(stage: Stage) -> bool:
    """Whether a new flow passes."""
    try:
        return lab.ask(stage.client.netns, ENDPOINT, FRONT, b"x") == b"x"
    except OSError:
        return False
