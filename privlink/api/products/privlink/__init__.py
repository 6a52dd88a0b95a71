"""privlink 2026-12-01: what the cloud has no word for."""

from privlink.api.products.privlink import (
    accounts,
    attachments,
    endpoint_names,
    endpoint_targets,
    explanations,
    flow_records,
    gateway_services,
    health,
    name_servers,
    prices,
    service_names,
    service_traffic,
    status,
    usage,
)

ACTIONS = (
    *attachments.ACTIONS,
    *endpoint_targets.ACTIONS,
    *accounts.ACTIONS,
    *health.ACTIONS,
    *service_traffic.ACTIONS,
    *status.ACTIONS,
    *flow_records.ACTIONS,
    *usage.ACTIONS,
    *prices.ACTIONS,
    *gateway_services.ACTIONS,
    *service_names.ACTIONS,
    *endpoint_names.ACTIONS,
    *explanations.ACTIONS,
    *name_servers.ACTIONS,
)
