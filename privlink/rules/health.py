"""Whether a new flow finds a server: derived from what nodes say of each, and nothing else.

    server       weight   its checks say       takes new flows
    -----------  -------  -------------------  ---------------
    any          0        anything             no
    not checked  1..100   -                    yes
    checked      1..100   Initial, Healthy     yes
    checked      1..100   Unhealthy            no

The servers of a zone go first: while one of them takes flows, none of another zone does. Else those
of the others do, if the load balancer is for flows across zones. Those that a new flow may find so
are the ones that count; where there is none, all that might be.

    of those that count               health
    --------------------------------  ---------
    none takes flows, or there is no  Unhealthy
    some are down                     Degraded
    all take flows, one was asked     Healthy
    all take flows, none was asked    Unknown

Several listeners together are Unhealthy if all are, Degraded if one is or is Unhealthy, and else
Healthy if one is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from privlink.model.balancer import GroupServer
from privlink.model.health import (
    Front,
    FrontListener,
    Health,
    ServerHealth,
    ServerState,
    served_port,
)
from privlink.model.network import VSwitch
from privlink.rules import placement

# Why a check fails, as NLB's GetListenerHealthStatus names it.
REASONS = (
    "CONNECT_TIMEOUT",
    "CONNECT_FAILED",
    "RECV_RESPONSE_TIMEOUT",
    "CONNECT_INTERRUPT",
    "HTTP_CODE_NOT_MATCH",
    "HTTP_INVALID_HEADER",
)
_RANK = {ServerState.INITIAL: 0, ServerState.HEALTHY: 1, ServerState.UNHEALTHY: 2}
Place = tuple[str, str, str, int]  # zone, group, address and port
ServerKey = tuple[str, str, int]  # group, address and port


class Word(msgspec.Struct, frozen=True):
    """What all who speak of a server say together."""

    state: ServerState
    why: str = ""
    since: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """A server as a new flow may find it."""

    key: ServerKey
    takes: bool
    word: Word


class Condition(msgspec.Struct, frozen=True):
    """How a listener or a zone is, and the servers that it follows from."""

    health: Health
    pool: tuple[Candidate, ...] = ()

    @property
    def servers(self) -> int:
        """How many servers count."""
        return len({each.key for each in self.pool})

    @property
    def well(self) -> int:
        """How many of them take new flows behind every listener they stand behind."""
        return self.servers - len({each.key for each in self.pool if not each.takes})

    @property
    def since(self) -> str:
        """When the last of them changed; empty if that is not known."""
        if self.health is Health.UNKNOWN:
            return ""
        return max((each.word.since for each in self.pool), default="")


def word(told: Iterable[ServerHealth]) -> Word:
    """What several words on one server come to: who finds it worst is right.

    It is down since the first of them found it so, and well since the last did.
    """
    listed = list(told)
    worst = max((each.state for each in listed), key=_RANK.__getitem__, default=ServerState.INITIAL)
    alike = sorted((each for each in listed if each.state is worst), key=lambda each: each.since)
    if not alike:
        return Word(worst)
    decisive = alike[0] if worst is ServerState.UNHEALTHY else alike[-1]
    return Word(worst, decisive.why, decisive.since)


def words(told: Iterable[ServerHealth]) -> Callable[[Place], Word]:
    """The word on each server as asked for a zone."""
    found: dict[Place, list[ServerHealth]] = defaultdict(list)
    for each in told:
        found[place(each)].append(each)
    return lambda where: word(found.get(where, ()))


def words_of_all_zones(told: Iterable[ServerHealth]) -> Callable[[ServerKey], Word]:
    """The word on each server as asked for any zone."""
    found: dict[ServerKey, list[ServerHealth]] = defaultdict(list)
    for each in told:
        found[each.group_id, each.address, each.port].append(each)
    return lambda server: word(found.get(server, ()))


def key(server: GroupServer, behind: FrontListener) -> ServerKey:
    """A server as nodes name it."""
    return server.group_id, server.address, served_port(server, behind.listener)


def place(told: ServerHealth) -> Place:
    """What a node's word is about."""
    return told.zone_id, told.group_id, told.address, told.port


