"""`python -m privlink.node`: one agent, configured by a JSON document on standard input.

Started by `privlink up`, which keeps it running. Secrets come by standard input because arguments
and environments can be read by others.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

import msgspec

from privlink.node import requirements
from privlink.node.agent import Agent, Configuration
from privlink.node.errors import KernelError
from privlink.node.kernel import Kernel

log = logging.getLogger("privlink.node")


def main() -> int:
    """Run until SIGTERM or SIGINT, and leave the traffic as it is."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        configuration = msgspec.json.decode(sys.stdin.buffer.read(), type=Configuration)
    except msgspec.DecodeError as error:
        log.error("the configuration on standard input does not fit: %s", error)
        return 2
    for line in (missing := requirements.missing()):
        log.error("%s", line)
    if missing:
        return 1
    for line in requirements.wanting():
        log.warning("%s", line)
    try:
        kernel = Kernel.open(configuration.instance, Path(configuration.object_path))
    except KernelError as error:
        log.error("%s", error)
        return 1
    agent = Agent(configuration, kernel)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
