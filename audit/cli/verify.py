"""``audit verify``: every digest of a bundle, or of the captures that a report speaks of."""

from __future__ import annotations

import json
from pathlib import Path

import click

from audit.bundle.folder import Bundle, open_bundle
from audit.bundle.layout import MANIFEST
from audit.cli.output import say
from audit.cli.place import CAPTURES
from audit.errors import CaptureError, UsageError


@click.command(name="verify", help="Check every digest of a bundle, or of a report's captures.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--capture",
    "captures",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where a report's captures lie; default: found by digest under captures/.",
)
def command(path: Path, captures: tuple[Path, ...]) -> None:
    """Check a bundle (a folder with capture.json) or a report (a folder with result.json)."""
    if (path / MANIFEST).exists():
        _say_whole(open_bundle(path))
        return
    result = path / "result.json" if path.is_dir() else path
    if not result.is_file():
        raise UsageError(
            "neither a bundle nor a report", source=str(path), hint="name a folder of either kind"
        )
    wanted = _captures_of(result)
    found = {bundle.digest: bundle for bundle in _bundles(captures)}
    for name, digest in wanted:
        if digest not in found:
            raise CaptureError(
                f"no capture here has the digest {digest[:16]}… of {name}",
                source=str(result),
                hint="name its folder with --capture",
            )
        _say_whole(found[digest])


def _say_whole(bundle: Bundle) -> None:
    if bundle.manifest.status != "complete":
        raise CaptureError(
            "the recorder did not finish, so there are no digests to check",
            source=str(bundle.folder),
            hint="'audit run' judges it as truncated; record again for evidence that can pass",
        )
    count = len(bundle.manifest.files)
    state = "as recorded" + "".join(f"; {why}" for why in bundle.truncated)
    say(f"{bundle.manifest.id}: {count} files, digest {bundle.digest[:16]}…: {state}")


def _captures_of(result: Path) -> list[tuple[str, str]]:
    try:
        data = json.loads(result.read_text(encoding="utf-8"))
        return [(capture["id"], capture["digest"]) for capture in data["captures"]]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise CaptureError(f"this is no result: {problem!r}", source=str(result)) from None


def _bundles(named: tuple[Path, ...]) -> list[Bundle]:
    folders = named or tuple(path.parent for path in sorted(CAPTURES.glob(f"**/{MANIFEST}")))
    bundles = []
    for folder in folders:
        try:
            bundles.append(open_bundle(folder))
        except CaptureError:
            if named:
                raise
    return bundles
