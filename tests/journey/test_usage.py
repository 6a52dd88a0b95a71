"""What is metered is what programs sent, to the byte."""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import Any

from tests.journey.installation import SERVER, Installation, Stage
from tests.kernel import lab, talk

ENDPOINT, DNS = "10.0.0.81", 53
HEADERS = 28  # RFC 791, RFC 768: what an IPv4 datagram has before its data


def used(installation: Installation, endpoint: str) -> list[dict[str, Any]]:
    """What `privlink usage` says of an endpoint."""
    rows: list[dict[str, Any]] = json.loads(
        installation.run("usage", "--endpoint", endpoint, "-o", "json")
    )
    return rows


def test_bytes_of_real_programs_are_what_is_billed(
    installation: Installation, stage: Stage
) -> None:
    payloads = [b"x" * size for size in (0, 1, 7, 512, 1400)] * 5
    # It answers before it is first asked how it is.
    with talk.echoing_datagrams(stage.server.netns, DNS, socket.AF_INET):
        balancer = stage.cloud.load_balancer(stage.provider, [SERVER], DNS, protocol="UDP")
        service = stage.cloud.service(balancer, auto_accept=True)
        stage.cloud.allow(stage.group, "udp", f"{DNS}/{DNS}")
        endpoint = stage.cloud.endpoint(stage.consumer, service, stage.group, ENDPOINT)
        stage.cloud.await_connection(endpoint, "Connected")
        with talk.datagrams(stage.client.netns, ENDPOINT, DNS) as calling:
            for payload in payloads:
                calling.send(payload)
                assert calling.recv(2000) == payload
    size = sum(len(payload) + HEADERS for payload in payloads)

    def is_told() -> bool:
        (row,) = used(installation, endpoint)
        assert max(row["BytesIn"], row["BytesOut"]) <= size
        return (row["BytesIn"], row["BytesOut"]) == (size, size)

    lab.eventually(is_told)
    with urllib.request.urlopen(f"http://{installation.listen}/metrics") as answer:
        lines = [line for line in answer.read().decode().splitlines() if endpoint in line]
    for way in ("in", "out"):
        bytes_total = f'direction="{way}"}} {size}'
        assert any("bytes_total" in line and line.endswith(bytes_total) for line in lines)
    (row,) = used(installation, endpoint)
    assert (row["ZoneHours"], row["Price"]) == (1, "0.000000")
