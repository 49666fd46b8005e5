"""Drives a recorded browser: ``python -m audit.record.browser_driver``, in the client's place.

Facts stand in the file that ``AUDIT_BROWSER`` names; a line of JSON for each action goes to
standard output, and each is answered on standard input once it is in the journal.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from audit.errors import AuditError
from audit.record import browser_recording
from audit.record.browser_launch import BrowserFacts, read_facts
from audit.record.browser_recording import recording, subject_of
from audit.record.browser_steps import Performer
from audit.yamlfile.steps import StepsFile, default_steps


def main() -> int:
    """Perform the steps, or run the test; returns the exit code."""
    facts = read_facts(Path(os.environ["AUDIT_BROWSER"]))
    try:
        if facts.test:
            return _run_test(facts.test)
        _perform(facts)
    except AuditError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _perform(facts: BrowserFacts) -> None:
    steps = StepsFile.model_validate(facts.steps) if facts.steps else default_steps()
    with recording() as made:
        Performer(
            recording=made,
            steps=steps,
            subject=subject_of(dict(os.environ)),
            start=facts.start,
            consent=facts.consent,
        ).run()


def _run_test(file: str) -> int:
    """Run a test file of the auditor's; its own output goes to standard error."""
    import pytest

    browser_recording.lines_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-s", file]))


if __name__ == "__main__":
    sys.exit(main())
