"""Where the time of a CreateVpcEndpoint goes, measured in this process with the server's own parts.

What is left to the time a request takes is the rest: HTTP, the event loop, waiting for each other.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime

import msgspec

from bench import population
from bench.servers import Privlink
from privlink.api.action import Caller
from privlink.api.authenticate import Claim, claim_of, use_nonce, verify
from privlink.api.dispatch import Work, permit, prepare
from privlink.api.products.privatelink.endpoints import create_vpc_endpoint
from privlink.config import Config
from privlink.model.account import AccessKey, Account
from privlink.server.arrival import Arrived, decode
from privlink.store import accounts
from privlink.store.database import Database

_MANY = 320


class Admitted(msgspec.Struct, frozen=True):
    """A request that is ready to be carried out."""

    claim: Claim
    work: Work


def measure(server: Privlink, place: population.Place, service: str) -> dict[str, list[float]]:
    """Microseconds of each part of one create, alone and in a commit of sixteen.

    The server must have ended: its database is used.
    """
    parts: dict[str, list[float]] = {}
    database = Database(f"sqlite:///{server.file}")
    with ExitStack() as stack:
        stack.callback(database.close)
        for size in (1, 16):
            admit, answer, commit = _measure(server, database, place, service, size)
            parts.setdefault("decode, check signature and parameters", []).append(admit)
            parts.setdefault("statements, and what is decided", []).append(answer)
            parts.setdefault("commit, with its flush to disk", []).append(commit)
    return parts


def _measure(
    server: Privlink, database: Database, place: population.Place, service: str, size: int
) -> tuple[float, float, float]:
    arrived = [
        _arrived(
            server.request(
                "CreateVpcEndpoint",
                RegionId=server.config.region,
                VpcId=place.vpc_id,
                ServiceId=service,
                SecurityGroupId=[place.group_id],
                Zone=[{"ZoneId": server.config.zones[0], "VSwitchId": place.vswitch_id}],
            )
        )
        for _ in range(_MANY)
    ]
    with database.read() as tx:
        account, key = accounts.operator(tx), accounts.access_key(tx, server.key_id)
    assert account is not None and key is not None
    began = time.perf_counter()
    admitted = [_admit(each, account, key, server.config) for each in arrived]
    admit = time.perf_counter() - began
    answer = commit = 0.0
    for start in range(0, _MANY, size):
        with database.write() as tx:
            began = time.perf_counter()
            for each in admitted[start : start + size]:
                use_nonce(tx, each.claim, datetime.now(UTC))
                tx.driver.execute("SAVEPOINT piece")
                each.work.answer(tx)
                tx.driver.execute("RELEASE piece")
            done = time.perf_counter()
            answer += done - began
        commit += time.perf_counter() - done
    return 1e6 * admit / _MANY, 1e6 * answer / _MANY, 1e6 * commit / _MANY


def _arrived(request: bytes) -> Arrived:
    """A request as the server's HTTP layer hands it on."""
    head, *lines = request.decode().partition("\r\n\r\n")[0].split("\r\n")
    method, target, _ = head.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Arrived(method, target.partition("?")[2].encode(), headers, b"", "127.0.0.1")


def _admit(arrived: Arrived, account: Account, secret: AccessKey, config: Config) -> Admitted:
    """What the server does before it writes; it remembers who holds a key."""
    request = decode(arrived)
    claim, now = claim_of(request), datetime.now(UTC)
    verify(request, claim, secret, now)
    caller = Caller(secret.id, account, None)
    permit(create_vpc_endpoint, caller)
    return Admitted(claim, prepare(create_vpc_endpoint, request, caller, config=config, moment=now))
