"""axe, which looks for what keeps people out of a page."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
"""Where `make node_modules/installed` brings it."""
_VIOLATIONS = """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
    ({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({html}) => html).join(" ")}`)"""


def violations(page: Page) -> list[str]:
    """What axe finds to mend in the page as it is shown."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_VIOLATIONS)
    return found
