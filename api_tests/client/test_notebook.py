"""What a notebook and `repr` show of jobs, checkpoints and lists."""

import math
import sys
import xml.etree.ElementTree as ET

import pytest

from api_tests.support.fake_rest_server import FakeRestServer, a_checkpoint, a_job
from service.client import Client, MetricSeries, MissingPackage

EVIL = '<img src=x onerror="alert(1)">'


def _parsed(html: str) -> ET.Element:
    """The HTML, which is well-formed."""
    return ET.fromstring(f"<div>{html}</div>")


def test_a_job_is_shown_with_its_state_and_its_curves(fake: FakeRestServer, client: Client) -> None:
    fake.jobs = [a_job(1, name="mine")]
    fake.series = {"loss": [(10, 2.0), (20, math.nan), (30, 1.0)], "learning_rate": [(10, 0.1)]}
    page = _parsed(client.job("job_0001")._repr_html_())
    assert {"mine", "running", "120 of 300"} <= {cell.text for cell in page.iter("td")}
    (line,) = page.iter("polyline")
    # A value that is not finite is left out.
    assert len(line.attrib["points"].split()) == 2
    (caption,) = page.iter("figcaption")
    assert caption.text == "loss: 1 at step 30, lowest 1"


def test_a_job_is_shown_without_a_curve_while_the_server_is_away(
    fake: FakeRestServer,
) -> None:
    fake.jobs = [a_job(1)]
    with Client(fake.url, tries=1) as client:
        job = client.job("job_0001")
        fake.stop()
        assert "running" in job._repr_html_()


def test_text_of_users_is_text(fake: FakeRestServer, client: Client) -> None:
    fake.jobs = [a_job(1, name=EVIL, message=EVIL, labels={"a": EVIL})]
    fake.series = {EVIL: [(1, 1.0), (2, 2.0)]}
    fake.checkpoints = [a_checkpoint(1, b"").model_copy(update={"tags": (EVIL,)})]
    shown = [
        client.job("job_0001")._repr_html_(),
        client.jobs()._repr_html_(),
        client.latest_checkpoint()._repr_html_(),
        client.metrics("job_0001")._repr_html_(),
    ]
    for html in shown:
        assert "img" not in {element.tag for element in _parsed(html).iter()}
    assert any("onerror" in html for html in shown)


def test_a_list_is_shown_as_a_table_and_loses_no_item(fake: FakeRestServer, client: Client) -> None:
    fake.jobs = [a_job(number) for number in range(30, 0, -1)]
    jobs = client.jobs()
    page = _parsed(jobs._repr_html_())
    assert len(list(page.iter("tr"))) == 1 + 20
    assert "there are more" in "".join(page.itertext())
    assert [job.id for job in jobs] == [job.id for job in fake.jobs]


def test_an_empty_list_says_so(client: Client) -> None:
    assert "There are none." in client.jobs()._repr_html_()


def test_the_checkpoints_of_a_job_are_a_table(fake: FakeRestServer, client: Client) -> None:
    fake.jobs, fake.checkpoints = [a_job(1)], [a_checkpoint(1, b"abc")]
    checkpoints = client.job("job_0001").checkpoints
    assert [each.id for each in checkpoints] == ["ckpt_0001"]
    assert {"ckpt_0001", "3 B"} <= {each.text for each in _parsed(checkpoints._repr_html_()).iter()}


def test_one_line_says_what_matters(fake: FakeRestServer, client: Client) -> None:
    fake.jobs, fake.checkpoints = [a_job(1, name="mine")], [a_checkpoint(7, b"abc")]
    assert repr(client.job("job_0001")) == (
        "<Job job_0001 'mine' train oneshot searched, running, step 120 of 300, "
        "loss 0.5321, top1_error 0.1234>"
    )
    assert str(client.latest_checkpoint()) == (
        "<Checkpoint ckpt_0007 oneshot searched, train step 7 of job_0001, top1_error 0.1234, 3 B>"
    )
    assert repr(client) == f"<Client of {fake.url}>"


def test_series_become_a_table_by_step() -> None:
    series = MetricSeries({"loss": [(10, 2.0), (20, 1.0)], "top1_error": [(20, 0.5)]})
    table = series.to_pandas()
    assert table.index.name == "step"
    assert table["loss"].to_dict() == {10: 2.0, 20: 1.0}
    assert table["top1_error"].dropna().to_dict() == {20: 0.5}
    assert MetricSeries().to_pandas().empty


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackage, match="pip install pandas"):
        MetricSeries().to_pandas()


@pytest.mark.parametrize(
    ("module", "verb", "packages"),
    [
        ("safetensors.torch", "load_state_dict", "safetensors torch"),
        ("workers.exchange.networks", "network", r"trainyard-service\[workers\]"),
    ],
)
def test_without_torch_the_error_says_what_to_install(
    fake: FakeRestServer,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    verb: str,
    packages: str,
) -> None:
    fake.checkpoints = [a_checkpoint(1, b"")]
    checkpoint = client.latest_checkpoint()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage, match=packages):
        getattr(checkpoint, verb)()
    # Before anything is downloaded.
    assert not [path for _, path, *_ in fake.requests if "/files/" in path]
