"""All the wiring on one screen: which actions there are, and what a server is made of."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from privlink.api.dispatch import Catalogue, prepare
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
from privlink.server import (
    feed,
    flow_records,
    health,
    name_servers,
    naming,
    resolutions,
    traffic,
)
from privlink.server.app import Server
from privlink.server.outside import Outside
from privlink.store.database import Database
from privlink.store.flow_log import FlowLog

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
    *naming.ACTIONS,
    *name_servers.ACTIONS,
    *health.ACTIONS,
    *resolutions.ACTIONS,
    *flow_records.ACTIONS,
    *traffic.ACTIONS,
)


def make_server(database: Database, config: Config, flow_log: FlowLog) -> Server:
    """A server over a database that is up to date."""
    preparing = partial(prepare, config=config, flow_log=flow_log)
    return Server(database, Catalogue(ACTIONS), preparing, Outside(config.dns_upstream))


def make_flow_log(folder: Path, config: Config) -> FlowLog:
    """The log of flow records in the server's folder."""
    return FlowLog(folder / "flows", config.flow_log_size * 1024 * 1024, config.flow_log_files)
