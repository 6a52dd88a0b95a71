"""The way in: the verbs a person types, what they install, and what they say when they cannot."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = {
    *("help", "demo", "demo-down", "up", "setup", "test", "check"),
    *("docs", "bench", "soak", "clean"),
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment or None, capture_output=True, text=True, check=False
    )


def test_make_alone_prints_every_verb_on_a_line() -> None:
    lines = run("make").stdout.splitlines()
    assert {line.split()[1] for line in lines} == VERBS
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("once", ["ONCE=1", "ONCE=0", "ONCE="])
def test_the_demo_stays_up_unless_told_to_run_once(once: str) -> None:
    command = run("make", "--dry-run", "demo", once).stdout.splitlines()[-1]
    assert command.split()[:3] == [".venv/bin/python", "-m", "demo.first_light"]
    assert ("--once" in command) == (once == "ONCE=1")


@pytest.mark.parametrize(
    "script",
    [
        "scripts/setup",
        "scripts/check",
        "scripts/test",
        ".ci/run",
        "privlink/bpf/build",
        "bench/build",
    ],
)
def test_a_script_is_plain_shell(script: str) -> None:
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    parsed = run("sh", "-n", script)
    assert (parsed.returncode, parsed.stderr) == (0, "")


def test_what_is_missing_without_root_is_one_line_with_its_reason(tmp_path: Path) -> None:
    # A machine that has nothing but these commands, and a user who is not root.
    for name in ("sh", "dirname", "rm", "grep"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    refused = run(str(tmp_path / "sh"), "scripts/setup", PATH=str(tmp_path))
    assert refused.returncode == 1
    assert refused.stdout == ""
    (sentence,) = refused.stderr.splitlines()
    assert "clang (compiles the eBPF program)" in sentence
    assert "root" in sentence


def test_every_version_is_exact_and_every_dependency_has_one() -> None:
    pinned = set()
    for path in (ROOT / "requirements").glob("*.txt"):
        for line in path.read_text().splitlines():
            if not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[\w.-]+==[\w.]+", line), f"{path.name}: {line}"
                pinned.add(line.partition("==")[0].lower())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {re.split(r"[<>=]", need)[0].lower() for need in project["dependencies"]} <= pinned
