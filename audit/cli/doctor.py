"""``audit doctor``: what this machine can and cannot record, and how to mend it."""

from __future__ import annotations

import json

import click

from audit.cli.output import say


@click.command(name="doctor", help="Say what this machine can and cannot record.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Try every rung of the ladder whole, and name what is missing."""
    from audit.record.doctor import examine

    report = examine()
    if as_json:
        say(json.dumps(report, indent=2, sort_keys=True))
        return
    say(f"Recordings here use the vantage: {report['vantage'] or 'none works'}")
    for fact in report["facts"]:
        say(f"{'works' if fact['works'] else 'MISSING':8} {fact['name']}: {fact['text']}")
        for way in fact["mend"]:
            say(f"{'':8} mend: {way}")
    say("versions " + ", ".join(f"{tool} {text}" for tool, text in report["tools"].items()))
