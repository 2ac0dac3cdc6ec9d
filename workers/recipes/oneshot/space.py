"""The space that the search of OneShot went through, and what it found. No torch."""

from service.contract.architectures import Architecture
from service.contract.search_spaces import SearchSpace

BLOCKS = "00311100202110202132"
_CHANNELS = "65352634257546744543"

SPACE = SearchSpace(
    stem=16,
    stages=((64, 4), (160, 4), (320, 8), (640, 4)),
    last=1024,
    named={"searched": Architecture.of(BLOCKS, _CHANNELS).text},
)
