"""The control plane as an ASGI application."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp

from service import __version__
from service.api import (
    agent,
    audit,
    catalog,
    checkpoints,
    dashboard,
    docs,
    errors,
    exports,
    guide,
    import_export,
    import_files,
    job_actions,
    job_bulk,
    job_lineage,
    job_logs,
    job_series,
    jobs,
    maintenance,
    metrics,
    ops,
    searches,
    session,
    stream,
    sweeps,
    tokens,
    webhooks,
    workers,
)
from service.api.access import Access
from service.api.csv_exports import export_limiter
from service.api.dependencies import AskedMethod
from service.api.job_pages import JobPages
from service.api.job_polls import JobPolls
from service.api.job_series import SeriesPages
from service.api.job_submissions import JobSubmissions
from service.api.open_requests import OpenRequests
from service.api.openapi import DocumentedApi
from service.api.query_names import StrictQuery
from service.api.refused_acts import RefusedActs
from service.api.request_origins import RequestOrigins
from service.api.request_records import RequestRecords
from service.api.request_spans import RequestSpans
from service.api.requests import RequestFrame
from service.api.route_roles import check_routes
from service.context import AppContext

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(context: AppContext, lifespan: Lifespan | None = None) -> FastAPI:
    """The routes over a context whose database is migrated; `lifespan` is what goes on beside."""
    app = DocumentedApi(
        title="Trainyard",
        version=__version__,
        summary="Train and eval jobs of the ShuffleNet series.",
        lifespan=lifespan,
        openapi_url=None,
        servers=[{"url": context.settings.root_path or "/"}],
        dependencies=[AskedMethod],
    )
    app.state.context, app.state.job_pages = context, JobPages(context)
    app.state.series_pages = SeriesPages(context)
    app.state.export_limiter = export_limiter()
    app.state.open_requests = OpenRequests(context.settings.open_requests)
    app.needs_token = lambda: context.credentials.needs_token
    root_path = context.settings.root_path
    app.state.access = access = Access(context)
    app.session_cookie = access.cookies.name
    records = RequestRecords(context.metrics, log_each=context.settings.access_log)
    origins = RequestOrigins(context.now)
    app.state.refused_acts = refused = RefusedActs(context.database, origins)

    def frame(routes: ASGIApp) -> RequestFrame:
        polls = JobPolls(context)
        return RequestFrame(routes, access, root_path, polls, records, origins, refused)

    app.frame = frame
    tracer = context.tracer

    def before_routes(routes: ASGIApp) -> ASGIApp:
        submissions = JobSubmissions(routes, context)
        return submissions if tracer is None else RequestSpans(submissions, tracer)

    app.before_routes = before_routes
    errors.install(app)
    for routes in (
        exports,
        job_series,
        job_bulk,
        jobs,
        job_actions,
        job_lineage,
        job_logs,
        searches,
        stream,
        import_export,
        import_files,
        maintenance,
        checkpoints,
        workers,
        sweeps,
        webhooks,
        metrics,
        catalog,
        ops,
        session,
        tokens,
        audit,
        docs,
        guide,
        dashboard,
    ):
        app.include_router(routes.router, dependencies=[StrictQuery])
    app.include_router(agent.router)
    check_routes(
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    )
    return app
