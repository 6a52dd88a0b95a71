"""The demo's installation on this host: its settings, its commands, its workloads.

It knows nothing of what the demo shows.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from demo.cloud import Network
from privlink.config import instance_of

STATE = os.environ.get("PRIVLINK_STATE", "/var/lib/privlink")
LISTEN = os.environ.get("PRIVLINK_LISTEN", "127.0.0.1:8680")
OURS = Path(STATE, "made-by-the-demo")
PRIVLINK = os.path.relpath(Path(sys.executable).with_name("privlink"))
# Demos in different folders run side by side.
SUFFIX = "" if STATE == "/var/lib/privlink" else f"-{instance_of(Path(STATE))[:4]}"
NAMESPACES = CLIENT, SERVER, OBJECTS = tuple(
    f"privlink-demo-{word}{SUFFIX}" for word in ("client", "server", "objects")
)

console = Console(highlight=False, soft_wrap=True)

# Plain HTTP, because the point is the network below it; says whom it believes to talk to.
WEB_SERVER = """
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (sys.argv[2].format(address=self.client_address[0]) + chr(10)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
# The standard HTTPServer would ask DNS for its own name first, and there is none in here.
server = socketserver.ThreadingTCPServer((sys.argv[1], 80), Handler)
print("listening", flush=True)
server.serve_forever()
"""


def attach(network: Network, namespace: str, address: str) -> None:
    """Make a network namespace a workload of a vSwitch."""
    run("ip", "netns", "add", namespace)
    run("ip", "netns", "exec", namespace, "ip", "link", "set", "lo", "up")
    place = ("--vswitch", network.vswitch, "--netns", namespace, "--ip", address)
    run(PRIVLINK, "attach", *place, "--state", STATE)


def serve(namespace: str, address: str, answer: str) -> None:
    """Start a web server in a namespace that answers with a text about its caller's address."""
    started(namespace, "listening", WEB_SERVER, address, answer)


def curl(namespace: str, url: str) -> str:
    """What a web server answers to a namespace."""
    return run("ip", "netns", "exec", namespace, "curl", "-sS", "-m", "10", url).strip()


def started(namespace: str, word: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A Python program in the background of a namespace, once it has said the word."""
    command = ["ip", "netns", "exec", namespace, sys.executable, "-c", program, *arguments]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=nowhere, start_new_session=True
    )
    assert process.stdout is not None
    if process.stdout.readline().strip() != word.encode():
        raise SystemExit(f"a program in {namespace} never said {word!r}: {program[:60]}...")
    return process


def clean_up() -> None:
    """Take away what this or an earlier demo has made."""
    for namespace in NAMESPACES:
        if Path("/run/netns", namespace).exists():
            for process in run("ip", "netns", "pids", namespace).split():
                with suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGTERM)
            run("ip", "netns", "del", namespace)
    OURS.unlink(missing_ok=True)
    run(PRIVLINK, "down", "--purge", "--delete-state", "--state", STATE)


def run(*command: str) -> str:
    """A command's output; what it said goes to the person if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def tell(what: str) -> None:
    """One line of progress."""
    console.print(f"[dim]·[/dim] {what}")
