"""The ten minutes of docs/first-steps.md, line by line in a shell."""

import os
import subprocess
import sys
from pathlib import Path

from api_tests.support.installation import Installation
from api_tests.support.shell_blocks import ROOT, shell_blocks


def test_every_line_of_the_first_steps_works_as_it_is_pasted(
    installation: Installation, tmp_path: Path
) -> None:
    blocks = shell_blocks(ROOT / "docs" / "first-steps.md")
    assert len(blocks) == 5
    installation.start_worker()
    here = tmp_path / "here"
    here.mkdir()
    # Where an activated environment has the command.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euxo", "pipefail"],
        input="\n".join(blocks),
        cwd=here,
        env={**os.environ, "PATH": path, "TRAINYARD_SERVER": installation.url},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr
    assert (here / "weights" / "model.safetensors").exists()
    assert "model.safetensors" in done.stdout
    states = {job.name: job.state for job in installation.client.jobs()}
    assert states == dict.fromkeys(("first", "second", "check"), "succeeded")
