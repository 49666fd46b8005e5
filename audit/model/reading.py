"""Reads a ``result.json`` that somebody hands over: a baseline, a release, a report to render.

It is input like any other: bounded in size and depth, valid by the model, or one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audit.errors import PolicyError
from audit.model.result import SCHEMA, Result

MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest file that is read; a result of 2 000 findings with all their evidence has about 20 MB."""
_HINT: Final = "a result is the result.json that 'audit run' writes"
_SHOWN: Final = 120
_DECODER: Final = json.JSONDecoder()


class _RefusedError(ValueError):
    """A thing that plain JSON allows and a result never holds."""


def read_result(path: Path) -> Result:
    """Read and validate a result; ``path`` is the file or the folder of its report.

    Raises :class:`PolicyError` (exit code 2) with file, line and column for anything else.
    """
    file = path / "result.json" if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PolicyError("there is no such result", source=str(file), hint=_HINT) from None
    except OSError as error:
        raise PolicyError(
            f"the result cannot be read: {error.strerror or error}", source=str(file)
        ) from None
    return parse_result(data, str(file))


def parse_result(data: bytes, name: str) -> Result:
    """Validate the bytes of a result; ``name`` stands in errors. Raises as :func:`read_result`."""
    if len(data) > MAX_BYTES:
        raise PolicyError(
            f"the result is larger than {MAX_BYTES // 2**20} MiB", source=f"{name}:1:1", hint=_HINT
        )
    _require_plain(data, name)
    try:
        result = Result.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = _place(data.decode("utf-8", "replace"), first["loc"])
        where = ".".join(map(str, first["loc"]))[:_SHOWN]
        said = " ".join(f"{where}: {first['msg']}".removeprefix(": ").split())
        raise PolicyError(
            f"this is no result of schema {SCHEMA}: {said}", source=f"{name}:{place}", hint=_HINT
        ) from None
    _require_one_verdict_a_check(result, name)
    return result


def _require_one_verdict_a_check(result: Result, name: str) -> None:
    seen: set[str] = set()
    for verdict in result.verdicts:
        if verdict.check in seen:
            raise PolicyError(
                f"this is no result: it has two verdicts of {verdict.check[:_SHOWN]!r}",
                source=name,
                hint=_HINT,
            )
        seen.add(verdict.check)


def _require_plain(data: bytes, name: str) -> None:
    """Refuse what is no JSON, keys that stand twice, numbers that are none, too deep nesting."""
    try:
        json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = "no UTF-8 text"
    except json.JSONDecodeError as error:
        line = error.lineno
        why = f"no JSON: {error.msg} at column {error.colno}"
    except _RefusedError as error:
        line, why = 1, str(error)
    except RecursionError:
        line, why = 1, "nested too deep"
    except ValueError:
        line, why = 1, "it holds a number that is too long"
    else:
        return
    raise PolicyError(f"this is no result: {why}", source=f"{name}:{line}", hint=_HINT)


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise _RefusedError(f"the key {twice[:_SHOWN]!r} stands twice")
    return found


def _constant(word: str) -> None:
    raise _RefusedError(f"{word} is no number of JSON")


def _place(text: str, path: Sequence[int | str]) -> str:
    """Return ``line:column`` of the value at ``path``, or of the nearest that is there."""
    at = _skip(text, 0)
    for step in path:
        found = next((start for key, start in _members(text, at) if key == step), None)
        if found is None:
            break
        at = found
    line = text.count("\n", 0, at) + 1
    return f"{line}:{at - text.rfind(chr(10), 0, at)}"


def _members(text: str, at: int) -> Iterator[tuple[int | str, int]]:
    """Yield key and start of each member of the object or list that begins at ``at``."""
    opening = text[at]
    if opening not in "{[":
        return
    at = _skip(text, at + 1)
    number = 0
    while text[at] not in "}]":
        key: int | str = number
        if opening == "{":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
