"""What of a flow record whom concerns. Pure: a record in, what may be seen of it out.

A filter is asked about what is seen, never about the record: else a question about what is hidden
would be answered by what comes.
"""

from __future__ import annotations

import ipaddress

import msgspec

from privlink.model.flow_records import Event, Logged, Refusal
from privlink.model.ids import AccountId

# What the rules of who calls decide about its own packets is no business of who is called.
_THE_CALLERS = frozenset({Refusal.SECURITY_GROUP, Refusal.EGRESS_RULE})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for; what is None does not matter. Times as the log has them."""

    start: str | None = None
    end: str | None = None
    endpoint: str | None = None
    service: str | None = None
    event: str | None = None
    cause: str | None = None
    client: Network | None = None
    protocol: str | None = None


def seen(record: Logged, account_id: AccountId, *, operator: bool) -> Logged | None:
    """What an account may see of a record, or None.

    Who calls sees all but the server's address, who is called all but its caller's and the address
    that was called; who is both, or runs the installation, sees everything. The consumer calls, but
    through a Reverse endpoint the provider; to it no server is new, for its own entry names it.
    """
    consumes, provides = record.consumer == account_id, record.provider == account_id
    if operator or (consumes and provides):
        return record
    if not consumes and not provides:
        return None
    if record.inward and provides:
        if record.way == "server":  # whoever in there sent it
            record = msgspec.structs.replace(record, server="", server_port=0)
        return msgspec.structs.replace(record, node="")
    if consumes and not record.inward:
        return msgspec.structs.replace(record, server="", server_port=0, node="")
    if record.event is Event.REFUSED and record.cause in _THE_CALLERS:
        return None
    return msgspec.structs.replace(
        record, client="", client_port=0, called="", group="", rule="", direction="", node=""
    )


def matches(record: Logged, wanted: Wanted) -> bool:
    """Whether a record, as it is seen, is wanted. `client` is what the caller knows it by."""
    for value, asked in (
        (record.endpoint, wanted.endpoint),
        (record.service, wanted.service),
        (record.event, wanted.event),
        (record.cause, wanted.cause),
        (record.protocol, wanted.protocol),
    ):
        if asked is not None and value != asked:
            return False
    if wanted.start is not None and record.time < wanted.start:
        return False
    if wanted.end is not None and record.time > wanted.end:
        return False
    return wanted.client is None or _is_in(record.client or record.source, wanted.client)


def _is_in(address: str, network: Network) -> bool:
    return bool(address) and ipaddress.ip_address(address) in network