def located(addresses: Iterable[str], vswitches: Sequence[VSwitch]) -> dict[str, str]:
    """The zones of those addresses that lie in a vSwitch, by address."""
    zones = {address: placement.zone_of(address, vswitches) for address in addresses}
    return {address: zone_id for address, zone_id in zones.items() if zone_id}


def asked(front: Front) -> set[Place]:
    """Every server that nodes are to ask whether it is well, in every zone."""
    return {
        (zone_id, *key(server, behind))
        for behind in front.listeners
        if behind.checked
        for server in behind.servers
        for zone_id in front.zone_ids
    }


def reason(why: str) -> str | None:
    """The code that a node's reason begins with, or None if it has none."""
    first = why.partition(":")[0].strip()
    return first if first in REASONS else None


def conditions(front: Front, zone_id: str, families: Iterable[int]) -> list[Condition]:
    """How each listener is for new flows of a zone that are of these IP versions, in their order.

    A version that no server has says nothing if another one has some.
    """
    said, versions = words(front.told), tuple(families)
    found = []
    for behind in front.listeners:
        pools = [_pool(front, behind, zone_id, family, said) for family in versions]
        found.append(together([_condition(pool) for pool in pools if pool]))
    return found


def together(several: Sequence[Condition]) -> Condition:
    """How listeners are together. Where there is none, new flows are reset."""
    pool = tuple(candidate for each in several for candidate in each.pool)
    found = {each.health for each in several}
    if found <= {Health.UNHEALTHY}:
        return Condition(Health.UNHEALTHY, pool)
    if found & {Health.UNHEALTHY, Health.DEGRADED}:
        return Condition(Health.DEGRADED, pool)
    return Condition(Health.HEALTHY if Health.HEALTHY in found else Health.UNKNOWN, pool)


def has_server(front: Front, zone_id: str) -> bool:
    """Whether a new flow of a zone finds a server behind any of a load balancer's ports."""
    said = words(front.told)
    return any(
        each.takes
        for behind in front.listeners
        for family in (4, 6)
        for each in _pool(front, behind, zone_id, family, said)
    )


def spoken(front: Front, told: Iterable[ServerHealth]) -> Front:
    """A load balancer once nodes have said more; a word takes the place of the node's last one."""
    latest = {(each.node_id, place(each)): each for each in (*front.told, *told)}
    return msgspec.structs.replace(front, told=tuple(latest.values()))


def address_is_well(front: Front, zone_id: str, family: int) -> bool:
    """Whether a load balancer's address leads to servers that are well.

    It does not if a listener has servers that are checked, and all that it could lead to are down.
    """
    said = words(front.told)
    pools = (_pool(front, each, zone_id, family, said) for each in front.listeners if each.checked)
    return all(any(each.takes for each in pool) for pool in pools if pool)


def clb_status(checked: bool, state: ServerState) -> str:
    """A server's state as DescribeHealthStatus of CLB says it."""
    if not checked or state is ServerState.INITIAL:
        return "unavailable"
    return "normal" if state is ServerState.HEALTHY else "abnormal"


def _pool(
    front: Front,
    behind: FrontListener,
    zone_id: str,
    family: int,
    said: Callable[[Place], Word],
) -> list[Candidate]:
    """The servers that count for new flows of a zone."""
    own: list[Candidate] = []
    others: list[Candidate] = []
    for server in behind.servers:
        if server.weight == 0 or (6 if ":" in server.address else 4) != family:
            continue
        name = key(server, behind)
        # One that is checked for another listener as well is down for both.
        found = said((zone_id, *name))
        takes = found.state is not ServerState.UNHEALTHY
        at_home = front.server_zones.get(server.address, zone_id) == zone_id
        (own if at_home else others).append(Candidate(name, takes, found))
    if not front.cross_zone or any(each.takes for each in own):
        return own
    return others if any(each.takes for each in others) else own + others


def _condition(pool: Sequence[Candidate]) -> Condition:
    taking = [each for each in pool if each.takes]
    if not taking:
        return Condition(Health.UNHEALTHY, tuple(pool))
    if len(taking) < len(pool):
        return Condition(Health.DEGRADED, tuple(pool))
    known = any(each.word.state is ServerState.HEALTHY for each in taking)
    return Condition(Health.HEALTHY if known else Health.UNKNOWN, tuple(pool))
