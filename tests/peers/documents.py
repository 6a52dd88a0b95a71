"""Documents and views, as the product's server would make them."""

from __future__ import annotations

from privlink.dns.answers.view import View
from privlink.model.naming import (
    AnyDocument,
    EndpointNames,
    Front,
    NameServer,
    TransferKey,
    ZoneNames,
)
from tests.peers.knot import KEY, SECRET

DOMAIN = "privatelink.internal"
FRONT_A, FRONT_B = "front/nlb-1/local-a", "front/nlb-1/local-b"


def endpoint(number: int = 1) -> EndpointNames:
    """An endpoint with two zones, one of which has an IPv6 address."""
    rest = f"epsrv-1.local.{DOMAIN}"
    high, low = divmod(number, 250)
    a, b = (f"ep-{number}-{zone}.{rest}" for zone in ("local-a", "local-b"))
    return EndpointNames(
        f"ep-{number}",
        1,
        number,
        f"ep-{number}.{rest}",
        rest,
        (
            ZoneNames("local-a", a, f"10.1.{high}.{low}", front=FRONT_A),
            ZoneNames(
                "local-b",
                b,
                f"10.2.{high}.{low}",
                f"fd00::{number:x}",
                front=FRONT_B,
            ),
        ),
        private=(f"db{number}.vendor.example",),
    )


def server(
    port: int, *, pushes: bool, zone: str = DOMAIN, key: str = KEY, secret: str = SECRET
) -> NameServer:
    """A name server on this host."""
    shared = TransferKey(key, "hmac-sha256", secret)
    return NameServer("127.0.0.1", port, zone, pushes, shared, owner="1000000000000001")


def view(*numbers: int, **servers: NameServer) -> View:
    """A view with these endpoints, all of whose zones are well, and these name servers."""
    documents: dict[str, AnyDocument | None] = {
        FRONT_A: Front(healthy=True),
        FRONT_B: Front(healthy=True),
    }
    documents |= {f"names/ep-{number}": endpoint(number) for number in numbers}
    documents |= {f"server/{name}": each for name, each in servers.items()}
    return View.empty(DOMAIN, "127.0.0.1").changed(documents, 7)
