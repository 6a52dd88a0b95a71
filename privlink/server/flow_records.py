"""PushFlowRecords: what nodes say of flows comes into the log, with whose flow each was."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer
from privlink.model.flow_records import MOST_RECORDS, Batch, Count, Event, Logged, Said
from privlink.model.ids import EndpointId, LoadBalancerId, NodeId
from privlink.server.feed import check_is_self
from privlink.store import balancers, endpoints, gateways, networks, services
from privlink.store.database import Transaction
from privlink.store.flow_log import Owner

log = logging.getLogger(__name__)

_SAID = msgspec.json.Decoder(tuple[Said, ...])
Text = Annotated[str, msgspec.Meta(max_length=1024 * 1024)]


@action(PRIVLINK, who=Who.NODE, appends=True, resource="node/{node_id}")
def push_flow_records(
    call: Call,
    *,
    node_id: str,
    records: Text,
    skipped: Count = 0,
    life: Count = 0,
    batch: Count = 0,
) -> Answer:
    """A node's word on flows, as a JSON list of up to 1,000; `Skipped` were left out before them.

    A node that hears no answer says the same again, as the same `Batch` of its `Life`: it is logged
    once. Batches are numbered from 1 on; without a number it is logged as it comes.
    """
    node = check_is_self(call, node_id, "PushFlowRecords")
    try:
        said = _SAID.decode(records)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        why = f"it is no list of flow records: {error}."
        raise errors.InvalidParameter(parameter="Records", why=why) from None
    if len(said) > MOST_RECORDS:
        why = f"{len(said)} were given; one call takes {MOST_RECORDS}."
        raise errors.InvalidParameter(parameter="Records", why=why)
    owners = _owners(call, {record.place for record in said})
    now = int(call.moment.timestamp() * 1000)
    logged = [_logged(record, owners.get(record.place, Owner()), node.id, now) for record in said]
    if skipped:
        log.warning("%s left out %d flow records: more than it may say", node.id, skipped)
        gap = Logged(time=_spelt(now), event=Event.SKIPPED, node=node.id, count=skipped)
        logged.insert(0, gap)
    try:
        call.flow_log.append(logged, Batch(life, batch) if batch else None)
    except OSError as error:
        log.error("the log of flow records cannot be written: %s", error)
        raise errors.FlowLogUnavailable(why=str(error.strerror or error)) from None
    return Answer()


def _owners(call: Call, places: Iterable[str]) -> dict[str, Owner]:
    """Whose the places are. What was found once stays found: no endpoint changes hands."""
    known = call.flow_log.owners
    missing = [place for place in places if place and known.get(place) is None]
    for place, found in _look_up(call.tx, missing).items():
        known.put(place, found)
    return {place: owner for place in places if (owner := known.get(place))}


def _look_up(tx: Transaction, places: list[str]) -> dict[str, Owner]:
    parts = [(place, *place.split("/")) for place in places if place.count("/") == 2]
    fronts = endpoints.by_ids(tx, {id for _, kind, id, _ in parts if kind == "forward"})
    served = services.by_ids(tx, {front.service_id for front in fronts.values()})
    wanted = {id for _, kind, id, _ in parts if kind == "balancer"}
    carriers = {each.id: each for each in balancers.by_ids(tx, wanted)}
    found = {}
    for place, kind, id, zone in parts:
        if kind == "forward" and (front := fronts.get(EndpointId(id))) is not None:
            service = served.get(front.service_id)
            found[place] = Owner(
                endpoint=id,
                zone=zone,
                service=front.service_id,
                consumer=front.account_id,
                provider=service.account_id if service is not None else "",
            )
        elif kind == "balancer" and (carrier := carriers.get(LoadBalancerId(id))) is not None:
            owner = carrier.account_id
            found[place] = Owner(zone=zone, balancer=id, consumer=owner, provider=owner)
    return found | _look_up_gateways(tx, places)


def _look_up_gateways(tx: Transaction, places: list[str]) -> dict[str, Owner]:
    """Those of the places that are gateway endpoints, which are in no zone."""
    wanted = {place: place.partition("/")[2] for place in places if place.count("/") == 1}
    fronts = gateways.by_ids(tx, wanted.values())
    return {
        place: Owner(
            endpoint=front.id,
            service=front.service_id,
            consumer=front.account_id,
            provider=networks.vpc_by_id(tx, front.provider_vpc_id).account_id,
        )
        for place, id in wanted.items()
        if place.startswith("forward/") and (front := fronts.get(id)) is not None
    }


def _logged(said: Said, owner: Owner, node_id: NodeId, now: int) -> Logged:
    return Logged(
        time=_spelt(min(said.time, now)),  # no clock of a node's is ahead of ours
        event=said.event,
        cause=said.cause,
        endpoint=owner.endpoint,
        zone=owner.zone,
        balancer=owner.balancer,
        service=owner.service,
        consumer=owner.consumer,
        provider=owner.provider,
        protocol=said.protocol,
        client=said.client,
        client_port=said.client_port,
        called=said.called,
        called_port=said.called_port,
        source=said.source,
        source_port=said.source_port,
        server=said.server,
        server_port=said.server_port,
        client_packets=said.client_packets,
        client_bytes=said.client_bytes,
        server_packets=said.server_packets,
        server_bytes=said.server_bytes,
        duration=said.duration,
        group=said.group,
        rule=said.rule,
        direction=said.direction,
        way=said.way,
        inward=said.inward,
        node=node_id,
    )


def _spelt(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ACTIONS = (push_flow_records,)
