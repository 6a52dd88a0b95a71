"""RAM: users, keys, policies and roles come and go."""

from tests.api.transcript import Step

STEPS: list[Step] = []
