"""One installation for all journeys, and a stage for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journey.installation import Installation, Stage, stage


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """privlink, up and ready; nothing of it is left after the last journey."""
    started = Installation(tmp_path_factory.mktemp("journey") / "state")
    started.up()
    for quota in ("vpc_quota_vpcs", "nlb_quota_load_balancers"):  # each stage makes some
        started.run("quota", "set", quota, "1000")
    yield started
    started.tear_down()


@pytest.fixture(name="stage")
def _stage(installation: Installation) -> Iterator[Stage]:
    """Two networks with the same addresses, a server in one and a client in the other."""
    with stage(installation) as ready:
        yield ready
