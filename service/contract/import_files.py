"""The files below the import root, as the server sees them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from service.contract.text import CutTo, Message, PathText

MOST_IMPORT_FILES = 1000


class ImportFile(BaseModel):
    """A file that an import can name; `path` is relative to the import root."""

    model_config = ConfigDict(frozen=True)

    path: PathText
    bytes: int
    modified_at: datetime | None = None


class ImportFiles(BaseModel):
    """`GET /imports`: the files below the import root of the server, the newest first.

    `has_more` is true if there are further ones. `problem` says why the folder cannot be read. The
    workers read their own import root: a file that they alone have is not listed, and its path can
    be imported all the same.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["list"] = "list"
    data: Annotated[tuple[ImportFile, ...], CutTo(MOST_IMPORT_FILES)] = ()
    has_more: bool = False
    problem: Message | None = None
