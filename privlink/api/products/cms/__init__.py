"""cms 2019-01-01, CloudMonitor: what passed through PrivateLink, as series of numbers."""

from privlink.api.products.cms import metas, metrics

ACTIONS = (*metas.ACTIONS, *metrics.ACTIONS)
