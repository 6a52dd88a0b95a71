"""Run the product under load and misfortune, and say whether it kept its word: `make soak`.

`python -m tests.soak [--minutes M] [--seed S]`. Exit status 1 says that something was not as it
should be; the seed plays the same script again, though machines differ in what falls together.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privlink.node import purge, system
from tests.journey.installation import Installation
from tests.soak.land import Land, land, processes
from tests.soak.ledger import MIB, Memory, audit, flows, settle
from tests.soak.programs import DATAGRAMS, RULED, TALK, Datagrams, Program, Talk, Visit, Watch
from tests.soak.script import Kills, Script

LINE = 10.0  # seconds between two lines of progress
LOOK = 1.0
LONG = 3.0  # minutes from which on there is time for deeds that take one


def main() -> None:
    """Parse, run, and exit by what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    asked = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("the soak takes root: it makes network namespaces and runs `privlink up`")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    failures = soak(asked.minutes, asked.seed)
    if failures:
        sys.exit(f"{len(failures)} failures with seed {asked.seed}")


def soak(minutes: float, seed: str) -> list[str]:
    """Everything; what was not as it should be."""
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    watch = Watch(seed)
    seen: set[int] = set()
    with started() as installation, land(installation) as made:
        _load(made, watch, minutes, seed, seen)
    left = [process for process in seen if Path(f"/proc/{process}").exists()]
    names = [path.name for path in system.NAMESPACES.glob(f"plt-soak-*-{os.getpid()}-*")]
    for each in (*left, *names, *purge.traces(installation.instance)):
        watch.fail(f"left behind: {each}")
    print(f"{len(watch.failures)} failures\ndone", flush=True)
    return watch.failures


@contextmanager
def started() -> Iterator[Installation]:
    """An installation in a folder of its own; nothing of it is left, however this ends."""
    with tempfile.TemporaryDirectory(prefix="privlink-soak-") as folder:
        installation = Installation(Path(folder) / "state")
        installation.up()
        try:
            installation.run("quota", "set", "vpc_quota_vpcs", "1000")
            yield installation
        finally:
            installation.tear_down()


def _load(made: Land, watch: Watch, minutes: float, seed: str, seen: set[int]) -> None:
    programs = _programs(made, watch, seed)
    talks = [each for each in programs if isinstance(each, Talk)]
    script = Script(made, watch, talks, f"{seed} script", long=minutes >= LONG)
    kills = Kills(made, watch, max(15.0, 10 * minutes), f"{seed} kills")
    memory = Memory(made.installation)
    for program in programs:
        program.start()
    playing = script.thread()
    playing.start()
    kills.start()
    began = time.monotonic()
    lines = 0.0
    while (lasted := time.monotonic() - began) < 60 * minutes:
        held = memory.sample()
        seen.update(processes(made.installation).values())
        if lasted >= lines:
            lines += LINE
            print(_progress(made, watch, lasted, script, held), flush=True)
        watch.stopping.wait(LOOK)
    # The script first, that all has been put right when the rest stops.
    kills.ending.set()
    script.ending.set()
    kills.join()
    playing.join()
    watch.stopping.set()
    for program in programs:
        program.join()
    told = memory.judge(watch)
    if not script.hurt:
        watch.fail("no conversation had to end: nothing was shown")
    seconds = settle(made, watch)
    seen.update(processes(made.installation).values())
    told.append(f"{script.hurt} conversations had to end, and did")
    _summary(made, watch, [*told, f"no flow left after {seconds:.0f} s"], script, kills)


def _programs(made: Land, watch: Watch, seed: str) -> list[Program]:
    kinds: dict[bool, tuple[tuple[type[Program], int], ...]] = {
        False: ((Talk, TALK), (Talk, TALK), (Talk, RULED), (Visit, TALK), (Visit, RULED)),
        True: ((Datagrams, DATAGRAMS),),
    }
    udp = {tenant.udp for tenant in made.tenants}
    return [
        kind(watch, place, port, f"{seed} {number} {place.zone} {turn}")
        for number, place in enumerate(made.places)
        for turn, (kind, port) in enumerate(kinds[place.endpoint in udp])
    ]


def _progress(made: Land, watch: Watch, lasted: float, script: Script, held: dict[str, int]) -> str:
    books = list(watch.books.values())
    sums = {
        name: sum(getattr(each, name) for each in books)
        for name in ("exchanges", "opened", "resets", "refused")
    }
    words = [f"{number} {name}" for name, number in sums.items()]
    words += [f"{flows(made.installation)} entries", f"{script.done.total()} deeds"]
    words += [f"{module[9:]} {size / MIB:.0f} MiB" for module, size in sorted(held.items())]
    words += [f"{len(watch.failures)} failures"]
    return f"{lasted:5.0f} s  {', '.join(words)}"


def _summary(made: Land, watch: Watch, told: list[str], script: Script, kills: Kills) -> None:
    print(
        f"\n{'endpoint':28} zone        {'opened':>11} {'refused':>7} {'resets':>6} {'flows':>7} "
        f"{'sent':>11} {'in':>11} {'received':>11} {'out':>11}"
    )
    print("\n".join(audit(made, watch)))
    for name, number in sorted((script.done + kills.done).items()):
        print(f"{number:5} x {name}")
    print("\n".join(told), flush=True)


if __name__ == "__main__":
    main()
