"""Writes the generated reference pages; with ``--check`` only says which are out of date."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit.tables import vocabulary
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by 'make docs' from the code; do not edit. -->\n\n"


def tables_page() -> str:
    """Every table with its columns, types and meanings."""
    lines = [
        "# Evidence tables\n",
        "One section a table; the columns stand in the order of `audit tables`.\n",
    ]
    for table, model in TABLES.items():
        lines += [
            f"## `{table}`\n",
            (model.__doc__ or "").strip() + "\n",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {column.type} | {column.meaning} |"
            for name, column in columns_of(table).items()
        ]
        lines.append("")
    return NOTE + "\n".join(lines)


def vocabulary_page() -> str:
    """Every closed vocabulary."""
    names = (
        "Capability",
        "Action",
        "Phase",
        "Kind",
        "Form",
        "Location",
        "Direction",
        "Transport",
        "Content",
        "SeenAs",
        "Process",
        "ProcessBasis",
        "Vantage",
        "Pass",
        "Driver",
        "Tap",
        "Platform",
        "Severity",
    )
    lines = ["# Closed vocabularies\n", "A word that is not here is an error at its place.\n"]
    for name in names:
        words = vocabulary.get_args(getattr(vocabulary, name))
        lines.append(f"- **{name}**: " + " ".join(f"`{word}`" for word in words))
    return NOTE + "\n".join(lines) + "\n"


PAGES = {"tables.md": tables_page, "vocabularies.md": vocabulary_page}


def main() -> int:
    """Write the pages, or with ``--check`` report those that differ."""
    stale = []
    for name, page in PAGES.items():
        path = REFERENCE / name
        if not path.exists() or path.read_text(encoding="utf-8") != page():
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(page(), encoding="utf-8")
    if "--check" in sys.argv and stale:
        print("out of date, run 'make docs': " + ", ".join(stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
