"""Values of a result as people read them: sizes, moments, lists, cells of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from audit.report.texts import catalogue, count, meaning, say
from audit.tables.vocabulary import FORMS

_PERIOD = re.compile(r"([0-9]{1,12})([smhd]?)")
_AS_FORM = re.compile(rf" as ({'|'.join(map(re.escape, FORMS))})(?=$|[;,]| \()")
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size(n: int) -> str:
    """Return a number of bytes in SI units (1 kB = 1000 bytes), three digits."""
    value, unit = float(n), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return f"{n} byte" if n == 1 else f"{n} bytes"
    return f"{value:.{max(0, 2 - (len(str(int(value))) - 1))}f} {_UNITS[unit]}"


def share(part: int, whole: int) -> str:
    """Return a share in percent; what is not nothing and not all is never rounded to it."""
    if whole <= 0 or part <= 0:
        return "0 %"
    if part >= whole:
        return "100 %"
    return f"{min(max(round(100 * part / whole), 1), 99)} %"


def parse_moment(text: object) -> datetime | None:
    """Return an ISO 8601 moment in UTC; ``None`` for anything else (no zone counts as UTC)."""
    if not isinstance(text, str):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


def moment(text: str | None, *, precise: bool = False) -> str:
    """Return a moment as ``2026-04-12 09:31:07 UTC``; what is no moment stays as it is."""
    value = parse_moment(text)
    if value is None:
        return text or say("page.not_known")
    spec = "milliseconds" if precise else "seconds"
    return value.replace(tzinfo=None).isoformat(" ", timespec=spec) + " UTC"


def timestamp(text: object) -> str | None:
    """Return a moment as ``2026-04-12T09:31:07Z``, as machines read it; ``None``: it is none."""
    value = parse_moment(text)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def epoch(text: object) -> str | None:
    """Return a moment as seconds since 1970 with six digits behind the point; ``None``: none."""
    value = parse_moment(text)
    if value is None or value.year < 1970:
        return None
    since = value - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{since.days * 86_400 + since.seconds:010d}.{since.microseconds:06d}"


def duration(seconds: float) -> str:
    """Return a length of time: ``740 ms``, ``6.2 s``, ``4 min 5 s``."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def period(value: object) -> str:
    """Return a period of the check language, such as ``180d``, in words; others stay as they are.

    A bare number counts seconds.
    """
    match = _PERIOD.fullmatch(str(value))
    if not match or isinstance(value, bool):
        return cell(value)
    n, unit = int(match[1]), match[2] or "s"
    for larger, smaller, ratio in (("m", "s", 60), ("h", "m", 60), ("d", "h", 24)):
        if unit == smaller and n >= ratio and n % ratio == 0:
            n, unit = n // ratio, larger
    return count(f"period.{unit}", n)


def joined(words: Iterable[str]) -> str:
    """Return words as ``a, b and c``."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def shortened(text: str, longest: int) -> str:
    """Return a text of at most so many characters; one that is cut ends in ``…``."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def sentence_case(text: str) -> str:
    """Return a sentence with its first letter raised, unless it starts with a name or a number."""
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def plain_words(text: str, kind: str | None) -> str:
    """Return a message with the closed vocabularies' words said in plain ones.

    These are the finding's own kind of identifier, and a form of encoding behind ``as``.
    """
    if kind and f"kind.{kind}" in catalogue():
        text = re.sub(rf"(?<![\w.-]){re.escape(kind)}(?![\w.-])", say(f"kind.{kind}"), text)
    return _AS_FORM.sub(
        lambda match: say("finding.as_form", form=meaning("form", match[1])), text, count=1
    )


def cell(value: object) -> str:
    """Return any JSON value as the text of one table cell."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say("page.yes" if value else "page.no")
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {cell(item)}" for key, item in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value) or "–"
    return str(value)
