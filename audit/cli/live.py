"""``audit live``: a proxy that shows violations as they happen."""

from __future__ import annotations

import json
import secrets
import signal
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.cli.output import progress, say
from audit.errors import UsageError

if TYPE_CHECKING:
    from audit.live.judge import LiveFinding, LiveJudge
    from audit.live.proxy import LiveProxy


@click.command(name="live", help="Run a proxy that shows violations as they happen.")
@click.option("--policy", help="Policy: a name or a path; default: the target's.")
@click.option("--target", help="Target: a name or a path; default: any client.")
@click.option("--identity", type=click.Path(path_type=Path), help="File of the subject's values.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Address of the proxy.")
@click.option("--mode", default="regular", show_default=True, help="Mode of mitmproxy.")
@click.option("--no-secret", is_flag=True, help="Whoever reaches the proxy may use it.")
@click.option(
    "--write", type=click.Path(path_type=Path), help="Keep the flows, to be judged whole."
)
@click.option("--read", "replay", type=click.Path(path_type=Path), help="Replay a dump instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def command(
    policy: str | None,
    target: str | None,
    identity: Path | None,
    listen: str,
    mode: str,
    no_secret: bool,
    write: Path | None,
    replay: Path | None,
    as_json: bool,
) -> None:
    """Judge what one row decides while traffic flows; the rest is named, and judged afterwards.

    A violation shown here is one; that none is shown proves nothing: for that, record and judge
    the whole ('audit record', or --write FILE and 'audit run FILE').
    """
    from audit.live.proxy import LiveProxy, judge_quietly

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--listen is no address: {listen!r}", hint="such as 127.0.0.1:8080")
    if replay is not None and not replay.is_file():
        raise UsageError("there is no such dump", source=str(replay))
    judge = _judge(policy, target, identity)
    is_open = no_secret or mode != "regular" or replay is not None
    secret = None if is_open else secrets.token_urlsafe(16)
    with LiveProxy(host=host, port=int(port), mode=mode, secret=secret, replay=replay) as proxy:
        signal.signal(signal.SIGINT, lambda *_: proxy.stop())
        signal.signal(signal.SIGTERM, lambda *_: proxy.stop())
        if replay is None:
            proxy.wait_ready()
            user = f"audit:{secret}@" if secret else ""
            _tell(as_json, f"proxy: http://{user}{host}:{proxy.port}", ready=proxy.port)
            _tell(as_json, f"its authority: {proxy.certificate}", authority=str(proxy.certificate))
        judge_quietly()
        _watch(proxy, judge, write, as_json=as_json)


def _judge(policy: str | None, target: str | None, identity: Path | None) -> LiveJudge:
    from audit.bundle.identity import Identity
    from audit.checks.targets import locate_target
    from audit.cli.judging import read_subject
    from audit.evidence.context import EvidenceContext
    from audit.identifiers.redaction import Redactor
    from audit.live.judge import LiveJudge

    loaded, chosen = locate_target(target, policy)
    subject = read_subject(identity, loaded) if identity else Identity()
    moment = datetime.now(UTC)
    context = EvidenceContext.of(loaded, chosen.file, as_of=moment, identity=subject)
    progress("preparing the search")
    judge = LiveJudge(loaded, chosen, context, moment, Redactor(subject, []).text)
    judge.prepare()
    return judge


def _watch(proxy: LiveProxy, judge: LiveJudge, write: Path | None, *, as_json: bool) -> None:
    """Show violations until the proxy ends, then what was and was not judged."""
    file = write.open("wb") if write is not None else None
    try:
        for batch in proxy.batches():
            if file is not None:
                file.write(b"".join(batch))
                file.flush()
            for finding in judge.judge(batch):
                _show(finding, as_json=as_json)
    finally:
        if file is not None:
            file.close()
    later = judge.afterwards()
    rows = sum(judge.counts.values())
    _tell(
        as_json,
        f"{judge.flows} flows judged, {len(judge.counts)} findings in {rows} rows",
        flows=judge.flows,
        findings=len(judge.counts),
        lost=proxy.lost,
        afterwards=later,
    )
    if proxy.lost:
        say(f"{proxy.lost} flows were not judged: the judge did not keep up")
    if later and not as_json:
        say(f"{len(later)} expectations need the whole recording: {', '.join(later[:5])} …")


def _show(finding: LiveFinding, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(finding), ensure_ascii=False))
        return
    more = "" if finding.is_new else "again: "
    say(f"{finding.severity:<8} {finding.check}: {more}{finding.message}  [{finding.rows[0]}]")


def _tell(as_json: bool, text: str, **values: object) -> None:
    if as_json:
        click.echo(json.dumps(values, ensure_ascii=False))
    else:
        say(text)
