"""Other people's name servers that shall have the names of this installation's endpoints.

The operator names them, as they are the DNS that people there already run.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import SECRET, Answer
from privlink.model.ids import NameServerId, new_id
from privlink.model.peers import KeyAlgorithm, Peer, PeerStanding, PeerState
from privlink.rules import peers as rules
from privlink.store import name_servers

Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port is 1 to 65535.")]
_WORST = (PeerState.FAILING, PeerState.PENDING, PeerState.IN_STEP)


class CreateNameServerAnswer(Answer):
    name_server_id: str


class NameServerAnswer(Answer):
    name_server_id: str
    address: str
    port: int
    zone: str
    pushes: bool
    key_name: str
    key_algorithm: str
    state: str  # Pending, InStep or Failing
    why: str
    since: str
    create_time: str


class NameServersAnswer(Answer):
    name_servers: list[NameServerAnswer]


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="nameserver/*")
def create_name_server(
    call: Call,
    *,
    address: str,
    pushes: bool,
    key_name: str,
    key_secret: Annotated[str, SECRET],
    port: Port = 53,
    zone: str | None = None,
    key_algorithm: KeyAlgorithm = KeyAlgorithm.SHA256,
) -> CreateNameServerAnswer:
    """Have a name server hold the names of all endpoints: their domains and those of their zones.

    With `Pushes` it is told of every change by dynamic update (RFC 2136). It must let the key
    transfer and update `Zone`, which is this installation's domain or one above it. A TXT record
    beside each name says that it is ours; names without it are not touched. Without `Pushes` it is
    a secondary: the key lets it transfer the domain, and it is notified of changes. Both share the
    key (TSIG, RFC 8945), whose secret is shown by no action.
    """
    peer = Peer(
        NameServerId(new_id("nsrv")),
        rules.address(address),
        port,
        rules.zone(zone, call.config.domain, pushes=pushes),
        pushes,
        rules.name(key_name, "KeyName"),
        key_algorithm,
        rules.secret(key_secret),
        call.now,
    )
    present = name_servers.every(call.tx)
    if len(present) >= rules.MOST_SERVERS:
        raise errors.QuotaExceededNameServers(limit=rules.MOST_SERVERS)
    for other in present:
        if (other.address, other.port, other.zone) == (peer.address, peer.port, peer.zone):
            raise errors.NameServerExists(
                address=peer.address, port=peer.port, zone=peer.zone, server_id=other.id
            )
        shared = (other.key_algorithm, other.key_secret) == (peer.key_algorithm, peer.key_secret)
        if other.key_name == peer.key_name and not shared:
            raise errors.NameServerKeyExists(name=peer.key_name, server_id=other.id)
    name_servers.add(call.tx, peer)
    return CreateNameServerAnswer(name_server_id=peer.id)


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="nameserver/{name_server_id}")
def delete_name_server(call: Call, *, name_server_id: str) -> Answer:
    """Tell a name server nothing more, nor let it transfer anything.

    What was pushed to it is taken out of it, if that can be done within a minute; what is left of
    it then stays. What it has transferred stays until it expires there.
    """
    peer = name_servers.get(call.tx, name_server_id)
    if peer is None:
        raise errors.NameServerNotFound(server_id=name_server_id)
    name_servers.remove(call.tx, peer.id)
    return Answer()


@action(PRIVLINK, who=Who.OPERATOR, resource="nameserver/*")
def list_name_servers(call: Call) -> NameServersAnswer:
    """List the name servers, the oldest first, and how far they are.

    `State` is Pending until something is known, InStep, or Failing, and `Since` is when that began.
    `Why` is what the last try came to, or what of our names is somebody else's there.
    """
    said = name_servers.standings_by_server(call.tx)
    return NameServersAnswer(
        name_servers=[_answer(each, said.get(each.id, [])) for each in name_servers.every(call.tx)]
    )


def _answer(peer: Peer, said: list[PeerStanding]) -> NameServerAnswer:
    worst = min(said, key=lambda each: _WORST.index(each.state), default=None)
    return NameServerAnswer(
        name_server_id=peer.id,
        address=peer.address,
        port=peer.port,
        zone=peer.zone,
        pushes=peer.pushes,
        key_name=peer.key_name,
        key_algorithm=peer.key_algorithm,
        state=worst.state if worst is not None else PeerState.PENDING,
        why=worst.why if worst is not None else "",
        since=worst.since if worst is not None else peer.created_at,
        create_time=peer.created_at,
    )


ACTIONS = (create_name_server, delete_name_server, list_name_servers)
