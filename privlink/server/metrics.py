"""What Prometheus may know: requests by action and code, and how the nodes are."""

from __future__ import annotations

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from privlink.server import traffic_metrics
from privlink.store import changes, nodes, resolvers
from privlink.store.database import Database


class Metrics:
    """The registry of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "privlink_requests_total",
            "API requests by action and answered code.",
            ["action", "code"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "privlink_request_seconds",
            "Time to answer an API request.",
            ["action"],
            registry=self._registry,
        )
        # The counters of an action and a code: to look one up takes longer than to count.
        self._counted: dict[tuple[str, str], tuple[Counter, Histogram | None]] = {}
        self._revision = Gauge(
            "privlink_revision", "The newest revision of desired state.", registry=self._registry
        )
        self._applied = Gauge(
            "privlink_node_revision",
            "The revision a node's kernel holds.",
            ["node"],
            registry=self._registry,
        )
        self._resolved = Gauge(
            "privlink_resolver_revision",
            "The revision of names that a resolver answers from.",
            ["resolver"],
            registry=self._registry,
        )
        self._resolver_in_step = Gauge(
            "privlink_resolver_in_step",
            "Whether a resolver answers from the newest names, and says so: 1 or 0.",
            ["resolver"],
            registry=self._registry,
        )
        self._drops = Gauge(
            "privlink_node_dropped_packets",
            "Packets a node has dropped or reset, by reason.",
            ["node", "reason"],
            registry=self._registry,
        )

    def count(self, action: str, code: str, seconds: float) -> None:
        """Count one answered request."""
        counted = self._counted.get((action, code))
        if counted is None:
            counted = self._counted[action, code] = (
                self._requests.labels(action, code),
                self._seconds.labels(action) if code == "OK" else None,
            )
        requests, took = counted
        requests.inc()
        if took is not None:
            took.observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        with self._database.read() as tx:
            self._revision.set(changes.newest(tx))
            life = changes.life(tx)
            for node in nodes.all_nodes(tx):
                self._applied.labels(node.id).set(node.revision if node.life == life else 0)
                drops = msgspec.json.decode(node.drops, type=dict[str, int])
                for reason, count in drops.items():
                    self._drops.labels(node.id, reason).set(count)
            missing = resolvers.missing(tx)
            for each in resolvers.every(tx):
                self._resolved.labels(each.id).set(each.revision if each.life == life else 0)
                self._resolver_in_step.labels(each.id).set(each.id not in missing)
        return generate_latest(self._registry) + traffic_metrics.text(self._database)
