"""What is wrong with data.

DataError
├── InvalidData     a user's data
└── NoDataRoot      a worker without its data
"""


class DataError(Exception):
    """Images that cannot be had."""


class InvalidData(DataError):
    """Data that no retry can heal; the message names it and says what to change."""


class NoDataRoot(DataError):
    """The worker's data root is not there: the machine's fault, and another may have it."""
