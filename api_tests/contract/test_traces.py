"""Traces are off unless they are asked for, and then go where OpenTelemetry's variables say."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service.contract.traces import TRACEPARENT, current_span, is_traceparent, tracer_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("module", ["service.main", "workers.main"])
def test_without_a_variable_nothing_of_opentelemetry_is_imported(module: str) -> None:
    program = f"import {module}, sys; print([m for m in sys.modules if 'opentelemetry.sdk' in m])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_traces_that_are_asked_for_without_the_packages_say_what_to_install(
    tmp_path: Path,
) -> None:
    program = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from service.main import main\n"
        "sys.exit(main())"
    )
    variables = {"TRAINYARD_TRACE_FILE": "spans.jsonl", "TRAINYARD_PORT": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)} | variables,
    )
    assert ran.returncode == 2
    assert "install trainyard-service[otel]" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_span_is_a_line_of_the_file_and_the_parent_of_others(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    tracer = tracer_of({"TRAINYARD_TRACE_FILE": str(file)}, "test")
    assert tracer is not None
    outer = tracer.begin("outer", PARENT, {"job_id": "job_1"}, NOW)
    inner = tracer.begin("inner", outer.traceparent, {})
    with pytest.raises(KeyError), current_span(inner):
        {TRACEPARENT.get(): 1}["x"]
    outer.end()
    outer.end()
    assert TRACEPARENT.get() is None
    inner_line, outer_line = map(json.loads, file.read_text().splitlines())
    assert outer_line["trace_id"] == inner_line["trace_id"] == PARENT.split("-")[1]
    assert inner_line["parent_id"] == outer_line["span_id"]
    assert inner_line["error"] == "KeyError"
    assert outer_line["start_ns"] == int(NOW.timestamp()) * 10**9


def test_a_parent_that_is_none_begins_a_trace_of_its_own(tmp_path: Path) -> None:
    tracer = tracer_of({"TRAINYARD_TRACE_FILE": str(tmp_path / "spans.jsonl")}, "test")
    assert tracer is not None
    for parent in (None, "", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é"):
        assert is_traceparent(tracer.begin("a", parent, {}).traceparent)
    assert not is_traceparent(PARENT.upper())


def test_spans_go_to_the_collector_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        tracer = tracer_of({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, "test")
        assert tracer is not None
        tracer.begin("a span", PARENT, {}).end()
        tracer.close()
        collector.shutdown()
        thread.join()
    [(path, body)] = got
    assert path == "/v1/traces"
    [sent] = ExportTraceServiceRequest.FromString(body).resource_spans
    assert [span.name for scope in sent.scope_spans for span in scope.spans] == ["a span"]
