"""What an error of the operating system about a file below the data root means."""

import errno
from pathlib import Path

from workers.data.errors import DataError, InvalidData, NoDataRoot
from workers.data.root import check_still

_NOT_PERMITTED = "cannot be read: not permitted to the user of this worker; change its permissions"
_USER_ERRORS = {
    errno.ENOENT: "does not exist: restore or remove it",
    errno.ENOTDIR: "is not in a folder: restore or remove it",
    errno.EACCES: _NOT_PERMITTED,
    errno.EPERM: _NOT_PERMITTED,
    errno.ELOOP: "is a link that leads back to itself: remove it",
    errno.ENAMETOOLONG: "has a path that is too long for this system: shorten it",
}


def data_error_of(error: OSError, name: str, data_root: Path) -> DataError:
    """InvalidData where the user's files are at fault; NoDataRoot where this worker is.

    `name` is how messages name the file. Raises NoDataRoot if the whole data root is missing.
    """
    check_still(data_root)
    assert error.errno is not None, "only the operating system's own errors have a number"
    problem = _USER_ERRORS.get(error.errno)
    if problem is not None:
        return InvalidData(f"{name} {problem}")
    return NoDataRoot(f"this worker cannot read {name} ({error.strerror}): check its file system")
