"""STS: who am I, and temporary keys."""

from tests.api.transcript import Step

STEPS: list[Step] = []
