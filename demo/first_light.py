"""`make demo`: two private networks with the same addresses, private endpoints, real bytes.

Everything privlink is asked for here goes through Alibaba Cloud's own Python SDKs, unmodified, as
your programs would do it. What is made is printed as it is made; with --once it is all taken away
again at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import ExitStack
from pathlib import Path

from rich.panel import Panel

from demo import kinds
from demo.cloud import Cloud, Network
from demo.host import (
    CLIENT,
    LISTEN,
    OURS,
    PRIVLINK,
    SERVER,
    STATE,
    attach,
    clean_up,
    console,
    curl,
    run,
    serve,
    started,
    tell,
)

ADDRESS, SECOND_ADDRESS = "10.0.0.80", "10.0.0.81"  # of the endpoints
ALIAS = "hello.demo"  # the consumer's own name for the first
ANSWER = "Hello from the provider. You reached me as {address}; we both live at 10.0.0.5."

# Waits for the word to go, then connects once: the clock of the demo.
FIRST_BYTE = """
import socket, sys, time
print("waiting", flush=True)
address = sys.stdin.readline().strip()
with socket.create_connection((address, 80), timeout=10) as s:
    s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    if s.recv(1):
        print(time.monotonic(), flush=True)
    while s.recv(65536):
        pass
"""


def main() -> None:
    """Run the demo; leave it running, or with --once nothing at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="take everything away at the end")
    parser.add_argument("--down", action="store_true", help="take everything away, make nothing")
    options = parser.parse_args()
    once = options.once
    began = time.monotonic()
    for name in [name for name in os.environ if name.startswith("ALIBABA_CLOUD_ACCESS_KEY")]:
        del os.environ[name]  # somebody's keys; the demo's installation has its own
    os.environ.pop("PRIVLINK_SERVER", None)
    refuse_to_harm()
    clean_up()
    if options.down:
        console.print("The demo has been taken away.")
        return
    with ExitStack() as stack:
        stack.callback(clean_up)
        tell("Starting privlink: a server and a resolver without rights, and one node")
        OURS.parent.mkdir(parents=True, exist_ok=True)
        OURS.touch()
        run(PRIVLINK, "up", "--detach", "--state", STATE, "--listen", LISTEN)
        keys = json.loads(Path(STATE, "credentials.json").read_text())
        cloud = Cloud(LISTEN, keys["access_key_id"], keys["access_key_secret"])
        tell("Two VPCs, both 10.0.0.0/16, and a workload at 10.0.0.5 in each")
        consumer, provider = cloud.network("consumer"), cloud.network("provider")
        show(*first_light(cloud, consumer, provider), seconds=time.monotonic() - began)
        block = kinds.by_route(cloud, consumer)
        door = kinds.backwards(cloud, consumer, provider)
        if not once:
            stack.pop_all()
            whats_next(block, door)
    if once:
        console.print("Everything has been taken away again.")


def first_light(
    cloud: Cloud, consumer: Network, provider: Network
) -> tuple[dict[str, str], str, float]:
    """Join both networks by an endpoint; returns what was made, the answer, milliseconds."""
    attach(provider, SERVER, "10.0.0.5")
    attach(consumer, CLIENT, "10.0.0.5")
    serve(SERVER, "10.0.0.5", ANSWER)

    tell("The provider publishes its server: a load balancer and an endpoint service")
    balancer = cloud.load_balancer(provider, ["10.0.0.5"], port=80)
    service = cloud.service(balancer)
    group = cloud.security_group(consumer, ("tcp", "80/80"), ("icmp", "-1/-1"))

    tell("The consumer creates an endpoint, the provider accepts, the client connects")
    endpoint = cloud.endpoint(consumer, service, group, address=ADDRESS)
    cloud.accept(service, endpoint)
    cloud.await_connection(endpoint, "Connected")
    name = cloud.domain(endpoint)
    answer = curl(CLIENT, f"http://{name}/")
    run(PRIVLINK, "alias", "create", endpoint, ALIAS, "--state", STATE)

    tell("Once more with a service that accepts everybody, against the clock")
    milliseconds = against_the_clock(
        cloud, consumer, cloud.service(balancer, auto_accept=True), group
    )
    made = {"consumer": consumer.vpc, "provider": provider.vpc, "service": service}
    return made | {"endpoint": endpoint, "name": name}, answer, milliseconds


