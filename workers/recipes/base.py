"""What a recipe is: a family of networks, how it is trained, and what a user may set. No torch.

What needs torch is named as text, `module:function`, and loaded in the rank that uses it.
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.contract.catalog import NetworkSize, RecipeInfo, has_variant, no_variant, table_of
from service.contract.search_spaces import SearchSpace
from service.contract.space_table import SpaceTable
from workers.networks.heads import Heads
from workers.recipes.learning_rate_scale import scale_of
from workers.recipes.params import RecipeParams

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from workers.networks.choices import Parts

PACKAGE = "trainyard-service"
"""The distribution that brings the built-in recipes."""


@dataclass(frozen=True)
class OriginalFiles:
    """How the published scripts of a family read and write their files.

    `bare_final_weights`: the final weights are a dictionary of tensors, not below `state_dict`.
    `final_tag` is before the name of their file.
    """

    bare_final_weights: bool = False
    final_tag: str = "bnps-"


@dataclass(frozen=True)
class Paths:
    """Of a network that computes by a path through it: how a run chooses the path. References.

    - `take`: `(network, path) -> None` has the network compute by a path from now on.
    - `of_step`: `(params, step) -> str`, the path of iteration 1 … total_iters, on every rank.
    - `of_validation`: `(params) -> tuple[str, ...]`; a validation is the mean over these.
    - `recalibration_batches`: `(params) -> int`, for the statistics of each of them.
    - `advice`: `(params, step) -> str | None`, what helps a supernet whose paths all guess after an
      iteration, as one sentence; None while it is too early to say.
    - `holdout_every`: `(params) -> int`, of the images that are kept from training for a search.
    - `choices`: `(params) -> tuple[str, ...]`, the digits that a path may have at each place.
    - `parts`: `(network) -> workers.networks.choices.Parts`, so that paths share their beginnings.
    - `tensors`: `(tensors, path) -> dict[str, Tensor]`, the state dict of a path's own network,
      from that of the supernet.

    `recipe` is the name of the recipe of which each path is a variant, as a network of its own, and
    `space` the name of that recipe's space, where it has several.
    """

    take: str
    of_step: str
    of_validation: str
    recalibration_batches: str
    advice: str
    holdout_every: str
    choices: str
    parts: str
    tensors: str
    recipe: str
    space: str | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """Every `module:function` that is named here."""
        return tuple(value for name, value in vars(self).items() if name not in ("recipe", "space"))


@dataclass(frozen=True)
class Recipe:
    """One family. Every reference is `module:function`; those left out are the series' own.

    - `params` is the model of its parameters, `variants` each variant's published size, if known.
    - `network`: `(variant, num_classes, params) -> nn.Module`, from images (N, 3, S, S) to logits
      (N, num_classes); in train mode it may give a tuple, the logits first.
    - `heads` says where the network's classifiers are.
    - `loss`: `(outputs, labels (N,), params) -> Tensor ()`, from what train mode gives; a mean over
      the images, so that ranks and the parts of a batch can be averaged.
    - `optimizer`: `(network, params) -> torch.optim.Optimizer`.
    - `schedule`: `(params, step) -> float`, the learning rate of iteration 1 … total_iters, before
      it is scaled by the size of the batch.
    - `preprocessing`: for each name that the parameter may have beside the series' own, a function
      `(image (3, S, S), draw) -> Tensor (3, S, S)`: RGB, 0 to 255, as the data source cut it; the
      numpy generator `draw` is None in an eval.
    - `recalibrates_batch_norm`: after the last iteration batch norm learns its statistics anew.
    - `paths`: of a supernet, whose steps use some of its weights each; it is never compiled.
    - `search_space`: any architecture of it is a variant, too, by the text that it has; its units
      are `features.0`, `features.1` and so on. `search_spaces`: several of them, each with a name.
    """

    name: str
    title: str
    params: type[RecipeParams]
    variants: Mapping[str, NetworkSize | None]
    network: str
    heads: Heads
    source: str | None = None
    loss: str = "workers.recipes.loss:training_loss"
    optimizer: str = "workers.recipes.optimizer:sgd"
    schedule: str = "workers.recipes.optimizer:learning_rate"
    preprocessing: Mapping[str, str] = field(default_factory=dict)
    recalibrates_batch_norm: bool = False
    search_space: SearchSpace | None = None
    search_spaces: tuple[SearchSpace, ...] = ()
    paths: Paths | None = None
    original: OriginalFiles = OriginalFiles()

    @property
    def references(self) -> tuple[str, ...]:
        """Every `module:function` that the recipe names."""
        named = [self.network, self.loss, self.optimizer, self.schedule]
        if self.paths is not None:
            named += self.paths.references
        return (*named, *self.preprocessing.values())

    @property
    def spaces(self) -> SpaceTable:
        """Every space of the recipe."""
        return table_of(self.search_space, self.search_spaces)

    def has_variant(self, variant: str) -> bool:
        """Whether there is a network of this name, or of this architecture."""
        return has_variant(self.variants, self.spaces, variant)

    def build(self, variant: str, num_classes: int, params: RecipeParams) -> "nn.Module":
        """A network with fresh weights, drawn from torch's default generator.

        Raises ValueError for a variant that the recipe does not have.
        """
        if not self.has_variant(variant):
            raise ValueError(no_variant(self.name, tuple(self.variants), self.spaces))
        network: nn.Module = _load(self.network)(variant, num_classes, params)
        return network

    def training_loss(
        self, outputs: "Tensor | tuple[Tensor, ...]", labels: "Tensor", params: RecipeParams
    ) -> "Tensor":
        """The loss of a batch, as a tensor ()."""
        loss: Tensor = _load(self.loss)(outputs, labels, params)
        return loss

    def optimizer_of(self, network: "nn.Module", params: RecipeParams) -> "Optimizer":
        """The optimizer of the network's parameters."""
        optimizer: Optimizer = _load(self.optimizer)(network, params)
        return optimizer

    def learning_rate(self, params: RecipeParams, step: int) -> float:
        """The learning rate of an iteration, as it is applied; the first is 1."""
        return float(_load(self.schedule)(params, step)) * scale_of(params)

    def take_path_of_step(self, network: "nn.Module", params: RecipeParams, step: int) -> None:
        """Have a supernet compute by the path of an iteration; for another network nothing."""
        if self.paths is not None:
            self.take_path(network, _load(self.paths.of_step)(params, step))

    def take_path(self, network: "nn.Module", path: str) -> None:
        """Have a supernet compute by a path."""
        assert self.paths is not None
        _load(self.paths.take)(network, path)

    def paths_of_validation(self, params: RecipeParams) -> tuple[str, ...]:
        """The paths of a supernet that each validation measures."""
        assert self.paths is not None
        return tuple(_load(self.paths.of_validation)(params))

    def recalibration_batches(self, params: RecipeParams) -> int:
        """How many training batches the statistics of a validated path are learnt from."""
        assert self.paths is not None
        return int(_load(self.paths.recalibration_batches)(params))

    def advice(self, params: RecipeParams, step: int) -> str | None:
        """What helps a supernet whose paths all guess after an iteration; None if it is early."""
        assert self.paths is not None
        advice: str | None = _load(self.paths.advice)(params, step)
        return advice

    def holdout_every(self, params: RecipeParams) -> int:
        """Which training images are kept for a search (`service.contract.holdout`); 0 if none."""
        return int(_load(self.paths.holdout_every)(params)) if self.paths is not None else 0

    def choices(self, params: RecipeParams) -> tuple[str, ...]:
        """The digits that a path through a supernet may have at each place."""
        assert self.paths is not None
        return tuple(_load(self.paths.choices)(params))

    def parts(self, network: "nn.Module") -> "Parts":
        """The stem, the places and the tail of a supernet."""
        assert self.paths is not None
        parts: Parts = _load(self.paths.parts)(network)
        return parts

    def tensors_of_path(self, tensors: "Mapping[str, Tensor]", path: str) -> "dict[str, Tensor]":
        """The state dict of a path's own network, which is of the recipe `paths.recipe`."""
        assert self.paths is not None
        found: dict[str, Tensor] = _load(self.paths.tensors)(tensors, path)
        return found

    def info(self, package: str = PACKAGE) -> RecipeInfo:
        """The recipe as data; raises ValueError if its parameters make no form."""
        return RecipeInfo(
            name=self.name,
            title=self.title,
            source=self.source,
            variants=tuple(self.variants),
            sizes={name: size for name, size in self.variants.items() if size is not None},
            recalibrates_batch_norm=self.recalibrates_batch_norm,
            parameters=_schema(self.params),
            package=package,
            search_space=self.search_space,
            search_spaces=self.search_spaces,
            path_recipe=self.paths.recipe if self.paths is not None else None,
            path_space=self.paths.space if self.paths is not None else None,
        )


def size(
    parameters: int, multiply_adds: int, *, without_auxiliary_heads: int | None = None
) -> NetworkSize:
    """The size of a network with 1000 classes; `multiply_adds` are for an image of 224 x 224."""
    return NetworkSize(
        parameters=parameters,
        parameters_without_auxiliary_heads=without_auxiliary_heads or parameters,
        multiply_adds=multiply_adds,
    )


def _load(reference: str) -> Any:
    return pkgutil.resolve_name(reference)


def _schema(params: type[RecipeParams]) -> dict[str, Any]:
    schema = params.model_json_schema()
    bare = [name for name, of in schema["properties"].items() if "default" not in of]
    if bare:
        raise ValueError(f"a parameter needs a default: {', '.join(bare)}")
    return schema
