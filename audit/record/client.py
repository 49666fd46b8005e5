"""The audited program: where it lies, what it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from audit.bundle.folder import digest_file
from audit.bundle.manifest import Client
from audit.errors import SetupError
from audit.record.distribution import find_distribution
from audit.record.plan import RecordPlan


def resolve_command(command: list[str], what: str = "client") -> list[str]:
    """Return the command line with the program as an absolute path.

    Links are kept: the Python of a virtual environment is one. Raises :class:`SetupError` where
    there is no such program.
    """
    if not command:
        raise SetupError(f"no {what} was named", hint="give a command line after '--'")
    program = command[0]
    found = shutil.which(program)
    if found is None:
        there = Path(program).exists()
        raise SetupError(
            f"the {what} {'is no program that may be run' if there else 'was not found'}",
            source=program,
            hint="give the path of an executable file"
            if "/" in program
            else "it is not on the PATH; give its path",
        )
    return [os.path.abspath(found), *command[1:]]  # noqa: PTH100 - resolve() would follow links


def describe_client(plan: RecordPlan, argv: list[str], shown: tuple[str, ...]) -> Client:
    """Return name, version and digest of what is going to run.

    Raises :class:`SetupError` for a driver whose environment lacks the target's package.
    """
    app = plan.target.app if plan.target else None
    name = app.name if app else Path(argv[0]).name
    version = app.version if app else None
    digest: str | None = None
    if app and app.distribution:
        installed = find_distribution(Path(argv[0]), app.distribution)
        if installed is None and plan.speaks_protocol:
            raise SetupError(
                f"the client's package {app.distribution} is not installed beside its Python",
                source=argv[0],
                hint="install the target's requirements.txt into that environment",
            )
        if installed is not None:
            version, digest = installed.version, installed.digest
    if plan.browser:
        version, digest = None, digest_file(Path(plan.browser.program).resolve())
    return Client(
        name=name,
        version=version,
        digest=digest or digest_file(Path(argv[0])),
        command=shown,
        companion=plan.companion,
    )
