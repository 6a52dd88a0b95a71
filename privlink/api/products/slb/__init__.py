"""CLB, SLB 2014-05-15: one file for each noun of it; the table of all its actions."""

from privlink.api.products.slb import (
    backend_servers,
    health,
    labels,
    listeners,
    load_balancers,
    places,
    settings,
    tcp_listeners,
    udp_listeners,
    vserver_groups,
)

ACTIONS = (
    *places.ACTIONS,
    *load_balancers.ACTIONS,
    *settings.ACTIONS,
    *backend_servers.ACTIONS,
    *vserver_groups.ACTIONS,
    *tcp_listeners.ACTIONS,
    *udp_listeners.ACTIONS,
    *listeners.ACTIONS,
    *health.ACTIONS,
    *labels.ACTIONS,
)
