"""One entry under atheris: inputs are bred by what lines of the readers they reach.

    python -m fuzz.guided ENTRY FOLDER [libFuzzer options]

Needs atheris on the path, which ``make fuzz`` installs into a folder of its own.
"""

from __future__ import annotations

import contextlib
import sys
import warnings


def main() -> None:
    """Fuzz until libFuzzer's own bound; an input that breaks the entry ends it with a traceback."""
    import atheris

    name = sys.argv[1]
    with atheris.instrument_imports(include=["audit"]):
        from fuzz.child import fitting
        from fuzz.corpus import made
        from fuzz.entries import entry

    read = entry(name)
    files = made()
    for data in (b"", *(files[one] for one in fitting(read, files))):
        with contextlib.suppress(Exception):  # a fault will show itself below
            read(data)  # what is imported and compiled late is so before any input counts
    warnings.simplefilter("error")

    def once(data: bytes) -> None:
        read(data)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
