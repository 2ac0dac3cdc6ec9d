"""How many GPUs a job may have whose specification has a range of them."""

from service.contract.resources import Resources
from service.contract.specs import TrainSpec
from service.contract.stored_specs import StoredSpec
from service.domain.known_parameters import KnownParameters


def gpu_counts_of(spec: StoredSpec) -> tuple[int, ...]:
    """The numbers of GPUs on each host that a job may have, rising; () without a range.

    The ranks of a training share its batch evenly, and each works through its share in equal parts.
    """
    images = None
    if isinstance(spec, TrainSpec):
        params = KnownParameters.of(spec.params)
        images = params.batch_size and params.batch_size // params.parts
    return gpu_counts(spec.resources, images)


def gpu_counts(resources: Resources, images: int | None) -> tuple[int, ...]:
    """As `gpu_counts_of`; `images` are those that all ranks compute at once, a part of the batch.

    None where they share none. () for a range without a number that shares them evenly, too.
    """
    span = resources.gpu_range
    if span is None:
        return ()
    counts = range(span.min, span.max + 1)
    if images is None:
        return tuple(counts)
    shares = [n for n in counts if images % (n * resources.hosts) == 0]
    # Batch norm may refuse one image a rank: a claim with more GPUs must not fail the job.
    pairs = [n for n in shares if images // (n * resources.hosts) > 1]
    return tuple(pairs or shares[:1])


def fitting_counts(resources: Resources, images: int, most: int) -> list[int]:
    """The numbers nearest to a range, below and above, that share images evenly; up to `most`."""
    span = resources.gpu_range
    assert span is not None
    fitting = [n for n in range(1, most + 1) if images % (n * resources.hosts) == 0]
    below = [n for n in fitting if n < span.min]
    above = [n for n in fitting if n > span.max]
    return below[-1:] + above[:1]
