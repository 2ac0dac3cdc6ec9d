"""The exception for files that cannot be imported."""

from workers.checkpoints.upstream import IncompatibleCheckpoint


class ImportRefused(IncompatibleCheckpoint):
    """A file cannot become a checkpoint; `code` is for programs, the message for people.

    The codes: those of UnreadableWeights, `unknown_network`, `other_network`,
    `class_count_mismatch`, `class_names_invalid`, `class_names_unreadable`, `mean_image_missing`,
    `mean_image_unused`, `mean_image_unreadable`, `mean_image_shape`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
