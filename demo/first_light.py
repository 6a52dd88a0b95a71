"""`make demo`: two private networks with the same addresses, one private endpoint, real bytes.

Everything privlink is asked for here goes through Alibaba Cloud's own Python SDKs, unmodified, as
your programs would do it. What is made is printed as it is made; with --once it is all taken away
again at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_nlb20220430.client import Client as Nlb
from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_privatelink20200415.client import Client as PrivateLink
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as Vpc
from rich.console import Console
from rich.panel import Panel

REGION, ZONE = "local", "local-a"
STATE = "/var/lib/privlink-demo"
LISTEN = "127.0.0.1:8688"
PRIVLINK = str(Path(sys.executable).with_name("privlink"))
CLIENT, SERVER = "privlink-demo-client", "privlink-demo-server"
ANSWER = "Hello from the provider. You reached me as {address}; we both live at 10.0.0.5."

T = TypeVar("T")
console = Console(highlight=False)

# Plain HTTP, because the point is the network below it; says whom it believes to talk to.
SERVICE = f"""
import http.server, socketserver
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ({ANSWER!r}.format(address=self.client_address[0]) + chr(10)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
# The standard HTTPServer would ask DNS for its own name first, and there is none in here.
server = socketserver.ThreadingTCPServer(("10.0.0.5", 80), Handler)
print("listening", flush=True)
server.serve_forever()
"""

# Waits for the word to go, then connects once: the clock of the demo.
FIRST_BYTE = """
import socket, sys, time
print("waiting", flush=True)
address = sys.stdin.readline().strip()
with socket.create_connection((address, 80), timeout=10) as s:
    s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    if s.recv(1):
        print(time.monotonic(), flush=True)
"""


def main() -> None:
    """Run the demo; leave it running, or with --once nothing at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="take everything away at the end")
    once = parser.parse_args().once
    began = time.monotonic()
    with ExitStack() as stack:
        stack.callback(clean_up)
        clean_up()
        tell("Starting privlink: one server without root rights, one node")
        run(PRIVLINK, "up", "--detach", "--state", STATE, "--listen", LISTEN)
        show(*first_light(), seconds=time.monotonic() - began)
        if not once:
            stack.pop_all()
            whats_next()
    if once:
        console.print("Everything has been taken away again.")


def first_light() -> tuple[dict[str, str], str, float]:
    """Build both networks and the endpoint; returns what was made, the answer, milliseconds."""
    credentials = json.loads(Path(STATE, "credentials.json").read_text())
    cloud = Cloud(credentials)
    tell("Two VPCs, both 10.0.0.0/16, and a workload at 10.0.0.5 in each")
    consumer, provider = cloud.network("consumer"), cloud.network("provider")
    attach(provider["vswitch"], SERVER)
    attach(consumer["vswitch"], CLIENT)
    started(["ip", "netns", "exec", SERVER, sys.executable, "-c", SERVICE], "listening")

    tell("The provider publishes its server: a load balancer and an endpoint service")
    service = cloud.publish(provider, "10.0.0.5")
    group = cloud.open_port_80(consumer)

    tell("The consumer creates an endpoint; once it is Connected its client connects, once")
    command = ["ip", "netns", "exec", CLIENT, sys.executable, "-c", FIRST_BYTE]
    watcher = started(command, "waiting")
    assert watcher.stdin is not None and watcher.stdout is not None
    address = "10.0.0.80"
    called = time.monotonic()
    endpoint = cloud.endpoint(consumer, service, group, address)
    watcher.stdin.write(f"{address}\n".encode())
    watcher.stdin.flush()
    milliseconds = 1000 * (float(watcher.stdout.readline()) - called)
    watcher.wait()
    answer = run("ip", "netns", "exec", CLIENT, "curl", "-s", f"http://{address}/")
    made = {"consumer": consumer["vpc"], "provider": provider["vpc"], "service": service}
    return made | {"endpoint": endpoint, "address": address}, answer.strip(), milliseconds


