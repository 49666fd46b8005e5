"""Named lists: values with source and date; hosts stand for everything below them."""

from __future__ import annotations

from dataclasses import dataclass

from audit.yamlfile.lists import ListFile


def host_is_below(host: str, domains: frozenset[str]) -> bool:
    """Whether a host equals one of the domains or lies below it at a label edge."""
    if host in domains:
        return True
    at = host.find(".")
    while at >= 0:
        if host[at + 1 :] in domains:
            return True
        at = host.find(".", at + 1)
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedList:
    """A list as conditions use it."""

    id: str
    source: str
    date: str
    values: frozenset[str]
    """Lower case; a trie of suffixes is a set of them, asked once a label."""
    exact: frozenset[str]
    """As written, for columns that are no hosts."""


def make_named_list(file: ListFile) -> NamedList:
    """Return the list of a file."""
    values = [entry.value for entry in file.entries]
    return NamedList(
        id=file.id,
        source=file.source,
        date=file.date,
        values=frozenset(value.lower().rstrip(".") for value in values),
        exact=frozenset(values),
    )
