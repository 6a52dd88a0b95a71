"""The settings of an instance."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from privlink import config
from privlink.config import Config


@pytest.mark.parametrize(
    ("listen", "host", "port"), [("127.0.0.1:8680", "127.0.0.1", 8680), ("[::1]:80", "::1", 80)]
)
def test_where_to_listen_is_an_address_and_a_port(listen: str, host: str, port: int) -> None:
    settings = Config(listen=listen)
    config.check(settings)
    assert (settings.host, settings.port, settings.url) == (host, port, f"http://{listen}")


def test_the_defaults_are_good_ones() -> None:
    config.check(Config())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"listen": "8680"}, ("--listen '8680'", "127.0.0.1:8680")),
        ({"listen": ":8680"}, ("--listen",)),
        ({"listen": "localhost:http"}, ("--listen",)),
        ({"listen": "localhost:²"}, ("--listen",)),
        ({"listen": "127.0.0.1:0"}, ("--listen",)),
        ({"listen": "127.0.0.1:65536"}, ("--listen",)),
        ({"region": "Local"}, ("--region 'Local'", "lower-case")),
        ({"region": ""}, ("--region ''",)),
        ({"zones": ("a", "b c")}, ("--zones 'b c'",)),
        ({"zones": ()}, ("--zones", "at least one")),
        ({"zones": ("a", "a")}, ("--zones", "none twice")),
        ({"domain": "Example.com"}, ("--domain 'Example.com'", "lower case")),
        ({"domain": "a..b"}, ("--domain",)),
        ({"domain": "a" * 64}, ("--domain",)),
        ({"domain": f"{'a.' * 49}b"}, ("--domain", "98")),
        ({"zones": ("z" * 40,)}, ("--zones", "at most 39")),
        ({"zones": ("z-",)}, ("--zones 'z-'", "no - last")),
        ({"region": "r" * 64}, ("--region", "at most 63")),
        ({"dns_listen": ""}, ("--dns-listen ''", "127.0.0.1:8653")),
        ({"dns_listen": "8653"}, ("--dns-listen",)),
        ({"dns_listen": "localhost:53"}, ("--dns-listen", "an address")),
        ({"dns_listen": "::1:53"}, ("--dns-listen",)),
        ({"dns_listen": "127.0.0.1:0"}, ("--dns-listen",)),
        ({"dns_upstream": "192.0.2.1,"}, ("--dns-upstream '192.0.2.1,'", "192.0.2.1:53")),
        ({"dns_upstream": "one.example"}, ("--dns-upstream",)),
        ({"dns_upstream": "192.0.2.1:x"}, ("--dns-upstream",)),
        ({"dns_upstream": "fe80::1%eth0"}, ("--dns-upstream",)),
        ({"dns_upstream": "127.0.0.1:8653"}, ("--dns-upstream 127.0.0.1:8653", "in a circle")),
        ({"dns_upstream": "100.100.2.136"}, ("--dns-upstream 100.100.2.136:53", "in a circle")),
        ({"flow_log_size": 0}, ("--flow-log-size 0", "from 1 to 1048576")),
        ({"flow_log_files": 1}, ("--flow-log-files 1", "from 2 to 1000")),
        ({"flow_records": -1}, ("--flow-records -1", "from 0 to 1000000")),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_rule(
    wrong: dict[str, object], words: tuple[str, ...]
) -> None:
    settings = msgspec.structs.replace(Config(), **wrong)
    with pytest.raises(ValueError, match="--") as refused:
        config.check(settings)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8653", ("127.0.0.1", 8653)),
        ("[::1]:53", ("::1", 53)),
        ("0.0.0.0:53", ("0.0.0.0", 53)),
        ("none", None),
    ],
)
def test_names_are_answered_at_an_address(text: str, expected: tuple[str, int] | None) -> None:
    config.check(Config(dns_listen=text))
    assert config.dns_address(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("none", ()),
        ("192.0.2.1", (("192.0.2.1", 53),)),
        ("192.0.2.1:5353,2001:db8::1", (("192.0.2.1", 5353), ("2001:db8::1", 53))),
        ("[2001:DB8::1]:54", (("2001:db8::1", 54),)),
    ],
)
def test_other_names_are_asked_of_others(text: str, expected: object) -> None:
    config.check(Config(dns_upstream=text))
    assert config.upstreams(text) == expected


def test_what_is_not_written_down_is_the_default(tmp_path: Path) -> None:
    assert config.load(tmp_path) == Config(state=str(tmp_path))


def test_what_was_written_down_is_read_again(tmp_path: Path) -> None:
    settings = Config(state="/elsewhere", region="north", zones=("north-1",))
    Config(state=str(tmp_path)).config_file.write_bytes(msgspec.json.encode(settings))
    assert config.load(tmp_path) == msgspec.structs.replace(settings, state=str(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"zones": 5}', "\x00"])
def test_a_file_that_is_not_ours_is_named(tmp_path: Path, content: str) -> None:
    file = Config(state=str(tmp_path)).config_file
    file.write_text(content)
    with pytest.raises(ValueError, match="is not a privlink configuration") as refused:
        config.load(tmp_path)
    assert str(file) in str(refused.value)


def test_an_instance_is_its_state_folder(tmp_path: Path) -> None:
    first, second = (config.instance_of(tmp_path / name) for name in ("a", "b"))
    assert first != second
    assert first == config.instance_of(tmp_path / "b" / ".." / "a")
    assert len(first) == 8
    int(first, 16)
