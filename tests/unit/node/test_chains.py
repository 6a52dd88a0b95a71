"""Which items lead over which."""

from __future__ import annotations

from privlink.model.items import (
    AnyItem,
    Attachment,
    Balancer,
    Door,
    Filter,
    Forward,
    Members,
    Opening,
    Protocol,
    Route,
    RouteKind,
    RouteTable,
    Rule,
)
from privlink.node.chains import Chains, Name

OPENING, REVERSE = Opening(30, 2, "100.64.0.9", 0), Opening(31, 2, "10.0.0.9", 0)
ITEMS: dict[str, AnyItem] = {
    "client": Attachment(1, 1, 1, "10.0.0.0/24", "10.0.0.5", "02::1", filters=(1,), table=4),
    "distant": Attachment(2, 1, 1, "10.0.0.0/24", "10.0.0.6", "02::2", table=5),
    "table": RouteTable(4, 1, (Route("198.51.100.0/24", RouteKind.ENDPOINT, opening=30),)),
    "group": Filter(1, (Rule(1, True, "ALL", "", 0, 65535, 9),)),
    "members": Members(9, ("10.0.0.5",)),
    "balancer": Balancer(7, ()),
    "endpoint": Forward(1, "10.0.0.8", "02::8", (1,), Opening(32, 2, "100.64.0.8", 7)),
    "gateway": Forward(1, "", "", (), OPENING),
    "reverse": Forward(1, "10.0.0.9", "02::9", (1,), None, REVERSE, reversed=True),
    "door": Door(2, "10.0.0.7", Protocol.TCP, 80, 21, 31, 22, None),
}


def learnt() -> tuple[Chains, dict[str, set[Name]]]:
    chains = Chains()
    return chains, {key: chains.learn(key, item) for key, item in ITEMS.items()}


def test_each_item_is_found_by_what_it_leads_over() -> None:
    chains, names = learnt()
    found = {key: chains.over(of) for key, of in names.items() if of}
    assert found == {
        "members": {"group", "client", "endpoint", "reverse"},
        "group": {"client", "endpoint", "reverse"},
        "balancer": {"endpoint"},
        "table": {"client"},
        "endpoint": set(),
        "gateway": {"table", "client"},
        "reverse": {"door"},
    }


def test_ends_are_doors_and_tables_alone() -> None:
    chains, names = learnt()
    every = set[Name]().union(*names.values())
    assert chains.ends(every) == {"table", "door"}


def test_what_went_is_found_no_more() -> None:
    chains, names = learnt()
    for key in ("table", "door"):
        assert chains.forget(key, ITEMS[key]) == names[key]
    assert chains.over(names["gateway"] | names["reverse"]) == set()
