"""The routes of workers, as users see them."""

from fastapi import APIRouter, Request, Response

from service.api.answers import Page, listed
from service.api.deps import TheYard
from service.contract.workers import Worker
from service.control import workers

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", response_model=Page[Worker])
def page(request: Request, yard: TheYard) -> Response:
    """The workers that have not ended."""
    with yard.database.read() as tx:
        return listed(request, workers.there(tx))
