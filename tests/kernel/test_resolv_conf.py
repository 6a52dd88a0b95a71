"""Resolver files of network namespaces: made where there is none, and taken away if still ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from privlink.node import resolv_conf
from privlink.node.purge import purge, traces
from tests.kernel import lab


@pytest.fixture
def instance() -> Iterator[str]:
    name = lab.unique("resolv")
    yield name
    purge(name)
    assert traces(name) == []


@pytest.fixture
def file() -> Iterator[Path]:
    """Where the file of a namespace would be; nothing is left in its folder."""
    with lab.namespace("web") as name:
        found = resolv_conf.resolv_conf(name)
        assert found == Path(f"/etc/netns/{name}/resolv.conf")
        yield found
        found.unlink(missing_ok=True)
        if found.parent.exists():
            found.parent.rmdir()


def test_ip_netns_exec_shows_it(instance: str, file: Path) -> None:
    assert resolv_conf.offer(file, instance, "att-1")
    shown = lab.run(file.parent.name, "cat", "/etc/resolv.conf")
    assert shown == (
        f"# made by privlink-{instance} for att-1; privlink detach removes it\n"
        "nameserver 100.100.2.136\n"
    )
    assert traces(instance) == [str(file)]


def test_it_goes_with_its_last_attachment(instance: str, file: Path) -> None:
    for attachment in ("att-1", "att-2"):
        assert resolv_conf.offer(file, instance, attachment)
    resolv_conf.withdraw(instance, "att-1")
    resolv_conf.withdraw(instance, "att-1")
    assert "for att-2;" in file.read_text()
    resolv_conf.withdraw(lab.unique("other"), "att-2")
    assert file.exists()
    resolv_conf.withdraw(instance, "att-2")
    assert not file.parent.exists()


@pytest.mark.parametrize("text", ["nameserver 192.0.2.53\n", "", "\N{LATIN SMALL LETTER E}\0"])
def test_what_is_somebody_elses_stays(instance: str, file: Path, text: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert not resolv_conf.offer(file, instance, "att-1")
    resolv_conf.withdraw(instance, "att-1")
    purge(instance)
    assert file.read_text() == text


def test_a_link_to_elsewhere_stays_and_so_does_what_it_leads_to(
    instance: str, file: Path, tmp_path: Path
) -> None:
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "away")
    assert not resolv_conf.offer(file, instance, "att-1")
    assert (file.is_symlink(), list(tmp_path.iterdir())) == (True, [])


def test_one_that_was_changed_is_no_longer_ours(instance: str, file: Path) -> None:
    assert resolv_conf.offer(file, instance, "att-1")
    changed = file.read_text() + "search vendor.example\n"
    file.write_text(changed)
    assert not resolv_conf.offer(file, instance, "att-2")
    resolv_conf.withdraw(instance, "att-1")
    assert traces(instance) == []
    assert file.read_text() == changed


def test_another_instance_does_not_share_it(instance: str, file: Path) -> None:
    assert resolv_conf.offer(file, instance, "att-1")
    assert not resolv_conf.offer(file, lab.unique("other"), "att-1")


def test_a_folder_with_more_in_it_stays(instance: str, file: Path) -> None:
    assert resolv_conf.offer(file, instance, "att-1")
    hosts = file.with_name("hosts")
    hosts.write_text("")
    purge(instance)
    assert [each.name for each in file.parent.iterdir()] == ["hosts"]
    hosts.unlink()


def test_many_at_once_are_all_in_it(instance: str, file: Path) -> None:
    words = [f"att-{number}" for number in range(20)]
    threads = [
        threading.Thread(target=resolv_conf.offer, args=(file, instance, word)) for word in words
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (held,) = [line.split(" for ")[1].split(";")[0] for line in file.read_text().splitlines()[:1]]
    assert sorted(held.split()) == sorted(words)


def test_a_path_is_a_name_only_where_names_are() -> None:
    with lab.namespace("web") as name:
        by_name = resolv_conf.resolv_conf(name)
        for path in (f"/run/netns/{name}", f"/var/run/netns/{name}"):
            if Path(path).exists():
                assert resolv_conf.resolv_conf(path) == by_name
    assert resolv_conf.resolv_conf("/proc/1/ns/net") is None
