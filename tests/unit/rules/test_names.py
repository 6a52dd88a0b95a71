"""Names, texts and domains."""

from __future__ import annotations

import re

import pytest

from privlink.model.ids import EndpointId, ServiceId, VpcId, ZoneId
from privlink.rules import names

SERVICE, ENDPOINT = ServiceId("epsrv-1"), EndpointId("ep-1")


@pytest.mark.parametrize("name", ["ab", "a1", "A-b_c", "端点", "端1-_", "z端"])
def test_a_name(name: str) -> None:
    assert re.search(names.NAME_PATTERN, name)


@pytest.mark.parametrize("name", ["", "1a", "-a", "_a", "a b", "a.b", "ab\n", "é1", "a\u0000"])
def test_what_is_no_name(name: str) -> None:
    assert not re.search(names.NAME_PATTERN, name)


@pytest.mark.parametrize(("text", "fine"), [("", True), ("ab", True), ("a", False), ("1a", False)])
def test_a_name_may_be_taken_away(text: str, fine: bool) -> None:
    assert bool(re.search(names.NAME_OR_NONE_PATTERN, text)) == fine


@pytest.mark.parametrize(
    ("text", "fine"), [("", True), ("a\nb", True), ("a", False), ("http://x", False)]
)
def test_a_description_may_be_taken_away(text: str, fine: bool) -> None:
    assert bool(re.search(names.DESCRIPTION_OR_NONE_PATTERN, text)) == fine


@pytest.mark.parametrize(
    ("text", "fine"),
    [("to the shop", True), ("see http://x", True), ("http://x", False), ("https://x", False)],
)
def test_a_description_is_no_link(text: str, fine: bool) -> None:
    assert bool(re.search(names.DESCRIPTION_PATTERN, text)) == fine


def test_domains_and_names_are_made_of_ids() -> None:
    assert names.service_name("local", SERVICE) == "com.aliyuncs.privatelink.local.epsrv-1"
    assert names.service_domain("x.internal", "local", SERVICE) == "epsrv-1.local.x.internal"
    assert (
        names.endpoint_domain("x.internal", "local", SERVICE, ENDPOINT)
        == "ep-1.epsrv-1.local.x.internal"
    )
    assert (
        names.zone_domain("x.internal", "local", SERVICE, ENDPOINT, ZoneId("local-a"))
        == "ep-1-local-a.epsrv-1.local.x.internal"
    )


def test_a_router_is_named_after_its_vpc() -> None:
    assert names.router_id(VpcId("vpc-abc")) == "vrt-abc"


@pytest.mark.parametrize(
    ("given", "wild", "name"),
    [
        ("DB.Vendor.Example.", True, "db.vendor.example"),
        ("*.Vendor.example", True, "*.vendor.example"),
        ("_x-1.vendor.example", True, "_x-1.vendor.example"),
        ("db", False, "db"),
        ("privatelink.internal.example", False, "privatelink.internal.example"),
    ],
)
def test_a_name_that_is_chosen(given: str, wild: bool, name: str) -> None:
    assert names.chosen_name(given, "privatelink.internal", wild=wild) == name


@pytest.mark.parametrize(
    ("given", "wild", "rule"),
    [
        ("example", True, "one label"),
        ("*.example", True, "one label"),
        ("*.vendor.example", False, "labels of 1 to 63"),
        ("a.*.example", True, "labels of 1 to 63"),
        ("*", True, "labels of 1 to 63"),
        ("*.*.example", True, "labels of 1 to 63"),
        ("", False, "labels of 1 to 63"),
        (".", False, "labels of 1 to 63"),
        ("a..b", True, "labels of 1 to 63"),
        ("端.example", True, "labels of 1 to 63"),
        ("a b.example", True, "labels of 1 to 63"),
        ("a\n.example", True, "labels of 1 to 63"),
        ("10.0.0.9", False, "an address"),
        ("9.0.0.10.in-addr.arpa", False, "addresses"),
        ("*.ip6.arpa", True, "addresses"),
        ("privatelink.internal", False, "made by privlink itself"),
        ("x.PrivateLink.internal", True, "made by privlink itself"),
        ("*.privatelink.internal", True, "made by privlink itself"),
        (".".join(["a" * 61] * 4), True, "at most 243 characters"),
        (".".join(["a" * 63] * 4), False, "at most 253 characters"),
    ],
)
def test_what_nobody_may_choose(given: str, wild: bool, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        names.chosen_name(given, "privatelink.internal", wild=wild)


def test_what_covers_a_name() -> None:
    assert names.spellings("a.b.c") == ("a.b.c", "*.b.c", "*.c")
    assert names.spellings("c") == ("c",)


def test_where_a_name_is_proved() -> None:
    assert names.challenge_name("*.vendor.example") == "_privlink.vendor.example"
    assert names.challenge_name("db.vendor.example") == "_privlink.db.vendor.example"


def test_a_service_in_a_domain() -> None:
    assert names.service_in_domain("x.internal", "local", "epsrv-1.local.x.internal") == "epsrv-1"
    for other in ("ep-1.epsrv-1.local.x.internal", "local.x.internal", "epsrv-1.x.internal", "x"):
        assert names.service_in_domain("x.internal", "local", other) == ""
