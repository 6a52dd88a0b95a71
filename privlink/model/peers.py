"""Somebody else's name servers that shall have our names, and how far they are."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import NameServerId, ResolverId


class KeyAlgorithm(enum.StrEnum):
    """How messages are signed with a shared key (RFC 8945 section 6, without those it advises
    against).
    """

    SHA224 = "hmac-sha224"
    SHA256 = "hmac-sha256"
    SHA384 = "hmac-sha384"
    SHA512 = "hmac-sha512"


class PeerState(enum.StrEnum):
    """How far a name server is."""

    PENDING = "Pending"  # nobody has said anything of it yet
    IN_STEP = "InStep"
    FAILING = "Failing"


class Peer(msgspec.Struct, frozen=True):
    """A name server that is not ours, and the key that it and we share."""

    id: NameServerId
    address: str
    port: int
    zone: str  # of theirs
    pushes: bool  # it is told of changes; else it transfers our domain
    key_name: str
    key_algorithm: KeyAlgorithm
    key_secret: str  # base64
    created_at: str

    def __repr__(self) -> str:
        """Without the secret, should anybody print it."""
        return f"Peer({self.id}, {self.address}, {self.port}, {self.zone})"


class PeerStanding(msgspec.Struct, frozen=True):
    """What whoever answers names last said of a name server."""

    server_id: NameServerId
    resolver_id: ResolverId
    state: PeerState
    why: str
    since: str


class PeerParts(msgspec.Struct, frozen=True):
    """What the document of a name server is made of."""

    peer: Peer
    owner: str  # the operator's account, which marks what is pushed as ours
