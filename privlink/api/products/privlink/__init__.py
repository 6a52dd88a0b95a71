"""privlink 2026-12-01: what the cloud has no word for."""

from privlink.api.products.privlink import accounts, attachments, flow_records, status

ACTIONS = (*attachments.ACTIONS, *accounts.ACTIONS, *status.ACTIONS, *flow_records.ACTIONS)
