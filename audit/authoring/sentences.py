"""A policy's text cut into its sentences, each under the heading it stands under.

Sentences are verbatim but for white space: a quote may be wrapped otherwise than the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

LONGEST_HEADING: Final = 90
"""Characters of a line that can be a heading, at most."""
_SHORTEST_WRAPPED: Final = 40
"""Characters of a line that may go on in the next one, at least."""
_BULLET: Final = re.compile(r"^\s*(?:[-*•‣–—]|\(?(?:\d{1,3}|[a-z])[.)])\s+")
_NUMBER: Final = re.compile(r"\(?\d{1,3}[.)](?:\s+|$)")
"""A number that a sentence in the middle of a line begins with."""
_MARKED_HEADING: Final = re.compile(r"^\s*#{1,6}\s+|^\s*(?:\d{1,2}\.)+\d*\s+(?=[A-Z][^.!?]*$)")
_ENDS: Final = ".!?:;…。！？"
_QUOTES: Final = "\"'”’»)]"
_BOUNDARY: Final = re.compile(
    rf"(?<=[.!?…])[{re.escape(_QUOTES)}]*(\s+)(?=[\"'“‘«(\[]*[^\W_])|(?<=[。！？])()(?=\S)"
)
_ABBREVIATED: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Mr|Mrs|Ms|Dr|No|Nos|Inc|Ltd|Corp|Co|St|Art|Arts|Sec|Para|Reg|"
    r"approx|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|z\.B|bzw|Nr|Abs|ca)|(?:\b[A-Z]\.)*\b[A-Z])\.$"
)
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of a text."""

    number: int
    """1-based, in the order of the text; headings are not counted."""
    text: str
    """Its words, white space squeezed."""
    section: str
    """Heading above it; ``''`` before the first."""


def sentences_of(text: str) -> list[Sentence]:
    """Return the sentences of a text in order."""
    found: list[Sentence] = []
    section = ""
    for heading, paragraph in _paragraphs(text):
        if heading:
            section = paragraph
            continue
        for words in _split(paragraph):
            found.append(Sentence(number=len(found) + 1, text=words, section=section))
    return found


def _paragraphs(text: str) -> Iterator[tuple[bool, str]]:
    """Yield headings and paragraphs: lines that belong together, joined."""
    lines = [line.rstrip() for line in text.splitlines()]
    held: list[str] = []
    for index, line in enumerate(lines):
        starts = bool(_BULLET.match(line)) or not line.strip()
        goes_on = bool(held) and not starts and _goes_on(held[-1])
        if held and not goes_on:
            yield False, _SPACE.sub(" ", " ".join(held)).strip()
            held = []
        if not line.strip():
            continue
        is_title = not any(map(str.strip, lines[:index]))
        if not held and _is_heading(line, lines[index + 1 :], is_title=is_title):
            yield True, _SPACE.sub(" ", _MARKED_HEADING.sub("", line)).strip(" #:")
        else:
            held.append(line if held else _BULLET.sub("", line))
    if held:
        yield False, _SPACE.sub(" ", " ".join(held)).strip()


def _goes_on(line: str) -> bool:
    return line.rstrip(_QUOTES)[-1:] not in _ENDS and len(line) >= _SHORTEST_WRAPPED


def _is_heading(line: str, following: list[str], *, is_title: bool) -> bool:
    """Whether a line heads what follows; a title, alone on the first line, may be longer."""
    if _MARKED_HEADING.match(line):
        return True
    text = line.strip()
    if len(text) > LONGEST_HEADING or text.rstrip(_QUOTES)[-1:] in _ENDS or _BULLET.match(line):
        return False
    after = next((item for item in following if item.strip()), "")
    if not after or after.lstrip()[:1].islower():
        return False
    return len(text) < len(after) or (is_title and not following[0].strip())


def _split(paragraph: str) -> Iterator[str]:
    start = 0
    for match in _BOUNDARY.finditer(paragraph):
        before = paragraph[start : match.start()].rstrip(_QUOTES)
        if _ABBREVIATED.search(before):
            continue
        end = match.end() if match[1] is None else match.start(1)
        if words := _unnumbered(paragraph[start:end]):
            yield words
        start = match.end()
    if words := _unnumbered(paragraph[start:]):
        yield words


def _unnumbered(text: str) -> str:
    return _NUMBER.sub("", text.strip(), count=1) if _NUMBER.match(text.strip()) else text.strip()


_BLOCKS_TEXT: Final = (
    "address article aside blockquote br dd div dl dt figcaption footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table tbody td th thead tr ul "
)
_BLOCKS: Final = frozenset(_BLOCKS_TEXT.split())
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "head", "svg", "title"})


class _Text(HTMLParser):
    """Takes the words out of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            level = int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else 0
            self.parts.append("\n\n" + ("#" * level + " " if level else ""))
            if tag == "li":
                self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(_SPACE.sub(" ", data))


def text_of_page(page: str) -> str:
    """Return the words of an HTML page, a paragraph a block."""
    parser = _Text()
    parser.feed(page)
    parser.close()
    lines = [_SPACE.sub(" ", line).strip() for line in "".join(parser.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def is_page(text: str) -> bool:
    """Whether a text is HTML rather than words."""
    head = text.lstrip("\ufeff \t\r\n")[:2000].lower()
    return head.startswith(("<!doctype html", "<html")) or "<body" in head
