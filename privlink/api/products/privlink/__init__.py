"""privlink 2026-12-01: what the cloud has no word for."""

from privlink.api.products.privlink import accounts, attachments, prices, status, usage

ACTIONS = (
    *attachments.ACTIONS,
    *accounts.ACTIONS,
    *status.ACTIONS,
    *usage.ACTIONS,
    *prices.ACTIONS,
)
