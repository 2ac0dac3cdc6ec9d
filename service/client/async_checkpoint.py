"""A checkpoint with its verbs, to be awaited."""

from typing import Self

from pydantic import PrivateAttr

from service.client.async_driver import AsyncDriver
from service.client.async_verbs import itself, own, updates
from service.client.calls import checkpoints, downloads, weights
from service.client.state import take_state, with_state
from service.client.tables import checkpoint_html, checkpoint_text
from service.contract import checkpoints as contract


class _Verbs:
    """The calls about a checkpoint; apart since a model takes attributes for fields."""

    refresh = updates(checkpoints.checkpoint)
    pin = updates(checkpoints.pin)
    unpin = updates(checkpoints.unpin)
    tag = updates(checkpoints.tag)
    delete = own(checkpoints.delete_checkpoint)
    verify = own(checkpoints.verify_checkpoint)
    lineage = own(checkpoints.lineage)
    download = itself(downloads.download_folder)
    load_state_dict = itself(weights.load_state_dict)
    network = itself(weights.network)


class AsyncCheckpoint(_Verbs, contract.Checkpoint):
    """A checkpoint in the state in which it was last read: every field of the API, and verbs."""

    _driver: AsyncDriver = PrivateAttr()

    @classmethod
    def with_verbs(cls, driver: AsyncDriver, model: contract.Checkpoint) -> Self:
        """The checkpoint of a model of the contract."""
        return with_state(cls, driver, model)

    def _take(self, model: contract.Checkpoint) -> Self:
        return take_state(self, model)

    def __repr__(self) -> str:
        return checkpoint_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return checkpoint_html(self)
