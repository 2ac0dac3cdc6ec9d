"""Submissions that name an architecture of their network."""

from typing import Any, get_args

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.job_lists import newest_jobs
from api_tests.support.source_jobs import an_eval, trained
from api_tests.support.use_cases import ControlPlane
from service.contract.architecture_costs import cost_of
from service.contract.architectures import Architecture
from service.contract.catalog import builtin_catalog
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest
from service.contract.specs import ImportSpec, TrainSpec
from service.control.jobs.import_export import submit_export, submit_import
from service.control.scheduling import catalogs
from service.domain.errors import Unprocessable
from workers.recipes.oneshot.space import SPACE

FOLDERS = {"train_dir": "train", "val_dir": "val"}
BLOCKS = "21012020202300003233"
_SEARCHED = {"blocks": "00311100202110202132", "channels": "65352634257546744543"}


@pytest.mark.parametrize(
    ("named", "variant"),
    [({"blocks": BLOCKS}, f"b{BLOCKS}"), (f"b{BLOCKS}", f"b{BLOCKS}"), (_SEARCHED, "searched")],
)
def test_an_architecture_is_stored_by_its_one_text(
    control_plane: ControlPlane, named: Any, variant: str
) -> None:
    job = control_plane.submit(variant=named)
    assert isinstance(job.spec, TrainSpec)
    assert (job.variant, job.spec.variant) == (variant, variant)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"blocks": "0" * 19}, "blocks must have 20 digits of 0 to 3, .*: these are 19"),
        ({"blocks": "0" * 19 + "5"}, "blocks must have 20 digits .*: at place 19 is 5"),
        ({"blocks": "0" * 20, "channels": "48"}, "channels must have 20 digits of 0 to 7"),
    ],
)
def test_what_is_no_architecture_is_answered_with_what_is_wrong(
    control_plane: ControlPlane, named: dict[str, str], message: str
) -> None:
    with pytest.raises(Unprocessable, match=f"recipe oneshot: {message}") as refused:
        control_plane.submit(variant=named)
    assert (refused.value.code, refused.value.pointer) == ("no_such_architecture", "/variant")
    with pytest.raises(Unprocessable, match="recipe shufflenet_v2 has the variants 0"):
        control_plane.submit(recipe="shufflenet_v2", variant=named)


@pytest.mark.parametrize(
    ("recipe", "named", "variant"),
    [
        ("detnas", {"blocks": BLOCKS}, f"b{BLOCKS}"),
        ("detnas", {"blocks": BLOCKS * 2, "space": "1.3G"}, f"b{BLOCKS * 2}"),
        ("detnas", {"blocks": "21202112331300313132"}, "COCO_FPN_300M"),
        ("detnas", f"300M.path-b{BLOCKS}", f"300M.path-b{BLOCKS}"),
        ("shufflenet_v2_plus", {"blocks": BLOCKS, "space": "small"}, f"small-b{BLOCKS}"),
    ],
)
def test_an_architecture_in_one_of_several_spaces_is_stored_by_its_one_text(
    control_plane: ControlPlane, recipe: str, named: Any, variant: str
) -> None:
    assert control_plane.submit(recipe=recipe, variant=named).variant == variant


@pytest.mark.parametrize(
    ("recipe", "named", "message"),
    [
        ("detnas", {"blocks": "0" * 30}, r"blocks must have 20 \(300M\) or 40 \(1.3G\) digits"),
        ("detnas", {"blocks": BLOCKS, "channels": "3" * 20}, "leave channels out"),
        ("shufflenet_v2_plus", {"blocks": BLOCKS}, "space must be one of small, medium, large"),
    ],
)
def test_what_is_in_none_of_several_spaces_is_answered_with_what_is_wrong(
    control_plane: ControlPlane, recipe: str, named: dict[str, str], message: str
) -> None:
    with pytest.raises(Unprocessable, match=f"recipe {recipe}: .*{message}") as refused:
        control_plane.submit(recipe=recipe, variant=named)
    assert (refused.value.code, refused.value.pointer) == ("no_such_architecture", "/variant")


