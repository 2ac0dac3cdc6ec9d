"""From the loader's batches to the network's inputs on the training device."""

from collections import deque
from typing import Any, Protocol

import torch

from workers.data.batch_transform import BatchTransform, Inputs
from workers.data.jpeg_decoder import JpegDecoder
from workers.data.loader import Batch, LoadedBatch

STEPS_AHEAD = 2
"""How many steps may be queued on a device before the host waits for it."""


class ToInputs(Protocol):
    """Maps a batch to the network's inputs, in a memory format, and the labels."""

    def __call__(
        self, batch: LoadedBatch, memory_format: torch.memory_format = torch.contiguous_format
    ) -> Inputs: ...


def to_inputs_on(
    device: torch.device, transform: BatchTransform, decoder: JpegDecoder | None = None
) -> ToInputs:
    """Has `transform` make the inputs of the loader's batches on the device.

    `decoder` decodes the files of batches that have them. On CUDA batches are copied, decoded and
    transformed while the step before runs, if they are pinned.
    """
    to_inputs = DecodedInputs(transform, decoder)
    if device.type == "cuda":
        return StreamedInputs(device, to_inputs)
    assert device.type == "cpu", "no rank has another device"
    return to_inputs


def is_pinned_for(device: torch.device) -> bool:
    """Whether the loader is to put its batches into pinned memory, for copies that do not wait."""
    return device.type == "cuda"


class DecodedInputs:
    """Decodes and transforms batches where they are."""

    def __init__(self, transform: BatchTransform, decoder: JpegDecoder | None = None) -> None:
        self._transform, self._decoder = transform, decoder

    def __call__(
        self, batch: LoadedBatch, memory_format: torch.memory_format = torch.contiguous_format
    ) -> Inputs:
        if not isinstance(batch, Batch):
            assert self._decoder is not None, "a loader leaves files to a decoder alone"
            batch = self._decoder(batch)
        return self._transform(batch, memory_format)


class StreamedInputs:
    """Copies and transforms batches on a stream of its own, beside the steps.

    The kernels of a step wait for their inputs, and the host does not: it goes on to queue the
    step. The inputs belong to the stream that is current at the call.
    """

    def __init__(self, device: torch.device, to_inputs: ToInputs) -> None:
        self._device, self._to_inputs = device, to_inputs
        self._streams: Any = torch.get_device_module(device)
        self._copies = self._streams.Stream()
        self._queued: deque[Any] = deque()

    def __call__(
        self, batch: LoadedBatch, memory_format: torch.memory_format = torch.contiguous_format
    ) -> Inputs:
        steps = self._streams.current_stream()
        self._wait_for_steps(steps)
        with self._streams.stream(self._copies):
            on_device = batch.to(self._device, non_blocking=True)
            inputs = self._to_inputs(on_device, memory_format)
        steps.wait_stream(self._copies)
        for part in inputs:
            if part.is_cuda:
                # Their memory is the copying stream's, which must not reuse it before the step.
                part.record_stream(steps)
        return inputs

    def _wait_for_steps(self, steps: Any) -> None:
        # Each queued step has inputs in the device's memory: a host far ahead would fill it.
        event = self._new_event()
        event.record(steps)
        self._queued.append(event)
        if len(self._queued) > STEPS_AHEAD:
            self._queued.popleft().synchronize()

    def _new_event(self) -> Any:
        # One that sleeps: a host that spins takes a core from the loaders.
        is_cuda = self._device.type == "cuda"
        return self._streams.Event(blocking=True) if is_cuda else self._streams.Event()
