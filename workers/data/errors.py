"""The exceptions of data sets.

DataError
├── InvalidData     the user's data cannot be used
└── NoDataRoot      the worker cannot read its data root
"""


class DataError(Exception):
    """Images cannot be read."""


class InvalidData(DataError):
    """The user's data cannot be used, now or later; the message says what to change."""


class NoDataRoot(DataError):
    """The worker's data root cannot be read; another worker may be able to read it."""
