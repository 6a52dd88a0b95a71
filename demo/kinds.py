"""The other two kinds of endpoint, between the networks that the first light has joined.

Each scene tells what happened in a line, shows the answer, and returns what one may try again.
"""

from __future__ import annotations

from demo import gateway, reverse
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

OBJECT_SERVER = "198.51.100.5"
BY_ROUTE = f"Hello from {OBJECT_SERVER}, which has no other name. You reached me as {{address}}."
BACKWARDS = "Hello from the consumer. You reached me as {address}; we both live at 10.0.0.5."


def by_route(cloud: Cloud, consumer: Network) -> str:
    """A gateway endpoint: returns the address that the client calls."""
    tell(f"A gateway endpoint: a route of the consumer's leads to {gateway.BLOCK}")
    home = gateway.home(cloud)
    attach(home, OBJECTS, OBJECT_SERVER)
    serve(OBJECTS, OBJECT_SERVER, BY_ROUTE)
    place = ("--name", gateway.NAME, "--vswitch", home.vswitch, "--cidr", gateway.BLOCK)
    run(PRIVLINK, "gateway-service", "create", *place, "--state", STATE)
    made = gateway.endpoint(cloud, consumer)
    gateway.associate(cloud, made, gateway.system_table(cloud, consumer))
    show("client", CLIENT, OBJECT_SERVER)
    return OBJECT_SERVER


def backwards(cloud: Cloud, consumer: Network, provider: Network) -> str:
    """A reverse endpoint: returns the address and port that the provider calls."""
    tell("A reverse endpoint: the provider calls the consumer's server, with its consent")
    serve(CLIENT, "10.0.0.5", BACKWARDS)
    nat = reverse.nat_gateway(cloud, provider)
    service = reverse.service(cloud, nat)
    group = reverse.open_group(cloud, consumer)
    endpoint = reverse.endpoint(cloud, consumer, service, group)
    cloud.accept(service, endpoint)
    cloud.await_connection(endpoint, "Connected")
    eni = reverse.interface(cloud, endpoint, service)
    entry = reverse.entry(cloud, nat, eni, "10.0.0.5", 80)
    reverse.await_entry(cloud, nat, entry)
    door = f"{reverse.nat_ip(cloud, nat)}:{reverse.door(cloud, nat, entry)}"
    show("provider", SERVER, door)
    return door


def show(who: str, namespace: str, called: str) -> None:
    """Call a web server, and show what it answers."""
    answer = curl(namespace, f"http://{called}/")
    console.print(f"[bold]curl http://{called}/[/bold] from the {who} answers:")
    console.print(f"  [green]{answer}[/green]")
