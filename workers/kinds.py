"""The kinds of job that a worker runs: `module:function` of each, `run(context)`. No torch."""

KINDS = {
    "train": "workers.runs.train:run",
    "eval": "workers.runs.evaluate:run",
    "check_data": "workers.runs.check_data:run",
    "import": "workers.runs.import_:run",
    "export": "workers.runs.export:run",
    "search": "workers.runs.search:run",
}
