"""Lint's rules of honesty (E2xx): what would let a check say more than its evidence does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from audit.checks.policy import LoadedCheck, Policy
from audit.tables.vocabulary import Capability, Platform
from audit.yamlfile.expectation import NoJoin, Some
from audit.yamlfile.located import Path
from audit.yamlfile.problem import Problem

FILLED_BY: Final[Mapping[str, tuple[Capability, ...]]] = {
    "identifier_hits": ("identifiers.planted",),
    "manifest_entries": ("app.package",),
    "config_entries": ("server.config",),
    "log_lines": ("server.logs",),
    "db_records": ("server.records",),
    "settings": ("app.settings",),
    "ui_fields": ("app.screens",),
    "local_files": ("app.files",),
    "cookies": ("browser.storage",),
    "web_storage": ("browser.storage",),
    "dns_queries": ("dns.seen",),
    "tls_handshakes": ("tls.metadata",),
    "http_requests": ("transport.opened", "onion.opened"),
    "http_responses": ("transport.opened", "onion.opened"),
    "websocket_messages": ("transport.opened", "onion.opened"),
    "stun_messages": ("packets.all_interfaces",),
    "conversations": (
        "packets.all_interfaces",
        "process.attribution",
        "transport.opened",
        "tls.metadata",
    ),
}
"""Table -> capabilities one of which must be observed: without it the table is empty, and an empty
table would pass (E208). Tables that are not here are filled by every recording."""

SUPPLIED_ON: Final[Mapping[str, frozenset[Platform]]] = {
    "app.screens": frozenset({"android", "ios", "desktop"}),
    "app.package": frozenset({"android", "ios", "desktop"}),
    "app.settings": frozenset({"android", "ios", "desktop"}),
    "browser.storage": frozenset({"web"}),
    "browser.scripts": frozenset({"web"}),
    "server.logs": frozenset({"server", "web"}),
    "server.records": frozenset({"server", "web"}),
    "server.config": frozenset({"server", "web"}),
}
"""Capability -> platforms that can have it (E203); others, everywhere."""

_SPACE: Final = re.compile(r"\s+")


def honesty_problems(policy: Policy, check: LoadedCheck) -> Iterator[Problem]:
    """Yield what keeps a check from being honest."""
    yield from _quote(policy, check)
    yield from _tables(check)
    yield from _scope(check)
    yield from _attest(check)
    yield from _examples(check)


def squeeze(text: str) -> str:
    """Return text with every run of white space as one space."""
    return _SPACE.sub(" ", text).strip()


def _quote(policy: Policy, check: LoadedCheck) -> Iterator[Problem]:
    clause = check.file.clause
    _, _, edition = clause.policy.partition("@")
    declared = policy.clauses[clause.id]
    edition = edition or declared.edition or policy.file.editions[0].id
    text = squeeze(policy.texts[edition])
    quotes: list[tuple[Path, str | None]] = [
        (("clause", "quote"), clause.quote),
        (("clause", "discloses"), clause.discloses),
    ]
    for path, quote in quotes:
        if quote is not None and squeeze(quote) not in text:
            yield check.located.problem(
                path,
                "E201",
                f"these words do not stand in edition '{edition}' of the policy",
                hint="quote verbatim; white space alone may differ",
            )
    if squeeze(clause.quote) not in squeeze(declared.quote):
        yield check.located.problem(
            ("clause", "quote"), "E201", f"these are not the words of clause '{clause.id}'"
        )


def _tables(check: LoadedCheck) -> Iterator[Problem]:
    observed = {item.capability for item in check.file.observe}
    for path, table in _tables_read(check):
        needed = FILLED_BY.get(table)
        if needed and not observed.intersection(needed):
            yield check.located.problem(
                path,
                "E208",
                f"'{table}' is read and nothing observes that it was filled: empty, it would pass",
                hint=f"observe {' or '.join(needed)}",
            )


def _tables_read(check: LoadedCheck) -> Iterator[tuple[Path, str]]:
    for index, item in enumerate(check.file.expect):
        if isinstance(item, NoJoin):
            yield ("expect", index, "left", "from"), item.left.from_
            yield ("expect", index, "right", "from"), item.right.from_
        elif not isinstance(item, Some):
            yield ("expect", index, "from"), item.from_
    for index, unsure in enumerate(check.file.unsure):
        yield ("unsure", index, "from"), unsure.from_


def _scope(check: LoadedCheck) -> Iterator[Problem]:
    scope = check.file.scope
    if scope is None:
        return
    for index, item in enumerate(check.file.observe):
        platforms = SUPPLIED_ON.get(item.capability)
        if platforms is not None and not platforms.intersection(scope.platforms):
            yield check.located.problem(
                ("observe", index, "capability"),
                "E203",
                f"no platform in scope can supply {item.capability}",
                allowed=tuple(sorted(platforms)),
            )


def _attest(check: LoadedCheck) -> Iterator[Problem]:
    if check.file.attest is not None:
        return
    for index, item in enumerate(check.file.observe):
        if item.capability.startswith("server."):
            yield check.located.problem(
                ("observe", index),
                "W206",
                "what a server keeps may not be observable, and 'attest' does not say who could "
                "vouch for it",
            )
            return


def _examples(check: LoadedCheck) -> Iterator[Problem]:
    shown = {example.verdict for example in check.file.tests}
    missing = [word for word in ("pass", "fail", "not_observable") if word not in shown]
    if missing:
        yield check.located.problem(
            ("tests",), "W301", f"no example shows the verdict {' or '.join(missing)}", at="key"
        )
