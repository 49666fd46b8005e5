"""Texts inside Markdown that stay texts: no markup, no link, no mention, no command.

For GitHub's and GitLab's flavours. Both turn bare addresses, ``@name`` and ``#12`` into links and
notify whom they name, after Markdown was rendered; only code spans are left alone.
"""

from __future__ import annotations

import re
from typing import Final

from audit.report.visible import visible

_MARKUP: Final = re.compile(
    r"[\\`*_~\[\]|!$]|:(?=//|[a-z][a-z0-9_+-]*:)|(?<=www)\.|^[-+=]|^\d+(?=[.)])", re.IGNORECASE
)
"""What Markdown could take for markup, for an address or for a formula."""
_BACKTICKS: Final = re.compile(r"`+")
_SPACE: Final = re.compile(r"\s+")


def escape(text: str) -> str:
    """Return one line of Markdown that shows the text; for the words of a policy or of ours."""
    line = _SPACE.sub(" ", visible(text)).strip()
    line = _MARKUP.sub(lambda found: _masked(found[0]), line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return line.replace("@", "`@`").replace("#", "`#`")


def _masked(markup: str) -> str:
    """Part a number that would begin a list from its dot; put a backslash before all else."""
    return f"{markup}\\" if markup.isdigit() else f"\\{markup}"


def code(text: str) -> str:
    """Return a code span that shows the text; for captured values."""
    line = _SPACE.sub(" ", visible(text)).strip()
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if not line or "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}"


def cell(text: str) -> str:
    """Return a code span for a cell of a table: a bar would end the cell even inside code."""
    return code(text.replace("|", "\N{BROKEN BAR}"))


def quoted(text: str) -> str:
    """Return a block quote of one line."""
    return f"> {escape(text)}"
