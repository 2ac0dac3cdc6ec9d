"""Takes the pictures of the documents: `make pictures` writes them to docs/pictures/."""

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from api_tests.support.chromium import launch_chromium
from api_tests.support.installation import Installation

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LEARNING_RATES = (0.2, 0.05, 0.0125)
WIDTH, HEIGHT = 1280, 860
COLOURS = 128
PATIENCE_SECONDS = 900.0


def main() -> None:
    """Train and evaluate some jobs on the digits, and take a picture of each page."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder))
        try:
            installation.start_worker()
            _take(installation.url, _pages(installation))
        finally:
            installation.close()


def _pages(installation: Installation) -> dict[str, str]:
    """The address of each page by the name of its picture, once there is something on it."""
    client = installation.client
    trained = [client.submit(_train(rate)).id for rate in LEARNING_RATES]
    ended = [client.wait(job_id, timeout_seconds=PATIENCE_SECONDS) for job_id in trained]
    assert all(job.state == "succeeded" for job in ended), [job.message for job in ended]
    weights = {"job": trained[1], "which": "best"}
    evaluated = {"kind": "eval", "data": {"dataset": "digits"}, "checkpoint": weights}
    client.wait(client.submit(evaluated).id, timeout_seconds=PATIENCE_SECONDS)
    running = client.submit(_train(0.1, total_iters=4000)).id
    installation.running_past(running, 100)
    return {
        "jobs": "#/jobs",
        "job": f"#/jobs/{trained[1]}",
        "compare": f"#/compare?ids={','.join(trained)}",
        "submit": f"#/submit?from={trained[1]}",
        "checkpoints": "#/checkpoints",
        "workers": "#/workers",
    }


def _train(learning_rate: float, total_iters: int = 600) -> dict[str, Any]:
    return {
        "kind": "train",
        "recipe": "shufflenet_v2",
        "variant": "0.5x",
        "name": f"digits, rate {learning_rate:g}",
        "labels": {"sweep": "rates"},
        "data": {"dataset": "digits"},
        "params": {
            "total_iters": total_iters,
            "batch_size": 32,
            "image_size": 32,
            "learning_rate": learning_rate,
            "val_interval": 50,
            "save_interval": 100,
            "display_interval": 10,
        },
    }


def _take(url: str, pages: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, address in pages.items():
            _take_one(page, f"{url}/{address}", FOLDER / f"{name}.png")
        browser.close()


def _take_one(page: Page, address: str, path: Path) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    # The marks and the sizes of charts come with the frames after their data.
    page.wait_for_timeout(1000)
    page.screenshot(path=path)
    with Image.open(path) as taken:
        taken.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
