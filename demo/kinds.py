"""The other two kinds of endpoint, between the networks that the first light has joined.

Each scene tells what happened in a line, shows the answer, and returns what one may try again.
"""

from __future__ import annotations

from demo.cloud import Cloud, Network
from demo.host import (
    CLIENT,
    OBJECTS,
    PRIVLINK,
    SERVER,
    STATE,
    attach,
    console,
    curl,
    run,
    serve,
    tell,
)

BLOCK, OBJECT_SERVER = "198.51.100.0/24", "198.51.100.5"  # for examples (RFC 5737)
NAME = "com.privlink.local.objects"
BY_ROUTE = f"Hello from {OBJECT_SERVER}, which has no other name. You reached me as {{address}}."
BACKWARDS = "Hello from the consumer. You reached me as {address}; we both live at 10.0.0.5."


def by_route(cloud: Cloud, consumer: Network) -> str:
    """A gateway endpoint: returns the address that the client calls."""
    tell(f"A gateway endpoint: a route of the consumer's leads to {BLOCK}")
    home = cloud.network("objects", cidr=BLOCK, subnet=BLOCK)
    attach(home, OBJECTS, OBJECT_SERVER)
    serve(OBJECTS, OBJECT_SERVER, BY_ROUTE)
    place = ("--name", NAME, "--vswitch", home.vswitch, "--cidr", BLOCK)
    run(PRIVLINK, "gateway-service", "create", *place, "--state", STATE)
    cloud.gateway_endpoint(consumer, NAME)
    show("client", CLIENT, OBJECT_SERVER)
    return OBJECT_SERVER


def backwards(cloud: Cloud, consumer: Network, provider: Network) -> str:
    """A reverse endpoint: returns the address and port that the provider calls."""
    tell("A reverse endpoint: the provider calls the consumer's server, with its consent")
    serve(CLIENT, "10.0.0.5", BACKWARDS)
    gateway, nat_ip = cloud.nat_gateway(provider)
    service = cloud.reverse_service(gateway)
    group = cloud.security_group(consumer, ("all", "-1/-1"), source="0.0.0.0/0")
    endpoint = cloud.endpoint(consumer, service, group, kind="Reverse")
    cloud.accept(service, endpoint)
    cloud.await_connection(endpoint, "Connected")
    _, port = cloud.full_nat_entry(gateway, nat_ip, endpoint, "10.0.0.5", 80)
    door = f"{nat_ip}:{port}"
    show("provider", SERVER, door)
    return door


def show(who: str, namespace: str, called: str) -> None:
    """Call a web server, and show what it answers."""
    answer = curl(namespace, f"http://{called}/")
    console.print(f"[bold]curl http://{called}/[/bold] from the {who} answers:")
    console.print(f"  [green]{answer}[/green]")
