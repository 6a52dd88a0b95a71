"""What an endpoint's policy may look like.

Source: RAM policy language, version 1, with a Principal, as CreateVpcEndpoint takes it.
"""

from __future__ import annotations

from privlink.rules import policy
from privlink.rules.policy import Shape

DEFAULT = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Principal":"*","Resource":"*"}]}'
)
LONGEST = 4096


def problem(document: str) -> str | None:
    """The rule that a policy document breaks, as a sentence, or None."""
    return policy.problem(document, Shape.ENDPOINT, LONGEST)
