"""What of a flow record whom concerns, for any record and any question."""

from __future__ import annotations

import ipaddress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from privlink.model.flow_records import CAUSES, Event, Logged
from privlink.model.ids import AccountId
from privlink.rules.flow_records import Wanted, matches, seen

CONSUMER, PROVIDER, STRANGER = (AccountId(name) for name in ("consumer", "provider", "stranger"))
OF_THE_CALLER = ("client", "called", "group", "rule", "direction")
OF_THE_CALLED = ("server",)

addresses = st.sampled_from(["", "10.0.0.5", "10.0.1.5", "100.64.0.1", "fd00::5", "fd00:1::5"])
times = st.sampled_from([f"2026-12-01T12:00:0{second}.000Z" for second in range(5)])
records = st.builds(
    Logged,
    time=times,
    event=st.sampled_from(Event),
    cause=st.sampled_from(sorted(CAUSES)),
    endpoint=st.sampled_from(["", "ep-1", "ep-2"]),
    service=st.sampled_from(["", "epsrv-1"]),
    consumer=st.sampled_from(["", CONSUMER, PROVIDER]),
    provider=st.sampled_from(["", PROVIDER, CONSUMER]),
    protocol=st.sampled_from(["TCP", "UDP"]),
    client=addresses,
    called=addresses,
    source=addresses,
    server=addresses,
    group=st.sampled_from(["", "sg-1"]),
    rule=st.sampled_from(["", "sgr-1"]),
    way=st.sampled_from(["", "client", "server"]),
    inward=st.booleans(),
)
networks = st.sampled_from(["10.0.0.0/24", "10.0.0.5/32", "fd00::/16", "::/0", "0.0.0.0/0"]).map(
    ipaddress.ip_network
)
questions = st.builds(
    Wanted,
    start=st.none() | times,
    end=st.none() | times,
    endpoint=st.none() | st.sampled_from(["ep-1", "ep-3"]),
    service=st.none() | st.just("epsrv-1"),
    event=st.none() | st.sampled_from([str(event) for event in Event]),
    cause=st.none() | st.sampled_from(sorted(CAUSES)),
    client=st.none() | networks,
    protocol=st.none() | st.just("TCP"),
)


@given(records, st.sampled_from([CONSUMER, PROVIDER, STRANGER]))
def test_nobody_sees_a_strangers_and_each_side_its_own(record: Logged, who: AccountId) -> None:
    shown = seen(record, who, operator=False)
    consumes, provides = record.consumer == who, record.provider == who
    if not consumes and not provides:
        assert shown is None
        return
    if shown is None:
        assert consumes is record.inward
        assert (record.event, record.cause in ("security_group", "egress_rule")) == (
            Event.REFUSED,
            True,
        )
        return
    hidden: tuple[str, ...] = OF_THE_CALLED if consumes is not record.inward else OF_THE_CALLER
    if consumes and provides:
        hidden = ()
    elif record.inward and provides and record.way != "server":
        hidden = ()  # its own entry names the server
    for field in Logged.__struct_fields__:
        value = getattr(shown, field)
        if field in hidden:
            assert value == "", field
        elif field not in ("node", "client_port", "server_port"):
            assert value == getattr(record, field), field


@given(records, st.sampled_from([CONSUMER, PROVIDER, STRANGER]))
def test_the_operator_sees_everything(record: Logged, who: AccountId) -> None:
    assert seen(record, who, operator=True) == record


@given(records, questions)
def test_a_question_is_each_of_its_parts(record: Logged, wanted: Wanted) -> None:
    answers = []
    for field in Wanted.__struct_fields__:
        asked = getattr(wanted, field)
        if asked is None:
            continue
        if field == "client":
            known = record.client or record.source
            answers.append(bool(known) and ipaddress.ip_address(known) in asked)
        elif field in ("start", "end"):
            answers.append(asked <= record.time if field == "start" else record.time <= asked)
        else:
            answers.append(getattr(record, field) == asked)
    assert matches(record, wanted) == all(answers)


@given(records, addresses, addresses, questions)
def test_no_question_tells_what_is_hidden(
    record: Logged, client: str, called: str, wanted: Wanted
) -> None:
    """Whatever the client was, who is called is answered the same."""
    record = msgspec.structs.replace(record, consumer=CONSUMER, provider=PROVIDER)
    who = CONSUMER if record.inward else PROVIDER
    other = msgspec.structs.replace(record, client=client, called=called)
    told = [
        shown if (shown := seen(each, who, operator=False)) and matches(shown, wanted) else None
        for each in (record, other)
    ]
    assert told[0] == told[1]
