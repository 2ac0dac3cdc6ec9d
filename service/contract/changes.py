"""The requests that change or retry a job."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id, Labels
from service.contract.specs import Name, Priority


class JobEdit(BaseModel):
    """`PATCH /jobs/{id}`: missing fields are unchanged; labels are replaced as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    labels: Labels | None = None
    priority: Priority | None = None


class RetryRequest(BaseModel):
    """`POST /jobs/{id}/retry`: a new job from `latest`, `start`, or the id of a checkpoint.

    `latest` is the newest training checkpoint of the job.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[Id, Field(alias="from")] = "latest"
