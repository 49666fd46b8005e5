"""``audit verify``: a bundle by its digests; a report by its bundles, its time stamp, and anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audit.bundle.folder import Bundle, digest_file, joint_digest, open_bundle
from audit.bundle.layout import MANIFEST
from audit.cli.calling import judging_options
from audit.cli.output import say
from audit.cli.place import CAPTURES, existing_file
from audit.errors import CaptureError, UsageError


@click.command(
    name="verify", help="Check a bundle's digests, or that a report belongs to its captures."
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--capture",
    "captures",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where a report's captures lie; default: found by digest under captures/.",
)
@click.option("--again", is_flag=True, help="Judge the captures again, compare byte for byte.")
@judging_options("With --again: as the first run was given.")
@click.option("--timestamp", metavar="URL", help="First get a time stamp (RFC 3161) from URL.")
@click.option(
    "--trust", type=click.Path(path_type=Path), help="Certificates (PEM) a time stamp may end in."
)
def command(
    path: Path,
    captures: tuple[Path, ...],
    again: bool,
    timestamp: str | None,
    trust: Path | None,
    **given: Any,
) -> None:
    """Check a bundle (a folder with capture.json) or a report (a folder with result.json)."""
    if (path / MANIFEST).exists():
        if again or timestamp or trust:
            raise UsageError("--again, --timestamp and --trust speak of a report", source=str(path))
        _say_whole(open_bundle(path))
        return
    file = path / "result.json" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            "neither a bundle nor a report", source=str(path), hint="name a folder of either kind"
        )
    from audit.cli.judging import Call
    from audit.cli.verifying import (
        check_captures,
        check_files,
        judge_again,
        moment_of,
        target_of,
    )
    from audit.model.reading import read_result

    result = read_result(file)
    say(check_files(file.parent))
    judged = check_captures(result, _there(captures), file)
    for one in judged:
        if isinstance(one, Bundle):
            _say_whole(one)
        else:
            names = ", ".join(path.name for path in one)
            say(f"{names}: the file{'s that were' if one[1:] else ' that was'} judged")
    _check_time(file, timestamp, trust)
    if not again:
        say("the verdicts were not judged again: --again does that")
        return
    given["policy"] = given["policy"] or result.policy.id
    given["target"] = given["target"] or target_of(result)
    call = Call(**given, as_of=moment_of(result))
    judge_again(result, file.read_bytes(), judged, call)
    say(f"judged again as of {result.as_of}: the same result, byte for byte")


def _check_time(file: Path, url: str | None, trust: Path | None) -> None:
    """Get a token if asked to, and check the one that lies beside the result."""
    from audit.cli.judging import write_whole
    from audit.cli.timestamps import BESIDE, check, read_token, stamp

    data = file.read_bytes()
    if url is not None:
        write_whole(file.parent / BESIDE, stamp(data, url))
    token = read_token(file.parent)
    if token is None:
        if trust is not None:
            raise UsageError("no time stamp lies beside the result", source=str(file.parent))
        return
    found = check(data, token, existing_file(trust).read_bytes() if trust else b"")
    state = "trusted" if found.is_trusted else "nobody was named to trust, see --trust"
    moment = found.made_at.isoformat().replace("+00:00", "Z")
    say(f"the result existed at {moment}, says {found.signer} ({state})")


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


def _there(named: tuple[Path, ...]) -> dict[str, Bundle | tuple[Path, ...]]:
    """Return digest -> capture: those named, else the bundles below captures/.

    Bare files are there one by one, and as the files of one recording.
    """
    folders = named or tuple(path.parent for path in sorted(CAPTURES.glob(f"**/{MANIFEST}")))
    bare = {path: digest_file(path) for path in folders if path.is_file()}
    found: dict[str, Bundle | tuple[Path, ...]] = {digest: (path,) for path, digest in bare.items()}
    if len(bare) > 1:
        found[joint_digest({path.name: digest for path, digest in bare.items()})] = tuple(bare)
    for folder in folders:
        if folder in bare:
            continue
        try:
            bundle = open_bundle(folder)
        except CaptureError:
            if named:
                raise
        else:
            found[bundle.digest] = bundle
    return found
