"""A result with the subject's values shown: what ``audit report --reveal`` renders.

A report names every value by its pseudonym, keyed by what the subject is known by. Whoever has the
bundle can undo that: the pseudonyms of all values are computed again and put back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from audit.bundle.folder import Bundle
from audit.errors import CaptureError, UsageError
from audit.model.result import Result

_LABEL: Final = re.compile(r"\[[a-z][a-z0-9_]*:[0-9a-f]{6}\]")
WARNING: Final = (
    "this report shows the test subject's values in the clear: keep it to those who may know them"
)


def values_of(bundles: Iterable[Bundle]) -> dict[str, str]:
    """Return pseudonym -> value, for the values and one-time tokens of these recordings."""
    from audit.identifiers.detector import NO_KEY
    from audit.identifiers.hit import pseudonym

    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for bundle in bundles:
        key = bundle.identity.key() or NO_KEY
        named = [(item.kind, item.value) for item in bundle.identity.identifiers]
        tokens = [line.control["token"] for line in bundle.journal if line.control]
        for kind, value in [*named, *(("token", token) for token in tokens if token)]:
            found[pseudonym(key, kind, value)][value] = None
    return {label: " or ".join(values) for label, values in found.items()}


def reveal(result: Result, bundles: Sequence[Bundle]) -> Result:
    """Return the result with values in the place of their pseudonyms.

    Raises :class:`CaptureError` where a recording of the result is not among the bundles, and
    :class:`UsageError` where they do not say what the subject is known by.
    """
    digests = {bundle.digest for bundle in bundles}
    for capture in result.captures:
        if capture.digest not in digests:
            raise CaptureError(
                f"no recording here has the digest {capture.digest[:16]}… of {capture.id}",
                hint="name every recording of the result with --capture",
            )
    values = values_of(bundles)
    if not values:
        raise UsageError(
            "the recordings do not say what the subject is known by, so nothing can be revealed",
            hint="--capture takes bundles with their identity.json",
        )
    data = _shown(result.model_dump(mode="json", by_alias=True), values)
    return Result.model_validate(data)


def _shown(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _LABEL.sub(lambda found: values.get(found[0], found[0]), value)
    if isinstance(value, dict):
        return {_shown(key, values): _shown(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, values) for item in value]
    return value


def private_folder(result: Path, out: str | None) -> Path:
    """Return where a revealed report goes: by default a folder beside that of the result.

    Raises :class:`UsageError` for the folder of a result: the redacted report stays what it is.
    """
    home = (result if result.is_dir() else result.parent).resolve()
    folder = Path(out) if out else home.with_name(home.name + "-revealed")
    if folder.resolve() == home or ((folder / "result.json").exists() and out is not None):
        raise UsageError(
            "a report with values shown does not go where a redacted one lies",
            source=str(folder),
            hint="name another folder with --out",
        )
    return folder