@pytest.mark.parametrize("form", get_args(ExportFormat))
def test_what_the_original_program_cannot_compute_is_exported_for_others_alone(
    control_plane: ControlPlane, agent: Agent, form: ExportFormat
) -> None:
    with control_plane.write() as tx:
        catalogs.put(tx, agent.id, builtin_catalog(), control_plane.now)
    network = {"recipe": "shufflenet_v2_plus", "variant": f"small-b3{BLOCKS[1:]}"}
    checkpoint = control_plane.job(trained(control_plane, agent, **network)).latest_checkpoint
    assert checkpoint is not None
    request = ExportRequest(checkpoint=checkpoint, format=form)

    def export() -> None:
        with control_plane.write() as tx:
            submit_export(tx, request, job_id="job_1", now=control_plane.now)

    if form != "pth.tar":
        export()
        return
    with pytest.raises(Unprocessable, match=r"place 0 has one.*; export it as safetensors") as no:
        export()
    assert (no.value.code, no.value.pointer) == ("no_such_format", "/format")


def test_the_history_of_a_job_says_how_large_its_architecture_is(
    control_plane: ControlPlane,
) -> None:
    params = {"batch_size": 32, "image_size": 224, "num_classes": 1000}
    job = control_plane.submit(variant=f"b{BLOCKS}", params=params, data=FOLDERS)
    expected = cost_of(SPACE, Architecture.of(BLOCKS), 224, 1000)
    (entry,) = control_plane.events_of(job, "submitted")
    assert entry.message == (
        f"submitted: train of oneshot b{BLOCKS}, {expected.multiply_adds / 1e6:,.1f} M "
        f"multiply-adds for an image of 224 px, {expected.parameters / 1e6:,.2f} M parameters"
    )
    of_digits = control_plane.submit(variant=f"b{BLOCKS}", params={"batch_size": 32})
    smaller = cost_of(SPACE, Architecture.of(BLOCKS), 224, 10).parameters
    (entry,) = control_plane.events_of(of_digits, "submitted")
    assert entry.message.endswith(f"{smaller / 1e6:,.2f} M parameters")
    (entry,) = control_plane.events_of(control_plane.submit(), "submitted")
    assert entry.message == "submitted: train of oneshot"


@pytest.mark.parametrize("named", [{}, {"variant": {"blocks": BLOCKS, "channels": "4" * 20}}])
def test_an_eval_of_an_architecture_takes_it_from_the_checkpoint(
    control_plane: ControlPlane, agent: Agent, named: dict[str, Any]
) -> None:
    with control_plane.write() as tx:
        catalogs.put(tx, agent.id, builtin_catalog(), control_plane.now)
    source = trained(control_plane, agent, recipe="oneshot", variant=f"b{BLOCKS}")
    job = control_plane.submit(**an_eval(source), **({"recipe": None} | named))
    assert (job.recipe, job.variant) == ("oneshot", f"b{BLOCKS}")
    with pytest.raises(Unprocessable, match=f"of oneshot b{BLOCKS}, the job of searched;"):
        control_plane.submit(**an_eval(source), recipe=None, variant=_SEARCHED)


def test_a_name_of_the_searched_architecture_fits_its_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    job = control_plane.submit(**an_eval(source), recipe=None, variant=_SEARCHED)
    assert job.variant == "searched"


def test_an_import_is_asked_for_the_architecture_by_its_one_text(
    control_plane: ControlPlane,
) -> None:
    request = ImportRequest(file="a.pth", recipe="oneshot", variant=_SEARCHED)  # type: ignore[arg-type]
    with control_plane.write() as tx:
        submit_import(tx, request, job_id="job_1", key=None, now=control_plane.now)
        (job,) = newest_jobs(tx)
    assert isinstance(job.spec, ImportSpec)
    assert (job.variant, job.spec.request.variant) == ("searched", "searched")
