"""What the node says when the kernel refuses: the operation, its words, and the way out."""

from __future__ import annotations

import errno
import os


class KernelError(OSError):
    """The kernel refused an operation; the message names it, the reason and what to do.

    `errno` is the kernel's number; `log` holds what the verifier or libbpf said, if anything.
    """

    def __init__(self, operation: str, cause: OSError, way_out: str = "", log: str = "") -> None:
        number = cause.errno or errno.EIO
        super().__init__(number, cause.strerror or os.strerror(number))
        self.operation = operation
        self.way_out = way_out
        self.log = log

    @classmethod
    def of(cls, operation: str, number: int, way_out: str = "", log: str = "") -> KernelError:
        """The error for a bare errno."""
        return cls(operation, OSError(number, os.strerror(number)), way_out, log)

    def __str__(self) -> str:
        sentence = f"the kernel refused to {self.operation}: {self.strerror}"
        if self.way_out:
            sentence += f"; {self.way_out}"
        return f"{sentence}\n{self.log}" if self.log else sentence


class LayoutError(KernelError):
    """Maps are pinned that this version cannot go on with; the message says why and what to do."""

    def __init__(self, finding: str, way_out: str) -> None:
        super().__init__("take up pinned maps", OSError(errno.EINVAL, finding), way_out)

    def __str__(self) -> str:
        return f"{self.strerror}; {self.way_out}"
