"""Whether a report belongs to its recordings: digests, policy, time stamp, and judging again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import audit
from audit.bundle.folder import Bundle, digest_file
from audit.cli.judging import Call, judge
from audit.errors import CaptureError
from audit.report.handover import SUMS, read_sums

if TYPE_CHECKING:
    from audit.model.result import Result

_SHOWN = 60


def check_files(folder: Path) -> str:
    """Check the files of a report by its list of digests; return what was found, a sentence.

    Raises :class:`CaptureError` for the first that is not as it was written.
    """
    listed = read_sums(folder / SUMS)
    if not listed:
        return f"no {SUMS} lies beside the result: its files are not checked"
    for name, digest in sorted(listed.items()):
        path = folder / name
        if path.is_file() and digest_file(path) != digest:
            raise CaptureError(f"{name} is not the file that was written", source=str(folder))
    gone = [name for name in sorted(listed) if not (folder / name).is_file()]
    missing = f"; not here: {', '.join(gone)}" if gone else ""
    return f"{len(listed) - len(gone)} files of the report are as they were written{missing}"


Found = Bundle | tuple[Path, ...]
"""A capture on disk: a bundle, or the bare files of one recording."""


def check_captures(result: Result, there: dict[str, Found], source: Path) -> list[Found]:
    """Return the captures of a result, by digest.

    Raises :class:`CaptureError` where one is missing or another, or none is named at all.
    """
    if not result.captures:
        raise CaptureError("the result names no capture that it is of", source=str(source))
    found: list[Found] = []
    for capture in result.captures:
        one = there.get(capture.digest)
        if one is None:
            raise CaptureError(
                f"no capture here has the digest {capture.digest[:16]}… of {capture.id}",
                source=str(source),
                hint="name its folder with --capture",
            )
        if isinstance(one, Bundle):
            if capture.manifest not in {None, one.manifest.sha256}:
                raise CaptureError("capture.json is not the one that was judged", source=capture.id)
            if capture.digests != dict(one.manifest.files):
                raise CaptureError("the result names other digests of its files", source=capture.id)
        found.append(one)
    return found


def judge_again(result: Result, data: bytes, captures: list[Found], call: Call) -> None:
    """Judge the recordings again as of the result's moment and compare byte for byte.

    ``data`` are the bytes of the file that the result was read from.

    Raises :class:`CaptureError` with the first thing that differs.
    """
    from audit.report.json import render_json

    if result.tool.version != audit.__version__:
        raise CaptureError(
            f"the result is of version {result.tool.version}, this is {audit.__version__}",
            hint="equal bytes are promised by equal versions; install that one",
        )
    places = [[one.folder] if isinstance(one, Bundle) else one for one in captures]
    again = judge([path for paths in places for path in paths], call)
    made = render_json(again)
    if made == data:
        return
    if made == render_json(result):
        raise CaptureError(
            "judged again, the result says the same in other bytes: something else wrote it"
        )
    what = first_difference(
        result.model_dump(mode="json", by_alias=True), again.model_dump(mode="json", by_alias=True)
    )
    raise CaptureError(
        f"judged again, the result differs: {what}",
        hint="name what the first run was given: --identity, --gate, --waivers, ...",
    )


@dataclass(frozen=True, slots=True)
class _Absent:
    """What stands in the place of something that one side lacks."""

    def __repr__(self) -> str:
        return "nothing"


def first_difference(one: Any, two: Any, place: str = "") -> str | None:
    """Return where two values of JSON differ first, with both; ``None``: nowhere."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two}):
            found = first_difference(
                one.get(key, _Absent()), two.get(key, _Absent()), f"{place}.{key}".lstrip(".")
            )
            if found:
                return found
        return None
    if isinstance(one, list) and isinstance(two, list):
        for number in range(max(len(one), len(two))):
            left, right = (side[number] if number < len(side) else _Absent() for side in (one, two))
            found = first_difference(left, right, f"{place}[{number}]")
            if found:
                return found
        return None
    if one == two:
        return None
    return f"{place} is {_short(one)} in the result and {_short(two)} now"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def moment_of(result: Result) -> datetime:
    """Return the moment that a result was judged as of, UTC.

    Raises :class:`CaptureError` where it says of none.
    """
    try:
        return datetime.fromisoformat(result.as_of)
    except ValueError:
        raise CaptureError("the result says of no moment that it was judged as of") from None


def target_of(result: Result) -> str:
    """Return the name of the target that was judged; raises :class:`CaptureError` for none."""
    name = result.target.get("name")
    if not isinstance(name, str) or not name:
        raise CaptureError("the result says of no target", hint="name it with --target")
    return name
