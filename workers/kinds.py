"""The kinds of job that a worker runs: `module:function` of each, `run(context)`. No torch."""

KINDS = {
    "train": "workers.runs.train:run",
    "eval": "workers.runs.evaluate:run",
    "import": "workers.runs.import_:run",
    "export": "workers.runs.export:run",
}
