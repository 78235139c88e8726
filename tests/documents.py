"""What the project's pages hold: blocks of code, commands, links, anchors."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?:    |\t)(.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LANGUAGES = {"sh", "python", "json", "text"}
"""Of fenced blocks: commands, that what is run or read, and what is only looked at."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one of LANGUAGES."""
    found = FENCE.findall(page.read_text("utf-8"))
    unknown = {name for name, _ in found} - LANGUAGES
    assert not unknown, f"{page.name} has blocks of {unknown}, which no test reads: name one of {LANGUAGES}"
    return [text for name, text in found if name == language]


def commands(page: Path) -> list[str]:
    """Every line of a block of commands, and every indented line, without its comment."""
    lines = "".join(blocks(page, "sh")).splitlines() + INDENTED.findall(prose(page))
    return [line for line in (re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines) if line]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def spans(page: Path) -> list[str]:
    """What stands in backquotes within a line."""
    return SPAN.findall(prose(page))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The file (the page itself for #here) and the anchor, "" for none, of every link within the project."""
    for target in LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub names them."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(prose(page))}
