"""All the wiring on one screen: which actions there are, and what a server is made of."""

from __future__ import annotations

from privlink.api.dispatch import Catalogue
from privlink.api.products import (
    billing,
    cms,
    ecs,
    location,
    nlb,
    privatelink,
    privlink,
    ram,
    resource_groups,
    slb,
    sts,
    vpc,
)
from privlink.config import Config
from privlink.server import feed, traffic
from privlink.server.app import Server
from privlink.store.database import Database

ACTIONS = (
    *vpc.ACTIONS,
    *ecs.ACTIONS,
    *nlb.ACTIONS,
    *slb.ACTIONS,
    *privatelink.ACTIONS,
    *resource_groups.ACTIONS,
    *location.ACTIONS,
    *billing.ACTIONS,
    *cms.ACTIONS,
    *ram.ACTIONS,
    *sts.ACTIONS,
    *privlink.ACTIONS,
    *feed.ACTIONS,
    *traffic.ACTIONS,
)


def make_server(database: Database, config: Config) -> Server:
    """A server over a database that is up to date."""
    return Server(database, config, Catalogue(ACTIONS))
