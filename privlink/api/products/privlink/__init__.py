"""privlink 2026-12-01: what the cloud has no word for."""

from privlink.api.products.privlink import accounts, attachments, health, status

ACTIONS = (*attachments.ACTIONS, *accounts.ACTIONS, *health.ACTIONS, *status.ACTIONS)