class Cloud:
    """The four SDKs, pointed at this host."""

    def __init__(self, credentials: dict[str, str]) -> None:
        config = Config(
            access_key_id=credentials["access_key_id"],
            access_key_secret=credentials["access_key_secret"],
            endpoint=LISTEN,
            protocol="http",
            region_id=REGION,
        )
        self.vpc, self.ecs = Vpc(config), Ecs(config)
        self.nlb, self.privatelink = Nlb(config), PrivateLink(config)

    def network(self, name: str) -> dict[str, str]:
        """A VPC 10.0.0.0/16 with one vSwitch 10.0.0.0/24."""
        vpc_id = self.vpc.create_vpc(
            vpc.CreateVpcRequest(region_id=REGION, cidr_block="10.0.0.0/16", vpc_name=name)
        ).body.vpc_id
        vswitch_id = self.vpc.create_vswitch(
            vpc.CreateVSwitchRequest(
                region_id=REGION, zone_id=ZONE, vpc_id=vpc_id, cidr_block="10.0.0.0/24"
            )
        ).body.v_switch_id
        request = vpc.DescribeVSwitchAttributesRequest(region_id=REGION, v_switch_id=vswitch_id)
        wait_for(
            lambda: self.vpc.describe_vswitch_attributes(request).body.status == "Available",
            f"{vswitch_id} Available",
        )
        return {"vpc": vpc_id, "vswitch": vswitch_id}

    def publish(self, network: dict[str, str], server: str) -> str:
        """An endpoint service for everybody, on a load balancer in front of one server."""
        balancer = self.nlb.create_load_balancer(
            nlb.CreateLoadBalancerRequest(
                region_id=REGION,
                vpc_id=network["vpc"],
                address_type="Intranet",
                zone_mappings=[
                    nlb.CreateLoadBalancerRequestZoneMappings(
                        zone_id=ZONE, v_switch_id=network["vswitch"]
                    )
                ],
            )
        ).body.loadbalancer_id
        group = self.nlb.create_server_group(
            nlb.CreateServerGroupRequest(
                region_id=REGION,
                vpc_id=network["vpc"],
                server_group_name="web",
                server_group_type="Ip",
            )
        ).body.server_group_id
        self.nlb.add_servers_to_server_group(
            nlb.AddServersToServerGroupRequest(
                region_id=REGION,
                server_group_id=group,
                servers=[
                    nlb.AddServersToServerGroupRequestServers(
                        server_type="Ip", server_id=server, port=80
                    )
                ],
            )
        )
        self.nlb.create_listener(
            nlb.CreateListenerRequest(
                region_id=REGION,
                load_balancer_id=balancer,
                listener_protocol="TCP",
                listener_port=80,
                server_group_id=group,
            )
        )
        service: str = self.privatelink.create_vpc_endpoint_service(
            privatelink.CreateVpcEndpointServiceRequest(
                region_id=REGION,
                service_resource_type="nlb",
                auto_accept_enabled=True,
                resource=[
                    privatelink.CreateVpcEndpointServiceRequestResource(
                        resource_type="nlb", resource_id=balancer, zone_id=ZONE
                    )
                ],
            )
        ).body.service_id
        return service

    def open_port_80(self, network: dict[str, str]) -> str:
        """A security group that lets the VPC use port 80, and ping."""
        group: str = self.ecs.create_security_group(
            ecs.CreateSecurityGroupRequest(region_id=REGION, vpc_id=network["vpc"])
        ).body.security_group_id
        rules = [("tcp", "80/80"), ("icmp", "-1/-1")]
        self.ecs.authorize_security_group(
            ecs.AuthorizeSecurityGroupRequest(
                region_id=REGION,
                security_group_id=group,
                permissions=[
                    ecs.AuthorizeSecurityGroupRequestPermissions(
                        ip_protocol=protocol, port_range=ports, source_cidr_ip="10.0.0.0/16"
                    )
                    for protocol, ports in rules
                ],
            )
        )
        return group

    def endpoint(self, network: dict[str, str], service: str, group: str, address: str) -> str:
        """An Interface endpoint at an address of our choice."""
        zone = privatelink.CreateVpcEndpointRequestZone(
            zone_id=ZONE, v_switch_id=network["vswitch"], ip=address
        )
        endpoint: str = self.privatelink.create_vpc_endpoint(
            privatelink.CreateVpcEndpointRequest(
                region_id=REGION,
                vpc_id=network["vpc"],
                service_id=service,
                security_group_id=[group],
                zone=[zone],
            )
        ).body.endpoint_id
        request = privatelink.GetVpcEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
        wait_for(
            lambda: (
                self.privatelink.get_vpc_endpoint_attribute(request).body.connection_status
                == "Connected"
            ),
            f"{endpoint} Connected",
        )
        return endpoint


