"""The eBPF program as a whole: that every reason has its packet, and that the verifier has room."""

from __future__ import annotations

import re
from pathlib import Path

from privlink.node.program.maps import Reason
from tests.kernel import (
    program_test,
    test_arp,
    test_discovery,
    test_errors,
    test_fragments,
    test_hops,
    test_icmp,
    test_ip,
    test_tcp,
    test_udp,
)
from tests.kernel.desk import Desk

TABLES = (
    test_arp.CASES,
    test_discovery.CASES,
    test_errors.FOREIGN,
    test_fragments.CASES,
    test_hops.CASES,
    test_icmp.CASES,
    test_ip.CASES,
    test_tcp.CASES,
    test_udp.CASES,
)

# What takes more than one packet, and the file where it is to be found.
ELSEWHERE = {
    Reason.VLAN_TAGGED: "test_wire",  # a tag is metadata, which the program-test call cannot set
    Reason.CLOSED: "test_conversations",
    Reason.NO_SOURCE_PORT: "test_conversations",
    Reason.FLOW_TABLE_FULL: "test_conversations",
    Reason.FLOW_LIMIT: "test_conversations",
    Reason.NO_LONGER_PERMITTED: "test_rule_changes",
    Reason.EGRESS_RULE: "test_security_groups",
    Reason.CHANGING: "test_sweep",
    Reason.FLOW_RATE: "test_limits",
    Reason.SERVER_GONE: "test_balancing",
    Reason.IDLE: "test_sweep",
    Reason.BANDWIDTH: "test_pace",
}


def test_every_reason_has_its_packet() -> None:
    in_tables = {case.reason for table in TABLES for case in table} - {None}
    assert in_tables == set(Reason) - set(ELSEWHERE)
    for reason, name in ELSEWHERE.items():
        text = Path(__file__).with_name(f"{name}.py").read_text()
        assert re.search(rf"Reason\.{reason.name}\b", text), f"{name} has no {reason.name}"


def test_the_verifier_has_room_left(desk: Desk) -> None:
    walked = program_test.verified_instructions(desk.program)
    print(f"\nverified instructions: {walked} of 1000000")
    assert 0 < walked < 100_000