def against_the_clock(cloud: Cloud, consumer: Network, service: str, group: str) -> float:
    """Milliseconds from the CreateVpcEndpoint call to the first byte of the server's answer."""
    client = started(CLIENT, "waiting", FIRST_BYTE)
    assert client.stdin is not None and client.stdout is not None
    called = time.monotonic()
    endpoint = cloud.endpoint(consumer, service, group, address=SECOND_ADDRESS)
    cloud.await_connection(endpoint, "Connected")
    client.stdin.write(f"{SECOND_ADDRESS}\n".encode())
    client.stdin.flush()
    milliseconds = 1000 * (float(client.stdout.readline()) - called)
    client.wait()
    return milliseconds


def show(made: dict[str, str], answer: str, milliseconds: float, *, seconds: float) -> None:
    """Draw who reaches whom and what came of it."""
    picture = f"""\
  [bold]consumer[/bold]  {made["consumer"]}  10.0.0.0/16
  ┌──────────────────┐        ┌──────────────────────────────┐
  │ client  10.0.0.5 │ ─────▶ │ endpoint  {ADDRESS:<18} │
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
    console.print(f"[bold]curl http://{made['name']}/[/bold] from the client answers:")
    console.print(f"  [green]{answer}[/green]")
    console.print(
        f"From the CreateVpcEndpoint call to the first byte: [bold]{milliseconds:.1f} ms[/bold]"
        f" (so far, from nothing: {seconds:.1f} s)"
    )


def whats_next(block: str, door: str) -> None:
    """Say what a curious person may try."""
    state = "" if STATE == "/var/lib/privlink" else f" --state {STATE}"
    tries = (
        (f"ip netns exec {CLIENT} curl -sS http://{ADDRESS}/", "the same by its address"),
        (f"ip netns exec {CLIENT} curl -sS http://{ALIAS}/", "and by a name of your own"),
        (f"ip netns exec {CLIENT} ping -c 3 {ADDRESS}", "the endpoint answers itself"),
        (f"ip netns exec {CLIENT} curl -sS http://{block}/", "by the gateway endpoint"),
        (f"ip netns exec {SERVER} curl -sS http://{door}/", "by the reverse endpoint"),
        (f"{PRIVLINK} status{state}", "what there is"),
        (f'eval "$({PRIVLINK} env{state})"', "and run your own SDK code"),
        (f"kill -9 {' '.join(processes())}", "all of it: traffic goes on, they come back"),
        (f"make demo-down{settings()}", "take it all away again"),
    )
    width = max(len(command) for command, _ in tries)
    console.print("\nIt stays up. What to try next:")
    for command, why in tries:
        console.print(f"  {command:<{width}}   # {why}")


def settings() -> str:
    """The demo's settings as make takes them, if they are not the usual ones."""
    names = ("PRIVLINK_STATE", "PRIVLINK_LISTEN")
    return "".join(f" {name}={os.environ[name]}" for name in names if name in os.environ)


def processes() -> list[str]:
    """The process ids of the demo's server, node and resolver."""
    supervisor = Path(STATE, "up.lock").read_text()
    return Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()


def refuse_to_harm() -> None:
    """Stop if there is an installation that somebody may need."""
    if Path(STATE, "credentials.json").exists() and not OURS.exists():
        raise SystemExit(
            f"There is a privlink installation in {STATE}, and the demo would replace it.\n"
            f"Give the demo another folder:  make demo PRIVLINK_STATE=/tmp/privlink-demo\n"
            f"(and, if that one is running, another port:  PRIVLINK_LISTEN=127.0.0.1:8681)"
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; everything has been taken away again") from None
