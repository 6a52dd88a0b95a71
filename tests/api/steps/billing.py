"""BssOpenApi: what Terraform asks at its start."""

from tests.api.transcript import Step

STEPS: list[Step] = []
