"""The calls for recipes and data sets, and those that ask for the server itself."""

from typing import Any

from service.client.calls.responses import listed, parse_object, path_segment, requested
from service.client.errors import TrainyardError, UnexpectedAnswer, is_transient
from service.client.flow import Flow, send
from service.client.pages import ItemList
from service.contract.architecture_costs import ArchitectureSize
from service.contract.catalog import DatasetInfo


def recipes() -> Flow[list[dict[str, Any]]]:
    """All recipes with their variants and the JSON Schema of their parameters."""
    response = yield from send("GET", "/recipes")
    body = parse_object(response)
    if "data" not in body:
        raise UnexpectedAnswer(response)
    return list(body["data"])


def architecture_size(
    recipe: str,
    blocks: str,
    channels: str | None = None,
    *,
    space: str | None = None,
    image_size: int | None = None,
    classes: int | None = None,
) -> Flow[ArchitectureSize]:
    """How large the network of an architecture is; a digit for each place is in `blocks`.

    Its `variant` is what a job names. Without `channels` every width is the published one; `space`
    is one of the recipe's, where the number of blocks does not tell which; `image_size` is 224 and
    `classes` 1000 where they are not given.
    """
    query = {
        "blocks": blocks,
        "channels": channels,
        "space": space,
        "image_size": image_size,
        "classes": classes,
    }
    path = f"/recipes/{path_segment(recipe)}/size"
    return requested(ArchitectureSize, "GET", path, query=query)


def datasets() -> Flow[ItemList[DatasetInfo]]:
    """The named data sets."""
    return listed(DatasetInfo, "/datasets")


def version() -> Flow[dict[str, Any]]:
    """The version of the server, and the digest of its page's files."""
    return dict(parse_object((yield from send("GET", "/version"))))


def ready() -> Flow[bool]:
    """Whether the server answers and reports that it is ready."""
    try:
        response = yield from send("GET", "/readyz", repeats=False)
    except TrainyardError as error:
        if is_transient(error):
            return False
        raise
    return response.is_success
