"""The requests that change or retry a job."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id, Labels, Name
from service.contract.json_types import NOT_NULL, Boolean
from service.contract.resources import Resources
from service.contract.specs import Priority


class JobEdit(BaseModel):
    """`PATCH /jobs/{id}`: missing fields are unchanged; labels are replaced as a whole.

    A name that is null is removed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    labels: Annotated[Labels | None, NOT_NULL] = None
    priority: Annotated[Priority | None, NOT_NULL] = None
    preemptible: Annotated[Boolean | None, NOT_NULL] = None


class RetryRequest(BaseModel):
    """`POST /jobs/{id}/retry`: a new job from `latest`, `start`, or the id of a checkpoint.

    `latest` is the newest training checkpoint of the job. `resources` take the place of the job's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[Id, Field(alias="from")] = "latest"
    resources: Annotated[Resources | None, NOT_NULL] = None
