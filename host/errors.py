"""The errors that a user of the host sees."""


class ModelError(ValueError):
    """A model file that cannot be used: malformed, unsupported or inconsistent.

    ``file`` names the file, ``operator`` the operator at fault (``None`` when the file as a whole is at
    fault, or when ``reason`` lists several operators) and ``reason`` says what is wrong.
    """

    def __init__(self, file: str, reason: str, operator: str | None = None) -> None:
        where = file if operator is None else f"{file}: {operator}"
        super().__init__(f"{where}: {reason}")
        self.file = file
        self.operator = operator
        self.reason = reason


class DataError(ValueError):
    """A file of arrays (.npy, .npz) that cannot be used; the message names the file, the array and the reason."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
