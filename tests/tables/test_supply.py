"""What is said to fill a table is what does, and what is to come does not come yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import audit
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.tables.supply import (
    CAPABILITIES_TO_COME,
    CAPABILITY_PLATFORMS,
    SELDOM_FILLED,
    TABLE_SUPPLY,
    platforms_of_table,
)
from audit.tables.vocabulary import CAPABILITIES, PLATFORMS

ROOMS = ("readers", "evidence", "bundle", "identifiers", "record")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for room in ROOMS
    for path in sorted((Path(audit.__file__).parent / room).rglob("*.py"))
)


def is_written(table: str) -> bool:
    """Whether some reader adds rows to a table, or evidence makes it."""
    made = rf'(\.add\(\s*"{table}"|rows\["{table}"\]|setdefault\(\s*"{table}"|"{table}":|rows\.get\("{table}")'
    return re.search(made, SOURCES) is not None


def test_every_table_has_a_supply():
    assert set(TABLE_SUPPLY) == set(TABLES)
    for supply in TABLE_SUPPLY.values():
        assert set(supply.capabilities) <= set(CAPABILITIES)


@pytest.mark.parametrize("table", [name for name in TABLES if not TABLE_SUPPLY[name].to_come])
def test_a_table_that_is_not_to_come_is_filled_by_some_reader(table):
    assert is_written(table)


@pytest.mark.parametrize("table", [name for name in TABLES if TABLE_SUPPLY[name].to_come])
def test_a_table_to_come_hangs_on_a_capability_to_come(table):
    assert set(TABLE_SUPPLY[table].capabilities) <= set(CAPABILITIES_TO_COME)


@pytest.mark.parametrize("capability", CAPABILITIES_TO_COME)
def test_a_capability_to_come_is_granted_nowhere(capability):
    assert f'"{capability}"' not in SOURCES


@pytest.mark.parametrize(("table", "column"), SELDOM_FILLED)
def test_a_column_that_few_captures_fill_is_filled_by_some(table, column):
    assert column in columns_of(table)
    assert f'"{column}"' in SOURCES


def test_platforms_are_platforms():
    assert set(CAPABILITY_PLATFORMS) <= set(CAPABILITIES)
    assert all(platforms <= set(PLATFORMS) for platforms in CAPABILITY_PLATFORMS.values())
    assert platforms_of_table("cookies") == {"web"}
    assert platforms_of_table("conversations") == set(PLATFORMS)
