"""Writes the generated reference pages; with ``--check`` only says which are out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from authoring_pages import files_page, lint_codes_page, modifiers_page, result_page

import audit
from audit.authoring.schema import schema_of
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


def _observed(check: Any) -> str:
    names = (
        item.capability + (f" ({item.source})" if item.source else "")
        for item in check.file.observe
    )
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _check_line(check: Any) -> str:
    file = check.file
    scope = " ".join(file.scope.platforms) if file.scope else "all"
    attest = ", ".join(file.attest.by) if file.attest else ""
    status = "" if file.status == "stable" else f", {file.status}"
    return (
        f"| `{file.id}` | {file.title} | {file.severity}{status} | {scope} "
        f"| {_observed(check)} | {attest} |"
    )


def clauses_page() -> str:
    """Every sentence of every shipped policy, its checks, what they observe, who can attest."""
    from audit.checks.load import load_policy
    from audit.checks.shipped import shipped_policies

    lines = ["# Policies, sentence by sentence\n"]
    for folder in shipped_policies():
        policy = load_policy(folder)
        lines.append(f"## {policy.file.title} (`{policy.id}`)\n")
        for clause in policy.file.clauses:
            lines += [
                f"### `{clause.id}`\n",
                f"> {clause.quote}\n",
                "| check | what it holds | severity | platforms | observes | else attested by |",
                "|---|---|---|---|---|---|",
                *(_check_line(item) for item in policy.checks if item.file.clause.id == clause.id),
                "",
            ]
    return NOTE + "\n".join(lines)


PAGES = {
    "clauses.md": clauses_page,
    "files.md": lambda: NOTE + files_page(),
    "lint-codes.md": lambda: NOTE + lint_codes_page(),
    "modifiers.md": lambda: NOTE + modifiers_page(),
    "result.md": lambda: NOTE + result_page(),
    "tables.md": tables_page,
    "vocabularies.md": vocabulary_page,
}


def result_schema() -> str:
    """Return the JSON Schema that travels in the package."""
    return json.dumps(schema_of("result"), ensure_ascii=False, indent=1) + "\n"


FILES = {REFERENCE / name: page for name, page in PAGES.items()}
FILES[Path(audit.__file__).parent / "model" / "result.schema.json"] = result_schema


def main() -> int:
    """Write the pages, or with ``--check`` report those that differ."""
    stale = []
    for path, page in FILES.items():
        if not path.exists() or path.read_text(encoding="utf-8") != page():
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(page(), encoding="utf-8")
    if "--check" in sys.argv and stale:
        print("out of date, run 'make docs': " + ", ".join(stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
