"""Plain data that still knows where in its file each part stood."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

from audit.yamlfile.problem import Problem

Path = tuple[str | int, ...]
"""Keys and indexes from the root, such as ``("expect", 0, "match")``."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of the text, half open."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one value stands."""

    key: Span | None
    """Its key; ``None`` for items of a list and for the root."""
    value: Span
    """The value; of a mapping or list, its first character."""
    in_braces: bool = False
    """Whether the value stands in a mapping written with ``{ }``."""
    is_empty: bool = False
    """Whether nothing was written (``key:`` alone)."""
    is_plain: bool = False
    """Whether the value is a scalar without quotes."""


@dataclass(slots=True, kw_only=True)
class SourceText:
    """The text of a file, with its lines."""

    name: str
    """The file as errors name it."""
    text: str
    _starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._starts = [0]
        position = self.text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = self.text.find("\n", position + 1)

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Return a line (1-based) without its end."""
        start = self._starts[line - 1]
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return self.text[start:end].removesuffix("\r")

    def problem(
        self,
        span: Span,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        allowed: tuple[str, ...] = (),
    ) -> Problem:
        """Return a problem at a run of characters."""
        line, column = self.line_and_column(span.start)
        return Problem(
            source=self.name,
            line=line,
            column=column,
            code=code,
            message=message,
            excerpt=self.line_text(line),
            length=max(1, span.end - span.start),
            hint=hint,
            allowed=allowed,
        )


@dataclass(slots=True, kw_only=True)
class Located:
    """A file: plain data (``dict list str int float bool None``) and the place of every part."""

    source: SourceText
    data: object
    places: dict[Path, Place]

    @property
    def name(self) -> str:
        """The file as errors name it."""
        return self.source.name

    def nearest(self, path: Path) -> Path:
        """Return the longest part of ``path`` that stands in the file."""
        while path and path not in self.places:
            path = path[:-1]
        return path

    def span(self, path: Path, at: Literal["key", "value"] = "value") -> Span:
        """Return where a part stands; a part that is absent stands at its nearest parent."""
        place = self.places[self.nearest(path)]
        if at == "key" and place.key is not None:
            return place.key
        if place.is_empty and place.key is not None:
            return place.key
        return place.value

    def line(self, path: Path, at: Literal["key", "value"] = "value") -> int:
        """Return the 1-based line that a part begins on."""
        return self.source.line_and_column(self.span(path, at).start)[0]

    def problem(
        self,
        path: Path,
        code: str,
        message: str,
        *,
        at: Literal["key", "value"] = "value",
        offset: int = 0,
        length: int | None = None,
        hint: str | None = None,
        allowed: tuple[str, ...] = (),
    ) -> Problem:
        """Return a problem at a key or value, or ``length`` characters ``offset`` into it."""
        span = self.span(path, at)
        quoted = self.source.text[span.start : span.start + 1] in {"'", '"'}
        if offset or length is not None:
            start = min(span.start + offset + quoted, max(span.start, span.end - 1))
            span = Span(start, min(span.end, start + (length or 1)))
        return self.source.problem(span, code, message, hint=hint, allowed=allowed)

    def value(self, path: Path) -> object:
        """Return the plain data at ``path``; raises ``KeyError`` or ``IndexError``."""
        data = self.data
        for step in path:
            data = data[step]  # type: ignore[index]
        return data
