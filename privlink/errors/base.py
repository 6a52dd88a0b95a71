"""What every error of the API is made of."""

from __future__ import annotations

from typing import Any, ClassVar


class ApiError(Exception):
    """An answer that says no. Subclasses set `code`, `status` and the `text` of the message."""

    code: ClassVar[str]
    status: ClassVar[int] = 400
    text: ClassVar[str]
    # What a program reads beside the code, where the answer has it: AccessDeniedDetail.
    detail: dict[str, str] | None = None

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.text.format(**fields))

    @property
    def message(self) -> str:
        """The sentence for a person."""
        return str(self)

    @property
    def answered_code(self) -> str:
        """The code as it goes on the wire; some codes end with a parameter name."""
        return self.code


class ParameterError(ApiError):
    """An error whose code ends with the name of the parameter it is about."""

    def __init__(self, *, parameter: str, **fields: Any) -> None:
        self.parameter = parameter
        super().__init__(parameter=parameter, **fields)

    @property
    def answered_code(self) -> str:
        return self.code + self.parameter.split(".")[0]
