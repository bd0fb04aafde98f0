"""What a page looks like: that nothing sticks out to the side, and a picture for a person's eye."""

import os

from playwright.sync_api import Page

PICTURES = os.environ.get("TEIJI_TEST_PICTURES", "")  # a folder, to look at the pages


def fits(page: Page) -> bool:
    """Nothing sticks out to the side. Waits for a page that is just being opened."""
    wide: bool = page.locator("html").evaluate("page => page.scrollWidth <= innerWidth")
    return wide


def look(page: Page, name: str) -> None:
    """A picture of the whole page, named after it and its width, where a folder is given."""
    if PICTURES and page.viewport_size:
        page.wait_for_load_state("networkidle")
        path = f"{PICTURES}/{name}-{page.viewport_size['width']}.png"
        page.screenshot(path=path, full_page=True)
