"""What ``audit run`` and ``audit demo`` share: captures to a result, a result to files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import audit
from audit.bundle.folder import Bundle, open_bundle
from audit.bundle.identity import Identity, read_identity
from audit.cli.comparing import compared, require_installs
from audit.cli.output import note, progress
from audit.cli.place import existing_file
from audit.errors import CaptureError, SetupError, UsageError
from audit.report.formats import DEFAULT, FORMATS, PolicyPlace, chosen_formats
from audit.report.handover import handover
from audit.tables.vocabulary import KINDS

if TYPE_CHECKING:
    from audit.checks.policy import Policy
    from audit.checks.targets import Recorded
    from audit.evidence.context import EvidenceContext
    from audit.evidence.imports import BareOptions
    from audit.identifiers.redaction import Redactor
    from audit.model.result import Result
    from audit.tables.evidence import CaptureEvidence

SHORTEST: Final = 2
"""Characters of the shortest value that a person may name (a language such as ``de``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The captures of one call, before their evidence is read."""

    bundles: tuple[Bundle, ...]
    files: tuple[Path, ...]
    """Bare capture files."""

    @property
    def targets(self) -> set[tuple[str | None, str | None]]:
        """Policy and target that the bundles name."""
        return {(bundle.manifest.policy, bundle.manifest.target) for bundle in self.bundles}

    @property
    def recorded(self) -> Recorded:
        """Policy and target that a bundle names; both ``None`` where there are bare files alone."""
        from audit.checks.targets import Recorded

        policy, target = next(iter(self.targets), (None, None))
        return Recorded(policy=policy, target=target)


def open_captures(paths: Sequence[Path]) -> Opened:
    """Open bundles and note bare files; raises :class:`CaptureError` or :class:`UsageError`."""
    from audit.readers.inputs import recognise

    bundles: list[Bundle] = []
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            bundles.append(open_bundle(path))
        elif not path.exists() and not set("*?[").intersection(path.name):
            raise CaptureError("there is no such capture", source=str(path))
        else:
            recognise(path)
            files.append(path)
    opened = Opened(bundles=tuple(bundles), files=tuple(files))
    places = [path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise UsageError("this capture is named twice", source=str(path))
    if len(opened.targets) > 1:
        names = ", ".join(sorted(str(target) for _, target in opened.targets))
        raise UsageError(
            f"these captures are of different targets: {names}",
            hint="one result speaks of one target; call 'audit run' for each",
        )
    return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call says beside the captures."""

    policy: str | None = None
    target: str | None = None
    identity: Path | None = None
    gate: Path | None = None
    waivers: Path | None = None
    attestations: Path | None = None
    baseline: Path | None = None
    """Earlier result of the same client."""
    exit_zero: bool = False
    """Whether the exit code is 0 whatever the gate says; the report says so."""
    as_of: datetime | None = None
    """Moment of judging, UTC; ``None``: now."""
    mixed: bool = False
    together: bool = False
    """Whether the bare files are of one recording."""
    tls_keys: Path | None = None
    journal: Path | None = None
    """What was done while the bare files were recorded."""
    vouched_by: str | None = None
    compare_installs: bool = False
    """Whether values that tell installs apart are reported."""


def judge(paths: Sequence[Path], call: Call) -> Result:
    """Read captures, evaluate every check, decide the gate, and return the redacted result."""
    opened = open_captures(paths)
    if call.identity is None:
        _prepare(opened)
    return _judge(opened, call)


def _prepare(opened: Opened) -> None:
    """Begin to compile the search before anything else is imported: it runs beside all that."""
    from audit.identifiers.detector import prepare_detectors

    prepare_detectors(identities_of(opened, None) or [Identity()])


def _judge(opened: Opened, call: Call) -> Result:
    from audit.checks.evaluate import evaluate
    from audit.checks.targets import locate_judged
    from audit.evidence.context import EvidenceContext
    from audit.gate.assemble import make_result
    from audit.gate.exercised import share_exercised
    from audit.gate.limits import require_within
    from audit.gate.rules import load_rules
    from audit.gate.settle import read_baseline, settle
    from audit.model.result import Gate

    loaded, chosen, said = locate_judged(call.target, call.policy, opened.recorded)
    if said:
        note(said)
    rules = load_rules(loaded, call.gate, call.waivers, call.attestations, call.baseline)
    baseline = None
    if rules.baseline is not None:
        baseline = read_baseline(rules.baseline, loaded.id, chosen.name)
    moment = call.as_of or datetime.now(UTC)
    subject = read_subject(call.identity, loaded) if call.identity else None
    if call.compare_installs:
        require_installs(opened.bundles, opened.files[:1] if call.together else opened.files)
    context = EvidenceContext.of(loaded, chosen.file, as_of=moment, identity=subject)
    context = replace(context, keeps_values=call.compare_installs)
    captures = read_all(opened, context, call)
    redact = redactor_for(opened, subject).text
    progress("judging")
    require_within(loaded, chosen, captures, moment, rules.gate.limits.rows_a_check)
    judgement = evaluate(loaded, chosen, captures, moment, redact)
    reported = list(judgement.reported)
    if call.compare_installs:
        reported += compared(captures, identities_of(opened, subject), redact)
    exercised = share_exercised(loaded, chosen, captures, moment)
    manifests = {bundle.digest: bundle.manifest for bundle in opened.bundles}
    draft = make_result(
        loaded,
        chosen,
        [(capture, manifests.get(capture.digest)) for capture in captures],
        judgement.verdicts,
        reported,
        Gate(exit_code=0, reasons=[]),
        moment,
        audit.__version__,
        redact,
    )
    return settle(draft, rules, moment, exercised, baseline, redact, exit_zero=call.exit_zero)


def read_subject(path: Path, policy: Policy) -> Identity:
    """Read an identity file; a kind that the policy does not know is a typo, exit code 2."""
    subject = read_identity(existing_file(path))
    known = {*KINDS, *policy.kinds}
    for item in subject.identifiers:
        if item.kind not in known:
            raise UsageError(
                f"unknown kind of identifier {item.kind!r}",
                source=str(path),
                hint="known: " + " ".join(sorted(known)),
            )
        if len(item.value.strip()) < SHORTEST:
            raise UsageError(
                f"a value of kind {item.kind} is shorter than {SHORTEST} characters",
                source=str(path),
                hint="so short a value is found everywhere by chance; leave it out",
            )
    return subject


def read_all(
    opened: Opened, context: EvidenceContext, call: Call | None = None
) -> list[CaptureEvidence]:
    """Read the evidence of every capture, in the order given.

    ``call`` says what the bare files among them are. Raises :class:`CaptureError` for a file that
    cannot be read and :class:`UsageError` for options that fit no bare file.
    """
    from audit.evidence.capture import read_capture
    from audit.evidence.imports import import_files

    call = call or Call()
    options = bare_options(opened, call)
    captures = []
    for bundle in opened.bundles:
        progress(f"reading {bundle.manifest.id}")
        captures.append(read_capture(bundle, context))
    recordings = [opened.files] if call.together else [(path,) for path in opened.files]
    for paths in filter(None, recordings):
        progress(f"reading {', '.join(path.name for path in paths)}")
        captures.append(import_files(paths, context, options))
    return captures


def bare_options(opened: Opened, call: Call) -> BareOptions:
    """Return what a call says of bare files; raises :class:`UsageError` where there are none."""
    from audit.cli.importing import read_given_journal, require_keys
    from audit.evidence.imports import BareOptions

    given = {
        "--together": call.together,
        "--mixed": call.mixed,
        "--tls-keys": call.tls_keys,
        "--journal": call.journal,
        "--vouched-by": call.vouched_by,
    }
    for option, value in given.items():
        if value and not opened.files:
            raise UsageError(
                f"{option} speaks of bare capture files, and none is given",
                hint="what a bundle is was said when it was recorded or imported",
            )
    if call.vouched_by and not call.journal:
        raise UsageError("--vouched-by needs the --journal that somebody vouches for")
    lines, cut = read_given_journal(call.journal) if call.journal else ([], [])
    keys = existing_file(call.tls_keys).read_bytes() if call.tls_keys else b""
    if call.tls_keys:
        require_keys(keys, call.tls_keys)
    return BareOptions(
        mixed=call.mixed,
        tls_keys=keys,
        journal=tuple(lines),
        journal_cut=tuple(cut),
        vouched_by=call.vouched_by,
    )


def redactor_for(opened: Opened, subject: Identity | None) -> Redactor:
    """Return what blanks every value of the subject and every one-time token, in every form."""
    from audit.identifiers.redaction import Redactor, merge

    tokens = [
        line.control["token"]
        for bundle in opened.bundles
        for line in bundle.journal
        if line.control and line.control.get("token")
    ]
    identities = identities_of(opened, subject) or [Identity()]
    return merge([Redactor(identity, tokens) for identity in identities])


def identities_of(opened: Opened, subject: Identity | None) -> list[Identity]:
    """Return what the subject is known by: capture by capture, then as the caller says."""
    return [bundle.identity for bundle in opened.bundles] + ([subject] if subject else [])


def write_reports(
    result: Result,
    out: Path,
    formats: Sequence[str] = DEFAULT,
    place: PolicyPlace | None = None,
) -> list[Path]:
    """Write ``result.json`` (always) and the other formats asked for; return their paths.

    Beside them goes what an opponent checks them with, see :mod:`audit.report.handover`.
    ``place`` is where the policy lies in the user's repository. Everything is rendered before
    anything is written.
    """
    chosen = [FORMATS["json"], *(one for one in chosen_formats(formats) if one.name != "json")]
    contents = {one.file: one.render(result, place) for one in chosen}
    written = [write_whole(out / name, data) for name, data in contents.items()]
    for name, data in handover(contents).items():
        write_whole(out / name, data)
    return written


def write_whole(path: Path, data: bytes, *, is_private: bool = False) -> Path:
    """Write a file whole or not at all, and return its path; raises :class:`SetupError`.

    ``is_private``: its owner alone may read it, and enter the folder if that is made for it.
    """
    part = path.with_name(path.name + ".part")
    folder_mode, mode = (0o700, 0o600) if is_private else (0o777, 0o666)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=folder_mode)
        part.unlink(missing_ok=True)
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
        part.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise SetupError(
            f"the report cannot be written: {problem.strerror or problem}",
            source=str(path),
            hint="make room, or name another folder with --out",
        ) from None
    return path
