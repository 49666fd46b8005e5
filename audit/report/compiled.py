"""Templates compiled once, kept as Python keeps compiled modules: in ``__pycache__``."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import BytecodeCache

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Keeps what compiling the templates gave; a template that changed is compiled anew.

    Where the folder cannot be written nothing is kept, and nothing is said: as Python does.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is None:
            templates = resources.files("audit.report") / "templates"
            self._folder = templates / "__pycache__" if isinstance(templates, Path) else None

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket with what is kept, if it fits the template's text and this Python."""
        path = self._path(bucket)
        if path is not None:
            with contextlib.suppress(OSError), path.open("rb") as file:
                bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, whole or not at all."""
        path = self._path(bucket)
        if path is None or sys.dont_write_bytecode:
            return
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            descriptor, part = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                bucket.write_bytecode(file)
            Path(part).replace(path)

    def _path(self, bucket: Bucket) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{bucket.key}.{sys.implementation.cache_tag}.jinja"
