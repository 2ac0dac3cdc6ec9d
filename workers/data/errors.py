"""What is wrong with a user's data."""


class InvalidData(Exception):
    """Data that no retry can heal; the message names it and says what to change."""
