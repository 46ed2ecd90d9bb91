"""The pages themselves: their links lead somewhere, and the glossary stays one that people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGES = sorted(
    {*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("modules/*/README.md"), *TOP.glob("bench/*.md")}
)
_LINK = re.compile(r"\]\((?P<to>[^)\s#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_to_files_of_this_repository(page: Path) -> None:
    links = {match["to"] for match in _LINK.finditer(page.read_text("utf-8"))}
    own = {link for link in links if "://" not in link and not link.startswith("mailto:")}
    assert {link for link in own if not (page.parent / link).exists()} == set()


def test_every_page_can_be_reached() -> None:
    """From the README, link by link."""
    reached, ahead = set[Path](), [TOP / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        ahead += [(page.parent / match["to"]).resolve() for match in _LINK.finditer(page.read_text("utf-8"))]
    assert {
        str(page.relative_to(TOP)) for page in PAGES if TOP / "docs" in page.parents and page not in reached
    } == set()


def test_the_glossary_is_a_page_and_in_the_order_of_a_release() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\*", (TOP / "docs/glossary.md").read_text(), re.MULTILINE)
    assert 10 < len(words) <= 45
    assert len(words) == len(set(words))
    assert words.index("tag") < words.index("release") < words.index("receipt") < words.index("approval")
