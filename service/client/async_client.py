"""`AsyncClient`: the methods of `Client`, to be awaited."""

from types import TracebackType
from typing import Self

from service.client.async_checkpoint import AsyncCheckpoint
from service.client.async_driver import AsyncDriver
from service.client.async_job import AsyncJob
from service.client.async_search import AsyncSearch
from service.client.async_verbs import made, pages, pages_of, verb
from service.client.calls import audit as audit_calls
from service.client.calls import catalog, downloads, exchange, follow, job_actions, streams
from service.client.calls import checkpoints as checkpoint_calls
from service.client.calls import jobs as job_calls
from service.client.calls import searches as search_calls
from service.client.calls import sweeps as sweep_calls
from service.client.calls import tables as table_calls
from service.client.calls import tokens as tokens_calls
from service.client.calls import webhooks as webhook_calls
from service.client.calls import workers as workers_calls
from service.client.connection import server_and_token


class AsyncClient:
    """A client of one server, for one event loop; every call raises a TrainyardError.

    Without `server` it is the one that TRAINYARD_SERVER names, else that of this machine; without
    `token` the token is TRAINYARD_TOKEN, if that is set. A request that may be sent twice is tried
    `tries` times; `timeout_seconds` is the longest wait for an answer.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        tries: int = 4,
        timeout_seconds: float = 30.0,
    ) -> None:
        where = server_and_token(server, token)
        self._driver = AsyncDriver(*where, tries=tries, timeout_seconds=timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self._driver.server}>"

    submit = made(job_calls.submit, AsyncJob.with_verbs)
    explain = verb(job_calls.explain)
    job = made(job_calls.job, AsyncJob.with_verbs)
    jobs = pages_of(job_calls.jobs, AsyncJob.with_verbs)
    recent_jobs = verb(job_calls.recent_jobs)
    job_lineage = verb(job_calls.job_lineage)
    job_samples = verb(workers_calls.job_samples)
    events = pages(job_calls.events)
    attempts = verb(job_calls.attempts)
    metrics = verb(job_calls.metrics)
    metric_table = verb(table_calls.metric_table)
    evaluation = verb(table_calls.evaluation)

    cancel = made(job_actions.cancel, AsyncJob.with_verbs)
    pause = made(job_actions.pause, AsyncJob.with_verbs)
    resume = made(job_actions.resume, AsyncJob.with_verbs)
    retry = made(job_actions.retry, AsyncJob.with_verbs)
    edit = made(job_actions.edit, AsyncJob.with_verbs)
    delete = verb(job_actions.delete)
    bulk = verb(job_actions.bulk)

    wait = made(follow.wait, AsyncJob.with_verbs)
    logs = verb(follow.logs)
    follow_log = pages(follow.follow_log)
    stream = pages(streams.stream)
    stream_all = pages(streams.stream_all)

    checkpoint = made(checkpoint_calls.checkpoint, AsyncCheckpoint.with_verbs)
    checkpoints = pages_of(checkpoint_calls.checkpoints, AsyncCheckpoint.with_verbs)
    latest_checkpoint = made(checkpoint_calls.latest_checkpoint, AsyncCheckpoint.with_verbs)
    best_checkpoint = made(checkpoint_calls.best_checkpoint, AsyncCheckpoint.with_verbs)
    change_checkpoint = made(checkpoint_calls.change_checkpoint, AsyncCheckpoint.with_verbs)
    delete_checkpoint = verb(checkpoint_calls.delete_checkpoint)
    verify_checkpoint = verb(checkpoint_calls.verify_checkpoint)
    lineage = verb(checkpoint_calls.lineage)
    collect_garbage = verb(checkpoint_calls.collect_garbage)
    download = verb(downloads.download)
    download_of_job = verb(downloads.download_of_job)
    download_files = verb(downloads.download_files)

    import_weights = made(exchange.import_weights, AsyncJob.with_verbs)
    imports = verb(exchange.imports)
    export = made(exchange.export, AsyncJob.with_verbs)

    workers = verb(workers_calls.workers)
    worker = verb(workers_calls.worker)
    worker_samples = verb(workers_calls.worker_samples)
    drain = verb(workers_calls.drain)
    resume_worker = verb(workers_calls.resume_worker)

    session = verb(tokens_calls.session)
    tokens = verb(tokens_calls.tokens)
    create_token = verb(tokens_calls.create_token)
    revoke_token = verb(tokens_calls.revoke_token)
    audit = pages(audit_calls.audit)

    webhooks = verb(webhook_calls.webhooks)
    webhook = verb(webhook_calls.webhook)
    create_webhook = verb(webhook_calls.create_webhook)
    change_webhook = verb(webhook_calls.change_webhook)
    rotate_webhook_secret = verb(webhook_calls.rotate_webhook_secret)
    delete_webhook = verb(webhook_calls.delete_webhook)
    send_test_webhook = verb(webhook_calls.send_test_webhook)
    deliveries = pages(webhook_calls.deliveries)
    redeliver = verb(webhook_calls.redeliver)

    create_sweep = verb(sweep_calls.create_sweep)
    check_sweep = verb(sweep_calls.check_sweep)
    sweep = verb(sweep_calls.sweep)
    sweeps = pages(sweep_calls.sweeps)
    trials = pages(sweep_calls.trials)
    pause_sweep = verb(sweep_calls.pause_sweep)
    resume_sweep = verb(sweep_calls.resume_sweep)
    cancel_sweep = verb(sweep_calls.cancel_sweep)
    delete_sweep = verb(sweep_calls.delete_sweep)
    wait_for_sweep = verb(sweep_calls.wait_for_sweep)

    search = made(search_calls.search, AsyncSearch.with_verbs)
    search_job = made(search_calls.search_job, AsyncSearch.with_verbs)
    search_summary = verb(search_calls.search_summary)
    candidates = pages(search_calls.candidates)
    best_candidate = verb(search_calls.best_candidate)
    train_candidate = made(search_calls.train_candidate, AsyncJob.with_verbs)

    recipes = verb(catalog.recipes)
    architecture_size = verb(catalog.architecture_size)
    datasets = verb(catalog.datasets)
    version = verb(catalog.version)
    ready = verb(catalog.ready)
