"""The spaces that DetNAS searched, and what it found (arXiv:1903.10979). No torch.

In the networks that were trained after the search, as they are published, a unit passes the even
channels on, and transforms the odd ones. The supernet has another channel shuffle: so a path
of it is a network of other spaces, of which the names end in `.path`.
Sources: DetNAS of megvii-model/ShuffleNet-Series, Supernet-ImageNet of megvii-model/DetNAS.
"""

from collections.abc import Mapping

from service.contract.architectures import Architecture
from service.contract.search_spaces import SearchSpace

PATHS = ".path"
"""With which the name of a space ends whose networks have the supernet's channel shuffle."""

_DEEP = "0031210203123320211320222131033313333333"


def _space(
    name: str,
    stem: int,
    stages: tuple[int, int, int, int],
    last: int,
    named: Mapping[str, str],
    *,
    deep: bool = False,
) -> SearchSpace:
    units = (8, 8, 16, 8) if deep else (4, 4, 8, 4)
    return SearchSpace(
        name=name,
        stem=stem,
        stages=tuple(zip(stages, units, strict=True)),
        last=last,
        named={variant: Architecture.of(blocks).text for variant, blocks in named.items()},
        fixed_widths=True,
        biased=True,
    )


SPACE_300M = _space(
    "300M",
    16,
    (64, 160, 320, 640),
    1024,
    {
        "COCO_FPN_300M": "21202112331300313132",
        "COCO_RetinaNet_300M": "23113213311133203333",
        "VOC_FPN_300M": "21031303201133333331",
        "VOC_RetinaNet_300M": "13002333233332202311",
    },
)
SPACE_1_3G = _space("1.3G", 48, (96, 240, 480, 960), 1024, {"COCO_FPN_1.3G": _DEEP}, deep=True)
WIDENED_3_8G = _space("3.8G", 72, (172, 432, 864, 1728), 1728, {"COCO_FPN_3.8G": _DEEP}, deep=True)
"""The network that was found in the space 1.3G, made wider: this space was not searched."""


def _of_paths(space: SearchSpace) -> SearchSpace:
    changes = {"name": f"{space.name}{PATHS}", "only_by_name": True, "named": {}}
    return space.model_copy(update=changes)


SPACES = (SPACE_300M, SPACE_1_3G, _of_paths(SPACE_300M), _of_paths(SPACE_1_3G))
