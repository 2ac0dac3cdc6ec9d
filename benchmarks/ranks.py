"""Two data-parallel ranks on two cores, against one rank with twice the batch on one."""

import multiprocessing
import os
import socket
import sys
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median

import torch

from benchmarks.report import Figure, Section
from workers.recipes.optimizer import sgd
from workers.recipes.table import recipe_named
from workers.training.distributed import Ranks, joined
from workers.training.execution import prepare_for
from workers.training.execution_choice import usual_execution
from workers.training.gradient_averaging import blank_pass, in_parallel
from workers.training.step import TrainingStep

EFFICIENCY_GOAL = 0.9
TWO, ONE, APART = "two ranks", "one rank, twice the batch", "two processes that exchange nothing"


@dataclass(frozen=True)
class Scale:
    """How much is measured: images a rank, their side, steps of a run, runs of each way."""

    batch: int = 16
    pixels: int = 224
    steps: int = 5
    rounds: int = 3


def measure(scale: Scale = Scale()) -> Section:
    """Runs in turn; each process computes with one thread."""
    rates: dict[str, list[float]] = {TWO: [], ONE: [], APART: []}
    for _ in range(scale.rounds):
        rates[TWO].append(_together(scale, world_size=2, processes=2))
        rates[ONE].append(_together(scale, world_size=1, processes=1))
        rates[APART].append(_together(scale, world_size=1, processes=2))
        sys.stderr.write(f"{ {way: values[-1] for way, values in rates.items()} }\n")
    two, one, apart = (median(rates[way]) for way in (TWO, ONE, APART))
    return Section(
        title="Two data-parallel ranks",
        says=(
            f"OneShot, {scale.batch} images of {scale.pixels} px for each of two ranks, one thread "
            f"each; medians of {scale.rounds} runs of {scale.steps} steps. Efficiency is the rate "
            "of two ranks to twice that of one. Cores that share caches and memory give up some of "
            "it whoever computes, as the two processes that exchange nothing show: the goal is for "
            "what the exchange of gradients leaves of their rate."
        ),
        columns=("way", "images/s"),
        rows=tuple((way, f"{median(values):.1f}") for way, values in rates.items()),
        figures=(
            Figure(
                "efficiency",
                "two ranks, rate to twice that of one rank with twice the batch",
                two / (2 * one),
                "higher",
            ),
            Figure(
                "exchange",
                "two ranks, rate to that of two processes that exchange nothing",
                two / apart,
                "higher",
                goal=EFFICIENCY_GOAL,
            ),
        ),
    )


def _together(scale: Scale, *, world_size: int, processes: int) -> float:
    """Images a second of all processes together."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    images = scale.batch if processes == 2 else 2 * scale.batch
    spawn = multiprocessing.get_context("spawn")
    ends, running = [], []
    for rank in range(processes):
        here, there = spawn.Pipe()
        environment = {
            "RANK": str(rank if world_size > 1 else 0),
            "LOCAL_RANK": "0",
            "WORLD_SIZE": str(world_size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        process = spawn.Process(target=_train, args=(environment, images, scale, there))
        process.start()
        there.close()
        ends.append(here)
        running.append(process)
    # All begin at once, when the last is ready.
    for end in ends:
        end.recv()
    for end in ends:
        end.send("begin")
    seconds = max(end.recv() for end in ends)
    for process in running:
        process.join()
    return processes * images * scale.steps / float(seconds)


def _train(environment: dict[str, str], images: int, scale: Scale, end: Connection) -> None:
    warnings.filterwarnings("ignore")
    # torch's rendezvous reads the process's own.
    os.environ.update(environment)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with joined() as ranks:
        step, batch, labels = _step(ranks, images, scale)
        step.train(1, batch, labels)
        end.send("ready")
        end.recv()
        began = time.perf_counter()
        for number in range(scale.steps):
            step.train(2 + number, batch, labels)
        end.send(time.perf_counter() - began)


def _step(
    ranks: Ranks, images: int, scale: Scale
) -> tuple[TrainingStep, torch.Tensor, torch.Tensor]:
    entry = recipe_named("oneshot")
    params = entry.params(learning_rate=0.01)
    network = entry.build("searched", 1000, params)
    execution = usual_execution(ranks.device)
    prepare_for(network, execution)
    optimizer = sgd(network, params)
    batch = torch.rand(images, 3, scale.pixels, scale.pixels) * 255
    batch = batch.contiguous(memory_format=torch.channels_last)
    forward = in_parallel(network, ranks)
    if ranks.world_size > 1:
        blank_pass(forward, network, batch)
    step = TrainingStep(entry, params, network, optimizer, execution, forward=forward)
    return step, batch, torch.randint(0, 1000, (images,))
