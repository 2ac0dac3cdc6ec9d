"""`python -m chaos [--minutes N] [--seed S]`: jobs under injected faults, and the proof.

Round after round of forty jobs on three workers, each in a folder of its own, until the time is
over; the history of each stays in a folder that is named at the end when a promise was broken.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from chaos.rounds import one_round
from chaos.searches import SearchCounts


def main() -> int:
    """0 if no promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m chaos")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=40)
    chosen = parser.parse_args()
    # Asked to end, it ends what it started, as at a Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began, seed, broken = time.monotonic(), chosen.seed, 0
    searches = SearchCounts()
    while time.monotonic() - began < chosen.minutes * 60:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        done = one_round(folder, seed, jobs=chosen.jobs, fault_seconds=3.0 * chosen.jobs)
        minutes = (time.monotonic() - began) / 60
        sys.stdout.write(f"{minutes:.1f} min, seed {seed}: {done}\n")
        for problem in done.proof.problems:
            sys.stdout.write(f"  BROKEN: {problem}\n")
        if done.proof.problems:
            sys.stdout.write(f"  the history and the logs are in {folder}\n")
        else:
            shutil.rmtree(folder)
        sys.stdout.flush()
        broken += len(done.proof.problems)
        searches += done.searches
        seed += 1
    for problem in searches.problems():
        sys.stdout.write(f"  NOT SHOWN: {problem}\n")
        broken += 1
    sys.stdout.write(f"{seed - chosen.seed} rounds, {broken} broken promises\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