def show(made: dict[str, str], answer: str, milliseconds: float, *, seconds: float) -> None:
    """Draw who reaches whom and what came of it."""
    picture = f"""\
  [bold]consumer[/bold]  {made["consumer"]}  10.0.0.0/16
  ┌──────────────────┐        ┌──────────────────────────────┐
  │ client  10.0.0.5 │ ─────▶ │ endpoint  {made["address"]:<18} │
  └──────────────────┘        │ {made["endpoint"]:<28} │
                              └──────────────┬───────────────┘
                                             │ one way, by consent
                              ┌──────────────▼───────────────┐
                              │ service   port 80, one NLB   │
  ┌──────────────────┐        │ {made["service"]:<28} │
  │ server  10.0.0.5 │ ◀───── └──────────────────────────────┘
  └──────────────────┘
  [bold]provider[/bold]  {made["provider"]}  10.0.0.0/16"""
    console.print(Panel(picture, title="who reaches whom", expand=False))
    console.print(f"[bold]curl http://{made['address']}/[/bold] from the client answers:")
    console.print(f"  [green]{answer}[/green]")
    console.print(
        f"From the CreateVpcEndpoint call to the first byte: [bold]{milliseconds:.1f} ms[/bold]"
        f" (the whole demo: {seconds:.1f} s)"
    )


def whats_next() -> None:
    """Say what a curious person may try."""
    console.print(
        f"""
It stays up. What to try next:
  ip netns exec {CLIENT} curl http://10.0.0.80/     the same again
  ip netns exec {CLIENT} ping -c 3 10.0.0.80        the endpoint answers itself
  {PRIVLINK} status --state {STATE}
  eval "$({PRIVLINK} env --state {STATE})"          then run your own SDK code
  kill -9 both processes of privlink: traffic goes on, and they come back
and to take everything away:
  {PRIVLINK} down --purge --delete-state --state {STATE}
  ip netns del {CLIENT}; ip netns del {SERVER}      (ends the demo's web server too)"""
    )


def attach(vswitch: str, namespace: str) -> None:
    """A network namespace as a workload at 10.0.0.5."""
    run("ip", "netns", "add", namespace)
    run("ip", "netns", "exec", namespace, "ip", "link", "set", "lo", "up")
    place = ("--vswitch", vswitch, "--netns", namespace, "--ip", "10.0.0.5")
    run(PRIVLINK, "attach", *place, "--state", STATE)


def started(command: list[str], word: str) -> subprocess.Popen[bytes]:
    """A program in the background, once it has said the word."""
    pipe = subprocess.PIPE
    program = subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True)
    assert program.stdout is not None
    if program.stdout.readline().strip() != word.encode():
        raise SystemExit(f"{command[3]} in {command[-1][:20]}... did not start")
    return program


def clean_up() -> None:
    """Take away what this or an earlier demo has made."""
    for namespace in (CLIENT, SERVER):
        if Path("/run/netns", namespace).exists():
            for process in run("ip", "netns", "pids", namespace).split():
                subprocess.run(["kill", process], check=False)
            run("ip", "netns", "del", namespace)
    run(PRIVLINK, "down", "--purge", "--delete-state", "--state", STATE)


def run(*command: str) -> str:
    """A command's output; what it said goes to the person if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until the cloud says so."""
    until = time.monotonic() + 10
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"not within 10 s: {what}")
        time.sleep(0.005)


def tell(what: str) -> None:
    """One line of progress."""
    console.print(f"[dim]·[/dim] {what}")


if __name__ == "__main__":
    main()
