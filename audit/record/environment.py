"""A target's own Python environment: made once, from hashed requirements, apart from ours."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audit.errors import SetupError

REQUIREMENTS: Final = "requirements.txt"
_READY: Final = ".complete"
"""Written last: without it an environment is half made."""
_MAKE_LIMIT_S: Final = 120.0
_INSTALL_LIMIT_S: Final = 900.0
_KEPT: Final = (
    "HOME", "PATH", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "NETRC",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip
"""What the machine may need to reach its package index, beside ``PIP_*``; for pip alone."""


def prepare_environment(target_folder: Path, cache: Path) -> Path:
    """Return the Python of a target's environment below ``cache``, making it if need be.

    An environment is known by its requirements' digest and the Python version, so a changed
    requirement makes a new one; a half-made one is made again. Raises :class:`SetupError`.
    """
    requirements = target_folder / REQUIREMENTS
    folder = environment_folder(target_folder, cache)
    python = folder / "bin" / "python"
    if (folder / _READY).exists() and python.exists():
        return python
    with _alone(folder):
        if not ((folder / _READY).exists() and python.exists()):
            _make(folder, python, requirements)
    return python


def environment_folder(target_folder: Path, cache: Path) -> Path:
    """Return where a target's environment belongs; raises :class:`SetupError`."""
    requirements = target_folder / REQUIREMENTS
    try:
        digest = hashlib.sha256(requirements.read_bytes())
    except OSError as error:
        raise SetupError(
            f"the target's requirements cannot be read: {error.strerror}", source=str(requirements)
        ) from None
    digest.update(f"{sys.implementation.name} {platform.python_version()}".encode())
    return cache.absolute() / f"{target_folder.resolve().name}-{digest.hexdigest()[:16]}"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock beside the folder: recordings may start side by side."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = folder.with_name(folder.name + ".lock").open("w", encoding="ascii")
    except OSError as error:
        raise SetupError(
            f"there is no place for the client's environment: {error.strerror}",
            source=str(folder.parent),
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    _run(
        [sys.executable, "-m", "venv", str(folder)],
        env,
        _MAKE_LIMIT_S,
        "a virtual environment cannot be made",
        source=str(folder),
        hint="on Debian install python3-venv",
    )
    _run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes",
         "--disable-pip-version-check", "--requirement", str(requirements)],
        env,
        _INSTALL_LIMIT_S,
        "the client's packages cannot be installed",
        source=str(requirements),
        hint="pip must reach a package index; settings of pip and proxy variables are passed on",
    )  # fmt: skip
    (folder / _READY).touch()


def _run(
    command: list[str], env: dict[str, str], limit_s: float, what: str, *, source: str, hint: str
) -> None:
    try:
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{what} within {limit_s:g} s", source=source, hint=hint) from None
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").strip().splitlines() or ["no reason given"]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1])
        raise SetupError(f"{what}: {said[:300]}", source=source, hint=hint)
