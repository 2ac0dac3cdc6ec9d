"""Charts in a browser: where they are, and what they show."""

from playwright.sync_api import Locator, Page

LOSS = "Loss at step 200: Training loss 0.5000"
"""The name of the plot of a loss that ends at 0.5."""

_STEADY_PICTURE = """async (figure) => {
  let [last, same] = ["", 0];
  while (same < 10) {
    await new Promise(requestAnimationFrame);
    const drawn = figure.querySelector("canvas")?.toDataURL() ?? "";
    same = drawn && drawn === last ? same + 1 : 0;
    last = drawn;
  }
  return last;
}"""


def chart(page: Page, title: str) -> Locator:
    """The figure of a chart, with its legend and tools."""
    return page.locator(".chart").filter(has=page.get_by_role("heading", name=title, exact=True))


def plot_of(page: Page, title: str) -> Locator:
    """Where a chart is drawn."""
    return chart(page, title).locator(".plot")


def picture_of(page: Page, title: str) -> str:
    """What a chart shows, once it has stayed the same for some frames."""
    drawn: str = chart(page, title).evaluate(_STEADY_PICTURE)
    return drawn


def drawn_otherwise(page: Page, title: str, before: str) -> None:
    """Wait until a chart is drawn otherwise than before."""
    figure = chart(page, title).element_handle()
    is_other = "([it, was]) => it.querySelector('canvas').toDataURL() !== was"
    page.wait_for_function(is_other, arg=[figure, before])
