"""``audit policy coverage``: every clause with its checks, and what nothing can observe yet."""

from __future__ import annotations

import json

import click

from audit.cli.output import say


@click.command(name="coverage")
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(policy: str | None, as_json: bool) -> None:
    """List every clause with its checks; clauses without a check are listed, too."""
    from audit.authoring.coverage import clause_coverage, not_yet
    from audit.checks.load import load_policy
    from audit.checks.targets import find_policy

    loaded = load_policy(find_policy(policy))
    coverage = clause_coverage(loaded)
    if as_json:
        click.echo(json.dumps(coverage, ensure_ascii=False, indent=2))
        return
    later = not_yet(loaded)
    for clause in coverage["clauses"]:
        if not clause["checks"]:
            say(f"{clause['id']}: no check yet")
            continue
        say(f"{clause['id']}: {', '.join(clause['checks'])}")
        for name in clause["checks"]:
            if name in later:
                who = " (somebody can attest)" if name in clause["attest"] else ""
                say(f"  {name} is not observable yet{who}: {later[name]}")
    without = sum(not clause["checks"] for clause in coverage["clauses"])
    say(f"{len(coverage['clauses'])} clauses, {without} without a check")
