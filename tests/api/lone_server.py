"""A server in a process of its own, so that it can be killed: `python -m ...lone_server FILE`.

It serves over the database FILE, says on standard output where, and ends with its standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.api.stage import Port, Stage


def main() -> None:
    """Serve until standard input ends."""
    port = Port()
    stage = Stage(port, Path(sys.argv[1]))
    print(port.host, flush=True)
    sys.stdin.read()
    stage.close()
    port.close()


if __name__ == "__main__":
    main()
