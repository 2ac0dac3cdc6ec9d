"""The goals of the service's speed, and the figures that show each."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Goal:
    """What is measured against what, the goal in words, and a pattern of its figures' keys.

    A pattern is `benchmark.key` with `*`; the figures of `make gpu` have keys from `gpu.` on.
    """

    what: str
    against: str
    goal: str
    figures: str


GOALS = (
    Goal("training step on CPU, same work", "the original loop", "1.35x eager, 1.55x compiled",
         "step.*"),
    Goal("input per core, same distribution", "the original transforms",
         "1.25x; 2x with jitter on the device; 4x from a pack; a 12-megapixel JPEG at most 4x a "
         "small one", "input.*"),
    Goal("training from JPEG files on CPU", "the same steps on synthetic data",
         "no goal of its own", "end_to_end.*"),
    Goal("training on one GPU", "the original loop there",
         "10x end to end, 90 % of the rate on synthetic data", "gpu.training.*"),
    Goal("a save on a GPU", "the steps without one", "50 ms", "gpu.save_stall.*"),
    Goal("exact resume on a GPU", "the run left alone", "the same bits", "gpu.exact_resume.*"),
    Goal("save stall", "torch.save + fsync; DCP async_save", "at most 1/5; at most 1/2.5",
         "checkpoint_stall.*"),
    Goal("submit to first step, warm worker", "a cold worker; Ray Jobs + Ray Train",
         "1/6; 1/10", "first_step.*"),
    Goal("status polls, CPU a request", "FastAPI returning a constant",
         "1.7x for a 200, 1.1x for a 304; 50 jobs in 4 ms", "polls.*"),
    Goal("`POST /jobs` a second, durable", "the database alone", "25 %", "submissions.*"),
    Goal("`GET /checkpoints/latest` at 1,000,000 checkpoints", "at 1,000", "1.2x", "latest.*"),
    Goal("claims with 100,000 queued jobs", "with 100 jobs", "p99 at most 2x", "queue.*claim*"),
    Goal("heartbeats", "470/s of a plain FastAPI + SQLite loop", "2,000/s", "queue.*heartbeats*"),
    Goal("a chart of a million points", "reading all of them", "10 ms", "charts.*"),
    Goal("confusion and mistakes of an evaluation", "an evaluation without them", "5 % more",
         "evaluation.*"),
    Goal("the best path of a search", "the median of as many random paths", "always less loss",
         "search.*"),
    Goal("two data-parallel ranks", "two processes that exchange nothing", "90 %", "ranks.*"),
)  # fmt: skip

GPU_GOALS = tuple(
    replace(goal, figures=goal.figures.removeprefix("gpu."))
    for goal in GOALS
    if goal.figures.startswith("gpu.")
)
"""On the page of `make gpu`, whose own figures have keys without the prefix."""
