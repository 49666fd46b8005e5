"""Reads a rendered page the way a strict parser does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "path", "circle", "rect", "use", "link", "img", "hr", "input", "line"}


@dataclass
class Page(HTMLParser):
    source: str
    tags: Counter[str] = field(default_factory=Counter)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    ids: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    text: str = ""
    stack: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert not self.stack, f"left open: {self.stack}"

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        if tag in {"dt", "dd", "td", "th"}:
            self.text += " "
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name == "id":
                self.ids[value] += 1
            elif name in {"href", "src", "action", "xlink:href"}:
                self.links.append(value)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack, f"closed without being open: {tag}"
        assert self.stack.pop() == tag, tag

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in {"style", "script"}:
            self.text += data

    def words(self) -> str:
        return " ".join(self.text.split())

    __hash__ = object.__hash__
