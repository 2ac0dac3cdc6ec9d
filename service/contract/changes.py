"""What users may change about a job that is there, and how they ask for it again."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id
from service.contract.specs import JobLabels, Name, Priority


class JobEdit(BaseModel):
    """`PATCH /jobs/{id}`: what is left out stays; labels are replaced as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    labels: JobLabels | None = None
    priority: Priority | None = None


class RetryRequest(BaseModel):
    """`POST /jobs/{id}/retry`: from the job's `latest` training state, the `start`, or a
    checkpoint by its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[Id, Field(alias="from")] = "latest"
