"""How much there may be, and what who meets a limit reads."""

from __future__ import annotations

import pytest

from privlink import errors
from privlink.rules import quotas
from privlink.rules.quotas import Quota

EVERY = [quota for quota in vars(quotas).values() if isinstance(quota, Quota)]


@pytest.mark.parametrize("quota", EVERY, ids=lambda quota: str(quota.what))
def test_the_last_one_fits_and_the_next_does_not(quota: Quota) -> None:
    quota.check(quota.limit - 1)
    with pytest.raises(quota.refusal) as refused:
        quota.check(quota.limit)
    for word in (quota.what, str(quota.limit), quota.way_out):
        assert word in refused.value.message


def test_several_at_once_count_together() -> None:
    quotas.SERVERS_PER_GROUP.check(160, "sgp-1", more=40)
    with pytest.raises(errors.QuotaExceededServers, match=r"Servers of sgp-1: 201 .* 200"):
        quotas.SERVERS_PER_GROUP.check(161, "sgp-1", more=40)
