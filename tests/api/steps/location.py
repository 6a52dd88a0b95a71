"""Location: where a product is found."""

from tests.api.transcript import Step

STEPS: list[Step] = []
