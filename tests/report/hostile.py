"""Results whose every value is an attack."""

from __future__ import annotations

import copy

from audit.model.result import Result

ATTACKS = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)//",
    "</style></title></textarea><svg onload=alert(1)>",
    "\u202egnp.exe\u202c\u2066\u200b\ufeff",
    "\x1b[31m\x1b]8;;http://evil.example\x07click\x1b]8;;\x07\x9b2J\x00",
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt;&#60;script&#62;<!--",
    "\r\n::error file=x::y\u2028\u2029",
    "=cmd|' /C calc'!A0",
    "{0.__class__} %s",
)
EVERYTHING = " ".join(ATTACKS)
HIDDEN = [c for c in EVERYTHING if not c.isprintable() and c not in "\n "]
"""Control, format and separator characters that no output may hold."""
KEPT = {"schema", "outcome", "exit_code", "pass", "baseline"}
"""Keys whose values the schema closes."""


def hostile(result: Result, attack: str = EVERYTHING) -> Result:
    """Return the result with every string that the schema leaves open attacked at both ends."""

    def poison(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            open_keys = key in {
                "digests",
                "tools",
                "columns",
                "client",
                "drops",
                "disposition",
                "attest",
                "target",
                "transport",
            }
            return {
                (
                    name + attack
                    if open_keys
                    and name
                    not in {"name", "kind", "recipient", "title", "is_official", "question"}
                    else name
                ): poison(item, name)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [poison(item, key) for item in value]
        if isinstance(value, str) and key not in KEPT:
            return attack + value + attack
        return value

    return Result.model_validate(
        poison(copy.deepcopy(result.model_dump(mode="json", by_alias=True)))
    )
