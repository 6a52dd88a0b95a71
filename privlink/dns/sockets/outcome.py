"""What can become of a question, as those who answer tell those who have the sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Reply = Callable[[bytes], None]  # the way back to whoever asked; to be called at most once
Later = Callable[[Reply], None]  # begins what ends in a reply

# The answer; by a stream maybe several messages; an answer that will come later; or silence.
Outcome = bytes | Iterator[bytes] | Later | None

Answering = Callable[[bytes, str], Outcome]  # of a message, and the IP address it came from
