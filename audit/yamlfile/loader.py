"""The one YAML loader: a small, safe part of YAML, and the place of everything in it.

Read are block and flow mappings and lists, and scalars by the core schema of YAML 1.2. Refused,
each with its place: duplicate keys, anchors and aliases, tags, directives, several documents,
tabs, control characters, nesting beyond :data:`MAX_DEPTH`, files beyond :data:`MAX_BYTES` and
bytes that are no UTF-8. Work is linear in the size of the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Final

import yaml

from audit.errors import PolicyError
from audit.yamlfile.located import Located, Path, Place, SourceText, Span
from audit.yamlfile.problem import PolicyFileError, Problem
from audit.yamlfile.scalars import resolve

MAX_DEPTH: Final = 32
"""Deepest nesting of mappings and lists."""
MAX_BYTES: Final = 256 * 1024
"""Largest file."""
_MOST_PROBLEMS: Final = 50
_FORBIDDEN: Final = re.compile(
    "[^\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Tabs, control characters, and the line ends that only YAML 1.1 knows (U+0085, U+2028, U+2029)."""
_Loader: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def load_yaml(path: FilePath) -> Located:
    """Load a file; raises :class:`PolicyError` with ``file:line:column`` of all that is wrong."""
    name = display_name(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PolicyError("there is no such file", source=name) from None
    except OSError as error:
        raise PolicyError(
            f"the file cannot be read: {error.strerror or error}", source=name
        ) from None
    return load_yaml_bytes(data, name)


def display_name(path: FilePath) -> str:
    """Return a path as errors name it: below the working folder, without that folder."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return str(path)
    return str(path) if relative.startswith("..") else relative


def load_yaml_bytes(data: bytes, name: str) -> Located:
    """Load bytes under the name of their file; raises as :func:`load_yaml`."""
    if len(data) > MAX_BYTES:
        raise PolicyError(
            f"the file is larger than {MAX_BYTES // 1024} KiB",
            source=f"{name}:1:1",
            hint="split it; one check a file",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        source = SourceText(name=name, text=before)
        problem = source.problem(
            Span(len(before), len(before) + 1),
            "E001",
            "the file is not UTF-8 text",
            hint="save it as UTF-8",
        )
        raise PolicyFileError([problem]) from None
    source = SourceText(name=name, text=text)
    _refuse_characters(source)
    return _Composer(source).compose()


def _refuse_characters(source: SourceText) -> None:
    problems: list[Problem] = []
    seen: set[int] = set()
    for match in _FORBIDDEN.finditer(source.text):
        line, _ = source.line_and_column(match.start())
        if line in seen:
            continue
        seen.add(line)
        tab = match.group() == "\t"
        problems.append(
            source.problem(
                Span(match.start(), match.end()),
                "E002",
                "tabs are refused"
                if tab
                else f"the character U+{ord(match.group()):04X} is refused",
                hint="indent with spaces" if tab else 'write it as an escape in "double quotes"',
            )
        )
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise PolicyFileError(problems)


class _TooDeep(Exception):  # noqa: N818 - a signal within this module, no error of its own
    pass


class _Composer:
    """Builds plain data and places from the events of one document."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._problems: list[Problem] = []
        self._places: dict[Path, Place] = {}

    def compose(self) -> Located:
        data: object = None
        try:
            data = self._document(iter(yaml.parse(self._source.text, Loader=_Loader)))
        except yaml.MarkedYAMLError as error:
            self._problems.append(self._syntax(error))
        except yaml.YAMLError as error:
            self._refuse(Span(0, 1), "E003", f"this is not YAML: {error}")
        except _TooDeep:
            pass
        if self._problems:
            raise PolicyFileError(self._problems[:_MOST_PROBLEMS])
        return Located(source=self._source, data=data, places=self._places)

    def _document(self, events: Iterator[Any]) -> object:
        data: object = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(
                        _span(event), "E004", "a second document starts here", "one a file"
                    )
                    return data
                if event.version or event.tags:
                    self._refuse(_span(event), "E005", "directives are refused")
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, (), key=None, in_braces=False)
        if not documents:
            self._refuse(Span(0, 1), "E003", "the file is empty")
        return data

    def _node(
        self, event: Any, events: Iterator[Any], path: Path, *, key: Span | None, in_braces: bool
    ) -> object:
        span = _span(event)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(span, "E006", "aliases are refused", "write the value out")
            return None
        if event.anchor is not None:
            self._refuse(span, "E006", "anchors are refused", "write the value out at each place")
        if event.tag is not None:
            self._refuse(span, "E007", "tags are refused", "quote text, leave numbers unquoted")
        scalar = isinstance(event, yaml.ScalarEvent)
        plain = scalar and event.implicit[0]
        self._places[path] = Place(
            key=key,
            value=span if scalar else Span(span.start, span.start + 1),
            in_braces=in_braces,
            is_empty=plain and event.value == "",
            is_plain=plain,
        )
        if scalar:
            return self._scalar(event) if plain else event.value
        if len(path) >= MAX_DEPTH:
            self._refuse(span, "E008", f"nested more than {MAX_DEPTH} deep")
            raise _TooDeep
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path, in_braces=bool(event.flow_style))

    def _scalar(self, event: Any) -> object:
        try:
            return resolve(event.value)
        except ValueError as error:
            self._refuse(_span(event), "E009", str(error), "quote it if it is text")
            return None

    def _sequence(self, events: Iterator[Any], path: Path) -> list[object]:
        items: list[object] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, len(items)), key=None, in_braces=False))
        return items

    def _mapping(self, events: Iterator[Any], path: Path, *, in_braces: bool) -> dict[str, object]:
        data: dict[str, object] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, path)
            span = _span(event)
            first = self._places.get((*path, key))
            value = self._node(next(events), events, (*path, key), key=span, in_braces=in_braces)
            if first is not None and first.key is not None:
                line, _ = self._source.line_and_column(first.key.start)
                self._refuse(span, "E010", f"duplicate key '{key}', first on line {line}")
            data[key] = value
        return data

    def _key(self, event: Any, events: Iterator[Any], path: Path) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None:
                self._refuse(_span(event), "E006", "anchors are refused")
            if event.tag is not None:
                self._refuse(_span(event), "E007", "tags are refused")
            return str(event.value)
        self._refuse(_span(event), "E003", "a key is a word, not a list or mapping")
        self._node(event, events, (*path, ""), key=None, in_braces=False)
        return ""

    def _refuse(self, span: Span, code: str, message: str, hint: str | None = None) -> None:
        self._problems.append(self._source.problem(span, code, message, hint=hint))

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        end = len(self._source.text.rstrip())
        marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
        start = next((mark.index for mark in marks if mark.index < end), 0)
        said = error.problem or error.context or "no YAML"
        return self._source.problem(
            Span(start, start + 1), "E003", f"this is not YAML: {said}", hint=_HINTS.get(said)
        )


_HINTS: Final = {
    "mapping values are not allowed in this context": (
        "put text that holds ': ' in quotes, or look at the indentation"
    ),
    "found character that cannot start any token": "put text that starts with @ ` or % in quotes",
    "did not find expected ',' or '}'": "a '{' is not closed, or a text needs quotes",
    "did not find expected ',' or ']'": "a '[' is not closed, or a text needs quotes",
    "did not find expected key": "look at the indentation, and at quotes inside a quoted text",
    "could not find expected ':'": "a key needs ': ' after it",
}
"""What the parser (libyaml) says -> what usually helps."""


def _span(event: Any) -> Span:
    start, end = event.start_mark.index, event.end_mark.index
    return Span(start, max(start, end))
