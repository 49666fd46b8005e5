"""What an expectation demands, in a sentence for people who never saw a table of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.checks.program import CompiledExpectation, JoinExpectation
from audit.yamlfile.expectation import Every, NoneOf, Uniform

ROWS: Final[Mapping[str, tuple[str, str]]] = {
    "captures": ("recording", "recordings"),
    "events": ("event", "events"),
    "http_requests": ("request", "requests"),
    "http_responses": ("answer", "answers"),
    "websocket_messages": ("WebSocket message", "WebSocket messages"),
    "dns_queries": ("look-up of a name", "look-ups of names"),
    "tls_handshakes": ("TLS handshake", "TLS handshakes"),
    "conversations": ("conversation", "conversations"),
    "stun_messages": ("STUN message", "STUN messages"),
    "identifier_hits": ("value of the test subject", "values of the test subject"),
    "controls": ("control", "controls"),
    "cookies": ("cookie", "cookies"),
    "web_storage": ("value stored in the browser", "values stored in the browser"),
    "script_calls": (
        "call of what tells browsers apart",
        "calls of what tells browsers apart",
    ),
    "page_requests": ("request of a page", "requests of a page"),
    "page_forms": ("form of a page", "forms of a page"),
    "log_lines": ("line of a log", "lines of a log"),
    "db_records": ("record of a database", "records of a database"),
    "manifest_entries": ("entry of the program's package", "entries of the program's package"),
    "settings": ("setting", "settings"),
    "ui_fields": ("field on a screen", "fields on a screen"),
    "config_entries": ("entry of a configuration", "entries of a configuration"),
    "local_files": ("file on the device", "files on the device"),
}
"""Table -> what one row of it is, and several."""


def demand(expectation: CompiledExpectation) -> str:
    """Return what the expectation demands, as the end of a sentence: no capital, no full stop."""
    item = expectation.item
    if isinstance(expectation, JoinExpectation):
        left, right = expectation.tables
        return (
            f"no such {_one(right)} may have the same {_words(expectation.right_key.text)} "
            f"as the {_words(expectation.left_key.text)} of {_article(_one(left))}"
        )
    table = expectation.item.from_
    if isinstance(item, NoneOf):
        return f"there may be no such {_one(table)}"
    if isinstance(item, Every):
        return f"every such {_one(table)} must be as the check says, and this one is not"
    if isinstance(item, Uniform):
        groups = " and ".join(map(_words, item.group_by))
        each = f" with the same {groups}" if groups else ""
        return f"the {_words(item.field)} must be the same in all {rows_of(table)}{each}"
    if expectation.min == 1:
        return f"there must be at least one such {_one(table)}"
    return f"there must be at least {expectation.min} such {rows_of(table)}"


def counted(n: int, table: str) -> str:
    """Return a number of rows in words, such as ``3 conversations``."""
    return f"{n} {_one(table) if n == 1 else rows_of(table)}"


def _one(table: str) -> str:
    return ROWS[table][0] if table in ROWS else f"row of {table}"


def rows_of(table: str) -> str:
    """Return what several rows of a table are."""
    return ROWS[table][1] if table in ROWS else f"rows of {table}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def _words(column: str) -> str:
    return "recording" if column == "capture" else column.replace("_", " ").replace(".", " ")
