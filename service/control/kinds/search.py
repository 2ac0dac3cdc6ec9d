"""Searches of supernets."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.checkpoints import Checkpoint, Manifest
from service.contract.fields import MOST_LABELS
from service.contract.hints import Hint
from service.contract.jobs import Job, Progress
from service.contract.specs import SearchSpec
from service.control.kinds.base import CheckedSubmission, Kind, resolved
from service.control.kinds.data import classes_of, dataset_of
from service.control.kinds.hints import search_hints
from service.control.kinds.named_searches import search_named
from service.control.kinds.sources import located, require_classes, require_network, source_of
from service.control.kinds.supernets import known_paths_of, path_recipe_of, path_space, training_of
from service.control.kinds.uses import train_found, uses_of
from service.domain import search_checks
from service.domain.errors import Unprocessable
from service.domain.known_parameters import KnownParameters
from service.domain.search_results import total_of
from service.store import candidates, jobs
from service.store.job_rows import StoredJob

_SOURCE = "/checkpoint"


class SearchKind(Kind[SearchSpec]):
    """Searches of a supernet for its best path, whose candidates are rows.

    Its recipe is the supernet's; the checkpoint that it leaves is of the recipe of the paths.
    """

    name = "search"
    publishes_once = True

    def complete(self, tx: Connection, spec: SearchSpec) -> SearchSpec:
        """See Kind."""
        _require_sense(spec)
        checkpoint = located(tx, spec.checkpoint, _SOURCE)
        spec = spec.model_copy(update={"checkpoint": checkpoint})
        source = _supernet(tx, spec)
        path_recipe_of(tx, source, _SOURCE)
        require_network(spec, source, _SOURCE)
        training = training_of(tx, source)
        params = spec.params
        if params.holdout_every is None:
            every = search_checks.holdout_of(training)
            params = params.model_copy(update={"holdout_every": every})
        network = {"recipe": source.recipe, "variant": source.variant}
        return spec.model_copy(update={**network, "training": training, "params": params})

    def check(self, tx: Connection, spec: SearchSpec) -> CheckedSubmission[SearchSpec]:
        """See Kind."""
        source = _supernet(tx, spec)
        require_network(spec, source, _SOURCE)
        paths = path_recipe_of(tx, source, _SOURCE)
        _require_place(spec)
        classes = classes_of(dataset_of(tx, spec.data), KnownParameters())
        require_classes(source, classes, _SOURCE, may_replace=False)
        search_checks.require_holdout(spec.params, spec.training)
        space = path_space(paths, spec.params.macs_image_size, spec.training, source)
        search_checks.require_room(spec.params, space)
        _require_known(tx, spec, source)
        return CheckedSubmission(spec, source.recipe, source.variant, source)

    def hints(self, tx: Connection, checked: CheckedSubmission[SearchSpec]) -> Sequence[Hint]:
        """See Kind."""
        spec, source = checked.spec, checked.source
        assert source is not None, "it was checked"
        paths = path_recipe_of(tx, source, _SOURCE)
        space = path_space(paths, spec.params.macs_image_size, spec.training, source)
        return search_hints(tx, checked, space)

    def title(self, spec: SearchSpec) -> str:
        """See Kind."""
        return f"search of {spec.recipe}"

    def first_progress(self, spec: SearchSpec) -> Progress:
        """See Kind."""
        return Progress(total_steps=total_of(spec.params), phase=self.name)

    def may_publish(self, tx: Connection, job: Job, manifest: Manifest) -> bool:
        """See Kind: a path of the supernet, as a network of its own."""
        assert isinstance(job.spec, SearchSpec)
        paths = known_paths_of(tx, job.spec)
        if paths is None or paths.search_space is None:
            return manifest.recipe != job.recipe
        is_path = paths.search_space.architecture(manifest.variant) is not None
        return manifest.recipe == paths.name and is_path

    def uses(self, job: Job) -> Sequence[JobAction]:
        """See Kind: the training of what was found, and the uses of its first weights."""
        latest = job.latest_checkpoint
        if latest is None:
            return ()
        assert isinstance(job.spec, SearchSpec)
        # Its recipe is the supernet's; what it leaves is a network of its own.
        return (train_found(job, job.spec), *uses_of(latest, None, None))

    def retry_spec(
        self, tx: Connection, parent: StoredJob, spec: SearchSpec, origin: str
    ) -> SearchSpec:
        """See Kind: of the same supernet, also if its job has a newer checkpoint by now.

        Without `known` where that search is gone: what came of it has rows of its own by now.
        """
        super().retry_spec(tx, parent, spec, origin)
        reference = resolved(spec.checkpoint, parent.source_checkpoint)
        params, known = spec.params, spec.params.known
        if known is not None and jobs.get(tx, known) is None:
            params = params.model_copy(update={"known": None})
        return spec.model_copy(update={"checkpoint": reference, "params": params})

    def note_retry(self, tx: Connection, parent: StoredJob, retry_id: str) -> None:
        """See Kind: what was measured, which would be measured as the same again."""
        candidates.copy(tx, parent.job.id, retry_id)


def _supernet(tx: Connection, spec: SearchSpec) -> Checkpoint:
    """The checkpoint that is searched, locked until the transaction ends; raises Unprocessable."""
    source = source_of(tx, spec.checkpoint, _SOURCE)
    if source is None:
        message = (
            "a search needs a checkpoint of the volume: import the file, and name the checkpoint "
            "that comes of it by its id"
        )
        raise Unprocessable("no_file", message, f"{_SOURCE}/file")
    return source


def _require_sense(spec: SearchSpec) -> None:
    """What is asked of a submission alone: a stored search may be of another version, or edited."""
    if spec.checkpoint.state == "full":
        message = (
            "a search takes the weights of its checkpoint, and no state of an optimizer: leave "
            "state out"
        )
        raise Unprocessable("no_training_state", message, f"{_SOURCE}/state")
    if spec.params.workers > 1 and len(spec.labels) >= MOST_LABELS:
        message = (
            f"the search has {len(spec.labels)} labels, and its parts have one more, part_of: use "
            f"at most {MOST_LABELS - 1}, or one worker"
        )
        raise Unprocessable("too_many_labels", message, "/labels")


def _require_place(spec: SearchSpec) -> None:
    if spec.resources.hosts > 1:
        message = f"a search runs on one host, not on {spec.resources.hosts}: leave out hosts"
        raise Unprocessable("hosts", message, "/resources/hosts")
    if spec.data.val_dir is not None and spec.data.train_dir is None:
        message = "a search needs data.train_dir beside val_dir: statistics are of training images"
        raise Unprocessable("no_training_images", message, "/data/train_dir")


def _require_known(tx: Connection, spec: SearchSpec, source: Checkpoint) -> None:
    if spec.params.known is None:
        return
    stored, known = search_named(tx, spec.params.known, "/params/known")
    search_checks.require_same_fitness(known, stored.source_checkpoint, spec, source.id)
