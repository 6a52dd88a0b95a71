"""Whether a server is well: what follows from the answers to its checks, and nothing else.

    state      the next answer is good                 the next answer is bad
    ---------  --------------------------------------  -----------------------------------------
    any, new   Healthy                                 Unhealthy, and new still
    Healthy    Healthy                                 Unhealthy, if it is the fall-th in a row
    Unhealthy  Healthy, if it is the rise-th in a row  Unhealthy

New is a server that has not been well yet, of which there is nothing to doubt. It is again when it
is asked in another way than before, or when its link came or went; till then it keeps its state.
Only who is Unhealthy takes no flows.

Pure: no clock and no socket.
"""

from __future__ import annotations

import enum

import msgspec


class State(enum.StrEnum):
    """What the checks of a server have shown."""

    INITIAL = "Initial"  # nothing yet
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"


class Course(msgspec.Struct, frozen=True):
    """How a server is, and how far it is on its way to be otherwise."""

    state: State = State.INITIAL
    streak: int = 0  # answers in a row that speak against the state
    new: bool = True  # an answer decides alone

    @property
    def down(self) -> bool:
        """Whether the server may have no flows."""
        return self.state is State.UNHEALTHY

    def after(self, rise: int, fall: int, *, good: bool) -> Course:
        """The course after one more answer, where so many in a row make a server well or not."""
        answered = State.HEALTHY if good else State.UNHEALTHY
        if self.new:
            return Course(answered, new=not good)
        if self.state is answered:
            return Course(answered, new=False)
        streak = self.streak + 1
        if streak >= (rise if good else fall):
            return Course(answered, new=False)
        return Course(self.state, streak, new=False)

    def asked_otherwise(self) -> Course:
        """The course of a server of which nothing known holds but its state."""
        return Course(self.state)
