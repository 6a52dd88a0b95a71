"""How `privlink usage` asks, and what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from privlink.cli import usage

ROW = {
    "StartTime": "2026-12-01T00:00:00Z",
    "EndTime": "2026-12-02T00:00:00Z",
    "PayerAccountId": "1",
    "EndpointId": "ep-1",
    "EndpointAccountId": "1",
    "ZoneId": "local-a",
    "ServiceId": "epsrv-1",
    "ServiceAccountId": "2",
    "ZoneHours": 24,
    "BytesIn": 10,
    "BytesOut": 20,
    "Price": "1.680001",
    "Currency": "CNY",
}


class Server:
    """Answers in two pages and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        assert action == "DescribeUsage"
        self.asked.append(parameters)
        following = {} if parameters["NextToken"] else {"NextToken": "more"}
        return {"Usage": [ROW], **following}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(usage, "client", lambda _state: server)
    return server


def test_it_asks_for_every_page(server: Server) -> None:
    words = ["--from", "2026-12-01", "--to", "2026-12-02T00:00:00Z", "--endpoint", "ep-1"]
    printed = CliRunner().invoke(usage.usage, [*words, "--by", "day", "-o", "json"]).output
    assert json.loads(printed) == [ROW, ROW]
    first, second = server.asked
    assert (first.pop("NextToken"), second.pop("NextToken")) == (None, "more")
    assert first == second
    assert (first["StartTime"], first["EndTime"]) == (
        "2026-12-01T00:00:00Z",
        "2026-12-02T00:00:00Z",
    )
    assert (first["Granularity"], first["EndpointId"]) == ("Day", "ep-1")


def test_a_table_ends_with_the_bill(server: Server) -> None:
    printed = CliRunner().invoke(usage.usage).output
    assert "3.360002 CNY in all" in printed
    assert server.asked[0]["Granularity"] == "Total"


def test_a_spreadsheet_takes_it(server: Server) -> None:
    lines = CliRunner().invoke(usage.usage, ["-o", "csv"]).output.splitlines()
    assert len(lines) == len(server.asked) + 1
    assert lines[0].startswith("StartTime,EndTime,PayerAccountId,EndpointId")
    assert lines[1].endswith(",24,10,20,1.680001,CNY")
