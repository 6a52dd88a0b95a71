"""SLB: a CLB, its listeners and the servers behind it come and go."""

from tests.api.transcript import Step

STEPS: list[Step] = []
