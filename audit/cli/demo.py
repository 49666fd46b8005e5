"""``audit demo``: the whole job in one command, on real clients in the lab."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import click

from audit.cli.judging import Call, judge, write_reports, write_whole
from audit.cli.output import progress, say
from audit.cli.place import CAPTURES, REPORTS
from audit.cli.recordings import Request, Rung, prepare_driver, record_pass
from audit.errors import SetupError
from audit.tables.vocabulary import Pass

if TYPE_CHECKING:
    from audit.checks.policy import Policy, Target
    from audit.model.result import Result

MISBEHAVING: Final = "misbehaving"
"""Name of the recording of a real client beside a program that leaks on purpose."""
COMPANION: Final = "beside a program that leaks on purpose"
UNSEEN_BY_PROXY: Final = (
    "It cannot see name look-ups, the servers' own certificates, the client's address as others",
    "see it, or whatever goes around the proxy. Promises about those are not proven here.",
)
AT_ONCE: Final = 2
"""Recordings that run side by side: each is waiting for its client most of the time."""


@dataclass(frozen=True, slots=True)
class _Take:
    """One recording of the demo."""

    report: str
    """Name of the report that it is judged in."""
    request: Request
    pass_: Pass
    folder: Path


@click.command(
    name="demo",
    help="Record real clients in the lab, audit them, write the reports.",
)
@click.option("--out", type=click.Path(path_type=Path), default=REPORTS / "demo", show_default=True)
@click.option(
    "--captures", type=click.Path(path_type=Path), default=CAPTURES / "demo", show_default=True
)
@click.option("--vantage", type=click.Choice(get_args(Rung)), default="auto", show_default=True)
@click.option("--policy", help="Policy whose targets with a driver are audited.")
def command(out: Path, captures: Path, vantage: Rung, policy: str | None) -> None:
    """Exit 0 if lab and clients worked, though promises are broken."""
    from audit.checks.load import load_policy
    from audit.checks.targets import find_policy

    loaded = load_policy(find_policy(policy))
    targets = _with_driver(loaded)
    for folder in (out, captures):
        _may_write(folder)
    _say_vantage(vantage)
    for target in targets:
        progress(f"installing {target.name}, if it is not yet")
        prepare_driver(target)
    takes = _takes(loaded, targets, captures, vantage)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_record, take) for take in takes]:
            done.result()
    results = [(name, _judge(name, takes, out)) for name in dict.fromkeys(t.report for t in takes)]
    _write_index(results, out)
    _say_results(results, out)


def _may_write(folder: Path) -> None:
    """Say before anything is recorded that its result could not be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder)
    except OSError as problem:
        raise SetupError(
            f"the demo cannot write here: {problem.strerror}",
            source=str(folder),
            hint="call it in a folder of your own, or name others with --out and --captures",
        ) from None


def _with_driver(policy: Policy) -> list[Target]:
    from audit.checks.targets import load_target, target_names

    loaded = [load_target(policy, name) for name in target_names(policy.folder)]
    targets = [target for target in loaded if target.driver and target.requirements]
    if not targets:
        raise SetupError(
            f"the policy '{policy.id}' has no target with a driver", source=str(policy.folder)
        )
    return targets


def _say_vantage(vantage: Rung) -> None:
    """Say first what the rung that this machine allows cannot see."""
    from audit.record.ladder import probe_ladder

    if vantage == "netns":
        return
    rungs = probe_ladder()
    refused = next((rung for rung in rungs if rung.name == "netns" and not rung.works), None)
    if refused is None and vantage == "auto":
        return
    why = f"This machine refuses namespaces ({refused.reason})" if refused else "As asked"
    say(f"{why}: recording through an explicit proxy instead.")
    for limit in UNSEEN_BY_PROXY:
        say(limit)


def _takes(policy: Policy, targets: list[Target], captures: Path, vantage: Rung) -> list[_Take]:
    passes: tuple[Pass, ...] = get_args(Pass)

    def request(target: Target, logs: str, *extra: list[str], beside: str | None = None) -> Request:
        return Request(
            policy=policy,
            target=target,
            in_lab=True,
            lab_logs=captures.absolute() / "lab" / logs,
            vantage=vantage,
            companion=beside,
            extra_commands=extra,
        )

    takes = [
        _Take(target.name, request(target, name), pass_, captures / name)
        for target in targets
        for pass_ in passes
        for name in [f"{target.name}-{pass_}"]
    ]
    planted = captures.absolute() / "planted.json"
    planter = [sys.executable, "-m", "audit.lab.planter", "--out", str(planted)]
    name = f"{MISBEHAVING}-intercepted"
    misbehaving = request(targets[-1], name, planter, beside=COMPANION)
    return [*takes, _Take(MISBEHAVING, misbehaving, "intercepted", captures / name)]


def _record(take: _Take) -> None:
    record_pass(take.request, take.pass_, take.folder, take.folder.name)


def _judge(name: str, takes: list[_Take], out: Path) -> Result:
    progress(f"auditing {name}")
    result = judge([take.folder for take in takes if take.report == name], Call())
    write_reports(result, out / name)
    return result


def _write_index(results: list[tuple[str, Result]], out: Path) -> None:
    from audit.report.index import render_index

    page = render_index([(name, result, f"{name}/index.html") for name, result in results])
    write_whole(out / "index.html", page.encode("utf-8"))


def _say_results(results: list[tuple[str, Result]], out: Path) -> None:
    for name, result in results:
        groups: dict[str, list[str]] = {"kept": [], "broken": [], "not proven": []}
        words = {
            "pass": "kept",
            "fail": "broken",
            "inconclusive": "not proven",
            "not_observable": "not proven",
        }
        for clause in result.clauses:
            if clause.outcome in words:
                groups[words[str(clause.outcome)]].append(clause.id)
        parts = [f"{word}: {', '.join(ids)}" for word, ids in groups.items() if ids]
        say(f"{name}: " + "; ".join(parts))
    say(f"Open {out / 'index.html'}")
