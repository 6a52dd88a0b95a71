"""What became of flows: opened, closed and why, refused and by which rule."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import sealing
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.paging import NextToken
from privlink.api.wire import Answer
from privlink.model.flow_records import CAUSES, Event, Logged
from privlink.rules import flow_records
from privlink.rules.flow_records import Network, Wanted

Time = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z\Z",
        description="a time looks like 2026-12-01T12:00:00Z, with up to 3 digits of the second.",
    ),
]
Id = Annotated[str, msgspec.Meta(max_length=64, description="an id has up to 64 characters.")]
CauseName = Annotated[str, msgspec.Meta(max_length=64)]
ClientBlock = Annotated[str, msgspec.Meta(max_length=64)]
RecordsPerPage = Annotated[
    int, msgspec.Meta(ge=1, le=1000, description="a page has 1 to 1000 records.")
]


class FlowRecordAnswer(Answer):
    time: str
    event: str
    cause: str
    endpoint_id: str
    zone_id: str
    load_balancer_id: str
    service_id: str
    consumer_account_id: str
    provider_account_id: str
    protocol: str
    client_address: str
    client_port: int
    called_address: str
    called_port: int
    source_address: str
    source_port: int
    server_address: str
    server_port: int
    client_packets: int
    client_bytes: int
    server_packets: int
    server_bytes: int
    duration: int
    refused_side: str
    security_group_id: str
    security_group_rule_id: str
    direction: str
    node_id: str
    count: int


class FlowRecordsAnswer(Answer):
    flow_records: list[FlowRecordAnswer]
    next_token: str | msgspec.UnsetType


@action(PRIVLINK, resource="flowrecord/*")
def describe_flow_records(
    call: Call,
    *,
    start_time: Time | None = None,
    end_time: Time | None = None,
    endpoint_id: Id | None = None,
    service_id: Id | None = None,
    event: Event | None = None,
    cause: CauseName | None = None,
    client: ClientBlock | None = None,
    protocol: Literal["TCP", "UDP", "ICMP", "ICMPV6"] | None = None,
    max_results: RecordsPerPage = 100,
    next_token: NextToken = "",
) -> FlowRecordsAnswer:
    """List what became of flows through your endpoints and to your services, the newest first.

    A consumer sees its clients but not the server behind the service; a provider sees the source
    address that its server saw but not the client behind it; the operator sees every record.
    Through a Reverse endpoint the provider calls: it sees its clients and the target of its entry,
    the consumer its server and the source address, which is its endpoint's.
    `Client` is an address or a block: of the client, or where that is not seen of the source.
    `Duration` is in milliseconds. A call looks at so much of the log and no more: there may be
    a `NextToken` although the page is short, or empty.
    """
    account = call.caller.account
    assert account is not None
    wanted = Wanted(
        _time("StartTime", start_time),
        _time("EndTime", end_time),
        endpoint_id,
        service_id,
        event,
        _cause(cause),
        _block(client),
        protocol,
    )
    if wanted.start and wanted.end and wanted.start > wanted.end:
        why = f"{start_time} is after EndTime, {end_time}."
        raise errors.InvalidParameter(parameter="StartTime", why=why)
    mark = account.id.encode()

    def keep(line: bytes) -> Logged | None:
        if not account.operator and mark not in line:
            return None  # without a look at what it says, which takes longer
        try:
            record = msgspec.json.decode(line, type=Logged)
        except ValueError:
            return None  # torn, when the power went
        shown = flow_records.seen(record, account.id, operator=account.operator)
        return shown if shown is not None and flow_records.matches(shown, wanted) else None

    secret = call.flow_log.secret
    before = sealing.unseal(next_token, secret) if next_token else None
    page = call.flow_log.read(keep, max_results, before)
    return FlowRecordsAnswer(
        flow_records=[_answer(record) for record in page.found],
        next_token=sealing.seal(page.following, secret) if page.following else msgspec.UNSET,
    )


def _time(parameter: str, given: str | None) -> str | None:
    """A time as the log spells it."""
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given).astimezone(UTC)
    except ValueError as error:
        why = f"{given!r} was given; there is no such time: {error}."
        raise errors.InvalidParameter(parameter=parameter, why=why) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cause(given: str | None) -> str | None:
    if given is not None and given not in CAUSES:
        why = f"{given!r} was given; it is one of {', '.join(sorted(CAUSES))}."
        raise errors.InvalidParameter(parameter="Cause", why=why)
    return given


def _block(given: str | None) -> Network | None:
    if given is None:
        return None
    try:
        return ipaddress.ip_network(given, strict=False)
    except ValueError:
        why = f"{given!r} was given; it is an address or a block, such as 10.0.0.0/24."
        raise errors.InvalidParameter(parameter="Client", why=why) from None


def _answer(record: Logged) -> FlowRecordAnswer:
    return FlowRecordAnswer(
        time=record.time,
        event=record.event,
        cause=record.cause,
        endpoint_id=record.endpoint,
        zone_id=record.zone,
        load_balancer_id=record.balancer,
        service_id=record.service,
        consumer_account_id=record.consumer,
        provider_account_id=record.provider,
        protocol=record.protocol,
        client_address=record.client,
        client_port=record.client_port,
        called_address=record.called,
        called_port=record.called_port,
        source_address=record.source,
        source_port=record.source_port,
        server_address=record.server,
        server_port=record.server_port,
        client_packets=record.client_packets,
        client_bytes=record.client_bytes,
        server_packets=record.server_packets,
        server_bytes=record.server_bytes,
        duration=record.duration,
        refused_side=record.way,
        security_group_id=record.group,
        security_group_rule_id=record.rule,
        direction=record.direction,
        node_id=record.node,
        count=record.count,
    )


ACTIONS = (describe_flow_records,)
