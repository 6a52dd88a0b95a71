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
