"""Entry point of ``audit``: one explicit list of commands, loaded when they are called."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from typing import Final

import click

from audit import __version__
from audit.cli.lazy import LazyGroup
from audit.cli.output import error
from audit.errors import AuditError

COMMANDS: Final = {
    "demo": ("audit.cli.demo", "Record real clients in the lab, audit them, write the reports."),
    "record": ("audit.cli.record", "Record a client into a bundle (or two)."),
    "mark": ("audit.cli.mark", "Note an action in the recording that runs."),
    "import": ("audit.cli.import_", "Make a bundle of capture files that exist."),
    "probe": (
        "audit.cli.probe",
        "Send a tagged request or a canary, to be looked for later.",
    ),
    "run": ("audit.cli.run", "Judge captures against a policy and write the report."),
    "report": ("audit.cli.report", "Render a result again, in any format."),
    "diff": ("audit.cli.diff", "Compare two results of one client, release to release."),
    "history": ("audit.cli.history", "Keep results in a file, show the trend across releases."),
    "live": ("audit.cli.live", "Run a proxy that shows violations as they happen."),
    "verify": ("audit.cli.verify", "Check every digest of a bundle, or of a report's captures."),
    "redact": ("audit.cli.redact", "Write a copy of a bundle that can be handed to a stranger."),
    "tables": ("audit.cli.tables", "Print the evidence tables of a capture."),
    "policy": ("audit.cli.policy", "Lint and test policies, list what they cover."),
    "doctor": ("audit.cli.doctor", "Say what this machine can and cannot record."),
}
"""Name -> module (its command is called ``command``) and one line of help."""


@click.group(
    cls=LazyGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="audit")
def cli() -> None:
    """Audits a client against its privacy policy, clause by clause.

    Records a real client, judges the recording by the policy's checks, and writes a report
    that says which promises were kept, broken, not exercised or could not be observed.

    Exit codes: 0 the gate holds, 1 a blocked violation, 2 a wrong call or file, 3 unreadable
    evidence or a failed recording, 4 unproven, 5 only expired waivers.
    """


def main() -> None:
    """Run the command line; an :class:`AuditError` becomes one sentence and its exit code."""
    _save_time()
    try:
        code = cli.main(standalone_mode=False)
    except AuditError as problem:
        error(str(problem))
        code = problem.exit_code
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        error("stopped by the user; what was recorded so far is kept")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as problem:
        error(f"{problem.filename or 'system'}: {problem.strerror or problem}")
        code = 3
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, and is never taken for a verdict
        traceback.print_exc()
        error("this is a bug in the toolkit, not a verdict; please report the lines above")
        code = 3
    sys.exit(code if isinstance(code, int) else 0)


def _save_time() -> None:
    """Spare a short run what it has no use for.

    A run keeps nearly all that it makes, so the collector of cycles, which looks through it again
    and again, seldom finds any. pandas imports pyarrow where it happens to be installed; no table
    needs it, and hidden it can change none: only :mod:`audit.cli.exporting` takes it out again.
    """
    gc.set_threshold(100_000, 50, 50)
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
