"""Workers and their samples as the stand-in shows them."""

from datetime import UTC, datetime, timedelta
from math import sin
from typing import Any

GIB = 2**30


def a_worker(number: int, gpus: int = 0, **fields: Any) -> dict[str, Any]:
    """An active worker as the API shows it, with the use of its host and GPUs."""
    now = datetime.now(UTC)
    worker: dict[str, Any] = {
        "id": f"wrk_{number:026d}",
        "host": f"gpu-{number}",
        "state": "active",
        "message": None,
        "gpus": [
            {"index": index, "name": "NVIDIA H100 80GB HBM3", "memory_bytes": 80 * GIB}
            for index in range(gpus)
        ],
        "slots": max(gpus, 1),
        "labels": {"zone": "a"},
        "version": "0.1.0",
        "catalog_digest": None,
        "jobs": [],
        "job_names": {},
        "registered_at": (now - timedelta(days=3)).isoformat(),
        "last_seen_at": now.isoformat(),
        "sample": a_sample(number, gpus),
        "sampled_at": now.isoformat(),
    }
    return worker | fields


def a_sample(number: int, gpus: int) -> dict[str, Any]:
    """A sample whose figures differ from worker to worker."""
    busy = number * 37 % 100 / 100
    return {
        "cpu_use": busy,
        "memory_used_bytes": int((0.1 + busy / 2) * 512 * GIB),
        "memory_total_bytes": 512 * GIB,
        "disk_used_bytes": 7_200_000_000_000,
        "disk_total_bytes": 10_000_000_000_000,
        "gpus": [
            {
                "index": index,
                "use": (number * 37 + index * 11) % 100 / 100,
                "memory_used_bytes": (20 + index * 7) * GIB,
                "memory_total_bytes": 80 * GIB,
                "temperature_celsius": 50 + index * 5,
                "power_watts": 300 + index * 40,
                "job_id": None,
            }
            for index in range(gpus)
        ],
    }


def sample_series(gpus: int, points: int = 60) -> dict[str, list[list[float]]]:
    """Series of the last points, ten seconds apart."""
    start = int(datetime.now(UTC).timestamp()) - points * 10
    names = {"cpu_use": 0.3, "memory_use": 0.5, "disk_use": 0.7}
    for index in range(gpus):
        names |= {f"gpu{index}.use": 0.8, f"gpu{index}.memory_use": 0.6}
        names |= {f"gpu{index}.temperature_celsius": 60.0, f"gpu{index}.power_watts": 500.0}
    return {
        name: [
            [start + point * 10, middle * (1 + 0.1 * sin(point / 5 + number))]
            for point in range(points)
        ]
        for number, (name, middle) in enumerate(names.items())
    }
