"""What became of questions, in numbers since the process began."""

from __future__ import annotations

from typing import Final

import dns.rcode

_RCODES: Final = 16  # what the header has room for (RFC 1035 section 4.1.1)


class Counts:
    """Counters that whoever answers raises himself, as there is one thread that does."""

    def __init__(self) -> None:
        self.queries = 0  # datagrams and messages that came
        self.answers = [0] * _RCODES  # of ours, by their code
        self.truncated = 0
        self.limited = 0  # not answered, or only with an empty answer, for their number
        self.unanswered = 0  # that were no question at all
        self.strangers = 0  # from an address that no vSwitch has
        self.unsent = 0  # answers that the socket had no room for
        self.refused_connections = 0
        self.defects = 0  # questions that we failed at
        self.forwarded = 0  # questions that others were asked
        self.upstream_answers = 0
        self.upstream_failures = 0  # all servers were silent or failed, or too many were waiting

    def answered(self, wire: bytes) -> None:
        """Count an answer of ours."""
        self.answers[wire[3] & 15] += 1
        if wire[2] & 2:
            self.truncated += 1

    def told(self) -> dict[str, int]:
        """Everything that is not 0, by name; answers by their code's name, such as NXDOMAIN."""
        plain = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        codes = {dns.rcode.to_text(dns.rcode.Rcode(code)): n for code, n in enumerate(self.answers)}
        return {name: value for name, value in (plain | codes).items() if value}

    def sentence(self) -> str:
        """All that for a line of the log."""
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.told().items())
