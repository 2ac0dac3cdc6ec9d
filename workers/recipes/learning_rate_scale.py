"""The learning rate in proportion to the size of a batch, where a training asks for it."""

from workers.recipes.params import RecipeParams


def scale_of(params: RecipeParams) -> float:
    """The factor of every learning rate of the schedule; 1 unless it is to be scaled.

    Source: Goyal et al. 2017 (arXiv:1706.02677), the linear rule.
    """
    if params.learning_rate_scaling == "off":
        return 1.0
    return params.batch_size / _published_batch_size(params)


def scale_sentence(params: RecipeParams) -> str | None:
    """What the factor makes of the learning rate, for people; None where it is as given."""
    if params.learning_rate_scaling == "off":
        return None
    rate, batch, published = params.learning_rate, params.batch_size, _published_batch_size(params)
    return (
        f"learning_rate {rate:g} is scaled to {rate * scale_of(params):g}: by the linear rule for "
        f"batch_size {batch}, where the published one is {published}"
    )


def _published_batch_size(params: RecipeParams) -> int:
    default: int = type(params).model_fields["batch_size"].default
    return default
