"""The two fakes: a node without a kernel, and somebody to answer names without a socket. They speak
the feed as the real ones do, when they are told to.

Left alone they do nothing, so a test decides what is confirmed and what is not yet. What a node
reports, its resolver confirms as well, unless it is kept silent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from privlink.client import Client
from privlink.model.traffic import NOTHING, Amount, Counters, PlaceTraffic
from privlink.rules import metering
from tests.api.stage import DNS, NODE

Item = dict[str, Any]


class Reader:
    """Takes in what it is told, and keeps it."""

    def __init__(self, client: Client, name: str, action: str) -> None:
        self.client = client
        self.life = self.revision = 0
        self.held: dict[str, Item] = {}
        self.seen: list[str] = []  # keys of the last pull
        self._name, self._action = name, action

    def pull(self, *, wait: int = 0) -> dict[str, Any]:
        """Ask what changed and take it in."""
        answer = self.client.call(
            self._action,
            NodeId=self._name,
            Revision=self.revision,
            Life=self.life,
            WaitSeconds=wait,
            timeout=wait + 10,
        )
        if answer["Full"]:
            self.held.clear()
        self.seen = [told["Key"] for told in answer["Items"]]
        for told in answer["Items"]:
            if told["Item"] is None:
                self.held.pop(told["Key"], None)
            else:
                self.held[told["Key"]] = told["Item"]
        self.life, self.revision = answer["Life"], answer["Revision"]
        return answer


class Resolver(Reader):
    """Holds documents, and answers nobody."""

    def __init__(self, url: str) -> None:
        client = Client(url, DNS.access_key_id, DNS.access_key_secret)
        super().__init__(client, DNS.node_id, "PullNames")

    def confirm(self, **more: Any) -> None:
        """Say that everything taken in is in the answers."""
        said = {"NodeId": DNS.node_id, "Life": self.life, "Revision": self.revision}
        self.client.call("ConfirmNames", **(said | more))

    def catch_up(self) -> None:
        """Take in and confirm everything there is."""
        self.pull()
        self.confirm()


class Node(Reader):
    """Holds items instead of a kernel."""

    def __init__(self, url: str) -> None:
        client = Client(url, NODE.access_key_id, NODE.access_key_secret)
        super().__init__(client, NODE.node_id, "PullFeed")
        self.resolver = Resolver(url)
        self.resolver_is_silent = False
        self.faults: dict[str, str] = {}
        self.links: dict[str, bool] = {}  # attachments whose link came or went, by key
        self.drops: dict[str, int] = {}
        self.counted: dict[int, PlaceTraffic] = {}  # by place, cumulative

    def close(self) -> None:
        """Say nothing more."""
        self.client.close()
        self.resolver.client.close()

    def report(self) -> None:
        """Say that everything taken in is in place, but for the faults."""
        if not self.resolver_is_silent:
            self.resolver.catch_up()
        self.client.call(
            "PushReport",
            NodeId=NODE.node_id,
            Life=self.life,
            Revision=self.revision,
            Fabric="privlink-test",
            Faults=[
                {"Key": key, "Code": "Refused", "Message": message}
                for key, message in self.faults.items()
            ],
            Plugged=[key for key, there in self.links.items() if there],
            Unplugged=[key for key, there in self.links.items() if not there],
            Drops=[{"Reason": reason, "Count": count} for reason, count in self.drops.items()],
        )
        self.links.clear()

    def tell(self, *states: dict[str, Any], **more: Any) -> None:
        """Say how servers are."""
        asked = {"NodeId": NODE.node_id, "Life": self.life, "States": list(states)}
        self.client.call("PushHealth", **(asked | more))

    def tell_names(self, *names: dict[str, Any], **more: Any) -> None:
        """Say what names lead to."""
        asked = {"NodeId": NODE.node_id, "Life": self.life, "Names": list(names)}
        self.client.call("PushNames", **(asked | more))

    def catch_up(self) -> None:
        """Take in and confirm everything there is."""
        self.pull()
        self.report()

    def count(
        self, place: int, there: Amount, back: Amount = NOTHING[1], *, flows: int = 0, **more: Any
    ) -> None:
        """Have so much more pass through a place; `more` are other fields of its counters."""
        before = self.counted.get(place, PlaceTraffic(place, 0, Counters()))
        grown = metering.total(before.counters, Counters((there, back), **more))
        self.counted[place] = PlaceTraffic(place, flows, grown)

    def push_traffic(self, *, life: int = 1) -> None:
        """Tell all that was counted so far."""
        said = msgspec.json.encode(list(self.counted.values())).decode()
        self.client.call("PushTraffic", NodeId=NODE.node_id, Life=life, Traffic=said)

    def place(self, endpoint_id: str, zone_id: str = "local-a") -> int:
        """The number under which it counts for an endpoint zone, as it was told."""
        return int(self.forward(endpoint_id, zone_id)["number"])

    def fail(self, key: str, message: str = "no room") -> None:
        """From now on, be unable to put an item in place."""
        self.faults[key] = message

    def plug(self, attachment_id: str, *, there: bool = True) -> None:
        """Have an attachment's link come, or go; the next report says so."""
        self.links[f"attachment/{attachment_id}"] = there

    def recover(self) -> None:
        """Be able to do everything again."""
        self.faults.clear()

    def forward(self, endpoint_id: str, zone_id: str = "local-a") -> Item:
        """What it holds for an endpoint zone."""
        return self.held[f"forward/{endpoint_id}/{zone_id}"]
