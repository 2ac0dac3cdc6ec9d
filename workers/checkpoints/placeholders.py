"""Stand-ins for the objects that other programs pickle beside their weights."""

from collections.abc import Callable
from typing import Any

Named = tuple[Callable[..., Any], str]


class Placeholder:
    """What the content of a file has where its pickle names a class or function: none of it runs.

    Nothing is looked up by the name, so that a name may be listed whatever it does.
    """

    def __init__(self, *_: object) -> None:
        """Drop the arguments."""

    def __setstate__(self, _: object) -> None:
        """Drop the state."""


def placeholders() -> list[Named]:
    """For each name what a pickle gets instead, as `torch.serialization.safe_globals` takes it."""
    return [
        *((Placeholder, name) for name in _OBJECTS),
        *((dict, name) for name in _DICTIONARIES),
        (_empty_dict, "collections.defaultdict"),
    ]


def _empty_dict(*_: object) -> dict[Any, Any]:
    return {}


# Short, as a name is added for a program that is used, and not for one file.
_OBJECTS = (
    "argparse.Namespace",
    "builtins.bool",
    "builtins.dict",
    "builtins.float",
    "builtins.int",
    "builtins.list",
    "builtins.str",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    "numpy.ndarray",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "torch.torch_version.TorchVersion",
    # MMEngine keeps the history of its log, which names its own methods by getattr.
    "builtins.getattr",
    "mmengine.logging.history_buffer.HistoryBuffer",
    # Lightning keeps the states of its callbacks by class, and parameters as OmegaConf has them.
    "lightning.pytorch.callbacks.early_stopping.EarlyStopping",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "typing.Any",
)
# Dictionaries of their own kind; a pickle fills them item by item.
_DICTIONARIES = (
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)
