"""What a tag may look like.

Source: PrivateLink, "Create and manage endpoints", tags: keys are unique on a resource, up to 128
characters as values are, and neither begins with `aliyun` or `acs:` nor contains `http://` or
`https://`.
"""

from __future__ import annotations

LONGEST = 128
_BEGINNINGS = ("aliyun", "acs:")
_CONTENTS = ("http://", "https://")


def key_problem(key: str) -> str | None:
    """The rule that a key breaks, as a sentence, or None."""
    return "it is empty; a key has 1 to 128 characters." if not key else _problem(key)


def value_problem(value: str) -> str | None:
    """The rule that a value breaks, as a sentence, or None. A value may be empty."""
    return _problem(value)


def _problem(text: str) -> str | None:
    lower = text.lower()
    if len(text) > LONGEST:
        return f"it has {len(text)} characters; {LONGEST} are possible."
    if lower.startswith(_BEGINNINGS):
        return "it begins with aliyun or acs:, which are the cloud's own."
    if any(content in lower for content in _CONTENTS):
        return "it contains http:// or https://, which tags may not."
    return None
