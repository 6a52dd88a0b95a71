"""The order of the house, held by a test: who may know whom, what files look like, what is refused.

The tables are the rules; to change a rule, change its row and say why in the commit. Sources are
parsed, never imported.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "privlink"

# Room -> the rooms it may import. The most exact row holds: "cli.up" before "cli". Every room may
# import from itself and read the version from `privlink`.
MAY_IMPORT = {
    "model": "",
    "process": "",
    "signature": "",
    "errors": "model",
    "config": "model errors",
    "client": "errors signature",
    "pulling": "client",
    "rules": "model errors",
    "kinds": "model errors rules",
    "plane": "model rules kinds",
    "store": "model errors config rules",
    "api": "model errors config signature rules kinds store",
    "server": "model errors config process rules kinds plane store api",
    "node": "model errors client pulling",
    "dns": "model errors client process pulling",
    "cli": "config client",
    "cli.up": "config node",
    "cli.state": "model config client process server",
    "cli.supervisor": "config process server",
    "cli.workloads": "config client node",
    "__main__": "cli",
}

# A library that one part of the house is for -> the rooms that may import it.
ONLY_IN = {
    "sqlalchemy": "store",
    "alembic": "store",
    "starlette": "server",
    "uvicorn": "server",
    "ctypes": "node process",
    "pyroute2": "node",
    "click": "cli",
    "prometheus_client": "server",
}

# Rooms, or files in one, whose every function is text or values in, text or values out.
PURE = (
    "signature rules kinds plane dns.answers"
    " dns.peers.push dns.peers.records dns.peers.signed dns.peers.transfer"
)
IMPURE = "asyncio http logging os random secrets socket sqlite3 subprocess threading time urllib3"

# Files past 400 lines -> why they are one room.
LONG = {
    "privlink/store/migrations/versions/0001_first_tables.py": "every table, spelt out once",
}

REFUSED_NAME = re.compile(r"(?i)^(utils?|helpers?|common|misc)$|managers?$")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")


def test_imports_run_one_way() -> None:
    problems = []
    for path in sources("privlink"):
        room = room_of(path)
        allowed = set(MAY_IMPORT.get(row_of(path), "").split()) | {room, ""}
        problems += [
            f"{path}:{line}: {room} may not import {name}"
            for line, name in imported(path)
            if name.partition(".")[0] == "privlink" and room_named(name) not in allowed
        ]
    assert not problems


def test_every_room_has_its_row_and_every_row_its_room() -> None:
    rooms = {room_of(path) for path in sources("privlink")} - {""}
    assert rooms <= set(MAY_IMPORT), "a new room needs a row in MAY_IMPORT"
    rows = {row_of(path) for path in sources("privlink")} - {""}
    assert set(MAY_IMPORT) <= rows, "a row in MAY_IMPORT has lost its room"


def test_a_library_stays_in_the_room_that_is_for_it() -> None:
    problems = []
    for path in sources("privlink"):
        for line, name in imported(path):
            library = name.partition(".")[0]
            rooms = ONLY_IN.get(library)
            if rooms is not None and room_of(path) not in rooms.split():
                problems.append(f"{path}:{line}: {library} belongs in {rooms}")
            parts = path.with_suffix("").parts[1:]
            rooms_around = {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
            if rooms_around & set(PURE.split()) and library in IMPURE.split():
                problems.append(f"{path}:{line}: a pure room imports {library}")
    assert not problems


def test_unit_tests_mirror_the_package() -> None:
    orphans = []
    for path in sources("tests/unit"):
        if not path.name.startswith("test_"):
            continue
        module = HOUSE / path.parent.relative_to("tests/unit") / path.name.removeprefix("test_")
        if not module.exists() and not module.with_suffix("").is_dir():
            orphans.append(str(path))
    assert not orphans


def test_every_python_file_opens_with_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in sources()
        if not ast.get_docstring(tree(path))
        and not (path.name == "__init__.py" and not text(path).strip())
    ]
    assert not silent


def test_no_name_says_nothing() -> None:
    problems = []
    for path in sources():
        names = [*path.parts[:-1], path.stem]
        names += [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
        problems += [f"{path}: {name}" for name in names if REFUSED_NAME.search(name)]
    assert not problems


def test_a_long_file_has_a_reason() -> None:
    long = {str(path) for path in sources("privlink") if len(text(path).splitlines()) > 400}
    assert long == set(LONG)


def test_no_test_sleeps() -> None:
    sleepers = [
        f"{path}:{node.lineno}"
        for path in sources("tests")
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and "sleep" in ast.unparse(node)
        )
    ]
    assert not sleepers


def test_no_file_knows_somebodys_machine() -> None:
    problems = []
    for path in tracked():
        for number, line in enumerate(text(path).splitlines(), 1):
            if found := MACHINE_PATH.search(line):
                problems.append(f"{path}:{number}: {found.group()}")
    assert not problems


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file that is or would be committed, relative to the root."""
    # A checkout may belong to another user than the one who tests it.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (Path(name) for name in sorted(listed.split("\0")) if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


def sources(folder: str = "") -> list[Path]:
    """The Python files in a folder."""
    return [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(folder)]


@functools.cache
def text(path: Path) -> str:
    return (ROOT / path).read_text(errors="replace")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a file imports, wherever in the file it does so."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.with_suffix("").parts[: -node.level] if node.level else ()
            module = ".".join([*package, node.module] if node.module else package)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def room_named(name: str) -> str:
    """The room a dotted name below `privlink` leads to; "" for a name in `privlink` itself."""
    room = name.split(".")[1] if "." in name else ""
    return room if room in {room_of(path) for path in sources("privlink")} else ""


def room_of(path: Path) -> str:
    """The room a source file is in; "" for `privlink/__init__.py`."""
    room = path.with_suffix("").parts[1]
    return "" if room == "__init__" else room


def row_of(path: Path) -> str:
    """The row of MAY_IMPORT that holds for a source file."""
    exact = ".".join(path.with_suffix("").parts[1:3])
    return exact if exact in MAY_IMPORT else room_of(path)
