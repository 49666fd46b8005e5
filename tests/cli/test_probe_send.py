"""``audit probe send`` to a real site, then import and verdict: six months pass in seconds.

The site keeps a log and a list as real ones do. To wait is to move the journal's moments back; what
the site holds is made as old as the case says.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import re
import shutil
from urllib.parse import parse_qs

import pytest

from audit.cli.main import cli
from audit.errors import AuditError
from audit.readers.providers import email_hash
from tests.conftest import Ran, run_audit
from tests.record.sites import Asked, Site

LEFT = "session.web.newsletter-deleted-on-unsubscribe"
LISTED = "session.web.newsletter-provider"
SIX_MONTHS = "session.web.records-max-6-months"
CANARY = "Canary.Person@Mail.Example"
STAYS = {"EmailAddress": "someone@else.example", "State": "Active", "Date": "2024-01-01 00:00:00"}
NEWSLETTER = "  - {role: newsletter, records: [active.json], config: [list.json]}\n"
WEBSITE = "  - {role: website, logs: [access.log], records: [forms.json], config: [rotate.conf], hosts: [site.example]}\n"
CLOUDFLARE = "  - {role: cloudflare, config: [jobs.json, logs.json]}\n"
ROTATE = "/var/log/nginx/*.log {\n daily\n rotate 90\n}\n/srv/access.log {\n daily\n rotate 90\n}\n"


def moment(days: float = 0) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(days=days)


def call(*arguments: object) -> Ran:
    """Run a command in this process and folder: thirty of them in subprocesses take a minute."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main([str(one) for one in arguments], standalone_mode=False) or 0
        except AuditError as problem:
            code = problem.exit_code
            err.write(f"audit: {problem}\n")
    return Ran(code, out.getvalue(), err.getvalue())


class ListSite(Site):
    """A site with a log and a list, from which people leave, or stay."""

    people: list[str]
    log: list[str]
    keeps = False

    def answer(self, asked: Asked) -> tuple:
        stamp = moment().strftime("%d/%b/%Y:%H:%M:%S +0000")
        self.log.append(
            f'site.example 198.51.100.7 - - [{stamp}] "{asked.method} {asked.path} HTTP/1.1" 404 1 "-" "-"\n'
        )
        email = parse_qs(asked.body.decode()).get("cm-mail", [""])[0]
        if asked.path == "/subscribe" and email:
            self.people.append(email)
            return 303, {"Location": "/thanks"}
        if asked.path == "/leave" and email in self.people:
            if not self.keeps:
                self.people.remove(email)
            return 200, {}, b"You have left"
        return 404, {}


@pytest.fixture
def site():
    with ListSite() as made:
        made.people, made.log = [], []
        yield made


class Desk:
    """An auditor's folder: identity, journal, what the operator hands over."""

    def __init__(self, folder, site) -> None:
        self.folder, self.site = folder, site
        self.journal = folder / "captures" / "probes.jsonl"
        person = [{"kind": "email", "value": CANARY, "canary": True}]
        self.write("id.json", {"schema": "audit/identity@1", "identifiers": person})
        self.write("list.json", {"ConfirmedOptIn": True})
        (folder / "rotate.conf").write_text(ROTATE)

    def write(self, name: str, data: object) -> None:
        (self.folder / name).write_text(json.dumps(data))

    def send(self, what: str, path: str = "", *options: object, code: int = 0):
        person = () if what == "request" else ("--identity", self.folder / "id.json")
        ran = call("probe", "send", what, f"{self.site.url}{path}", *person, *options)
        assert ran.code == code, ran.out + ran.err
        assert CANARY.lower() not in (ran.out + ran.err).lower()
        return ran

    def joins_and_leaves(self) -> None:
        self.send("subscribe", "/subscribe", "--email-field", "cm-mail")
        self.send("unsubscribe", "/leave", "--email-field", "cm-mail", "--expect", "have left")

    def wait(self, days: float) -> None:
        """Move what was noted into the past."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        for line in lines:
            then = dt.datetime.fromisoformat(line["ts"]) - dt.timedelta(days=days)
            line["ts"] = then.isoformat()
        self.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def handed_over(self) -> None:
        """The operator exports the list and the log as they are now."""
        people = [
            {"EmailAddress": one, "State": "Active", "Date": f"{moment(20):%Y-%m-%d %H:%M:%S}"}
            for one in self.site.people
        ]
        self.write("active.json", {"Results": [STAYS, *people], "NumberOfPages": 1})
        (self.folder / "access.log").write_text("".join(self.site.log))
        self.write("forms.json", [{"Date": f"{moment(3):%Y-%m-%d %H:%M:%S}", "State": "sent"}])

    def imported(self, sources: str, vouched: bool = True):
        (self.folder / "sources.yaml").write_text("schema: audit/sources@1\nsources:\n" + sources)
        shutil.rmtree(self.folder / "made", ignore_errors=True)
        word = ("--vouched-by", "B. Auditor") if vouched else ()
        made = call(
            "import", "--sources", "sources.yaml", "--identity", "id.json", "--journal",
            self.journal, *word, "--target", "website", "-o", "made"
        )  # fmt: skip
        assert made.code == 0, made.err
        return made

    def verdict(self, check: str, as_of: dt.datetime | None = None) -> dict:
        at = ("--as-of", as_of.isoformat()) if as_of else ()
        ran = call("run", "made", "--out", "out", "--exit-zero", *at)
        assert ran.code == 0, ran.err
        result = json.loads((self.folder / "out" / "result.json").read_text())
        return next(one for one in result["verdicts"] if one["check"] == check)


@pytest.fixture
def desk(tmp_path, site, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, site)


def texts(verdict: dict) -> str:
    return " | ".join(reason["text"] for reason in verdict["reasons"])


def test_who_left_and_is_gone_after_the_grace_is_a_pass(desk):
    desk.joins_and_leaves()
    desk.wait(31)
    desk.handed_over()
    desk.imported(NEWSLETTER)
    found = desk.verdict(LEFT)
    assert found["outcome"] == "pass", texts(found)
    assert "vouched by B. Auditor" in json.dumps(found)
    young = desk.verdict(LEFT, moment(10))
    assert young["outcome"] == "inconclusive"
    assert "was done less than" in texts(young)


def test_who_left_and_is_still_listed_is_a_violation_once_the_grace_is_over(desk, site):
    site.keeps = True
    desk.joins_and_leaves()
    desk.handed_over()
    desk.imported(NEWSLETTER)
    assert desk.verdict(LEFT)["outcome"] == "inconclusive"
    desk.wait(31)
    desk.imported(NEWSLETTER)
    found = desk.verdict(LEFT)
    assert found["outcome"] == "fail"
    assert "holds a person who left on" in found["findings"][0]["message"]
    report = "".join(
        path.read_text()
        for path in (desk.folder / "out").rglob("*.*")
        if path.suffix in {".json", ".html"}
    )
    assert CANARY.lower() not in report.lower()
    assert email_hash(CANARY) not in report
    ran = call("redact", "made", "-o", "redacted")
    assert ran.code == 0, ran.err
    assert email_hash(CANARY) not in (desk.folder / "redacted" / "journal.jsonl").read_text()


def test_a_list_that_was_read_too_early_shows_nothing_however_late_it_is_judged(desk, site):
    for site.keeps in (True, False):
        desk.journal.unlink(missing_ok=True)
        desk.joins_and_leaves()
        desk.handed_over()
        desk.imported(NEWSLETTER)
        late = desk.verdict(LEFT, moment(-400))
        assert late["outcome"] == "inconclusive", "nothing was seen after the grace time"
        assert "was done less than" in texts(late)


def test_a_journal_that_nobody_vouches_for_counts_nothing(desk, site):
    site.keeps = True
    desk.joins_and_leaves()
    desk.wait(31)
    desk.handed_over()
    desk.imported(NEWSLETTER, vouched=False)
    found = desk.verdict(LEFT)
    assert found["outcome"] == "inconclusive"
    site.people.clear()
    desk.handed_over()
    desk.imported(NEWSLETTER, vouched=False)
    assert desk.verdict(LEFT)["outcome"] == "inconclusive"


def test_a_person_who_did_not_confirm_is_not_to_be_listed(desk, site):
    desk.send("subscribe", "/subscribe", "--email-field", "cm-mail")
    desk.wait(8)
    desk.handed_over()
    desk.imported(NEWSLETTER)
    listed = desk.verdict(LISTED)
    assert listed["outcome"] == "fail"
    assert "never confirmed" in listed["findings"][0]["message"]
    site.people.clear()
    desk.handed_over()
    desk.imported(NEWSLETTER)
    found = desk.verdict(LISTED)
    assert found["outcome"] == "pass", texts(found)


def test_a_person_who_confirmed_is_no_violation_and_no_proof(desk, site):
    site.answers["/confirm"] = (200, {})
    site.answer = lambda asked: (
        (200, {}) if asked.path.startswith("/confirm") else ListSite.answer(site, asked)
    )
    desk.send("subscribe", "/subscribe", "--email-field", "cm-mail")
    desk.send("confirm", "/confirm?id=7")
    desk.wait(8)
    desk.handed_over()
    desk.imported(NEWSLETTER)
    found = desk.verdict(LISTED)
    assert found["outcome"] == "inconclusive"
    assert "no key" in texts(found) or "subject_hash" in texts(found)


def test_six_months_of_a_website_are_proven_by_an_old_probe_and_a_young_one(desk):
    desk.site.log.append(
        f'site.example 198.51.100.7 - - [{moment(100):%d/%b/%Y:%H:%M:%S} +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n'
    )
    job = {"dataset": "http_requests", "enabled": True, "destination_conf": "r2://logs/a"}
    rule = {"enabled": True, "deleteObjectsTransition": {"condition": {"maxAge": 7 * 86_400}}}
    desk.write("jobs.json", {"result": [job]})
    desk.write("logs.json", {"result": {"rules": [rule]}})
    every = WEBSITE + NEWSLETTER + CLOUDFLARE
    desk.send("request", "/")
    desk.handed_over()
    made = desk.imported(every)
    assert "token " in made.out
    assert desk.verdict(SIX_MONTHS)["outcome"] == "inconclusive"
    assert desk.verdict(SIX_MONTHS, moment(-190))["outcome"] == "inconclusive", "read long before"
    desk.wait(190)
    desk.send("request", "/")
    desk.imported(every)
    found = desk.verdict(SIX_MONTHS)
    assert found["outcome"] == "pass", texts(found)
    assert desk.verdict(SIX_MONTHS, moment(20))["outcome"] == "inconclusive"
    for party in (NEWSLETTER, CLOUDFLARE):
        desk.imported(every.replace(party, ""))
        assert desk.verdict(SIX_MONTHS)["outcome"] == "not_observable", "a party says nothing"


def test_a_token_is_new_each_time_and_the_journal_is_private(desk, site):
    for _ in range(2):
        desk.send("request", "/blog")
    lines = [json.loads(line) for line in desk.journal.read_text().splitlines()]
    tokens = [line["facts"]["token"] for line in lines]
    assert len(set(tokens)) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)
    assert [asked.path for asked in site.requests] == [f"/blog/{token}" for token in tokens]
    assert desk.journal.stat().st_mode & 0o777 == 0o600
    assert lines[0]["facts"]["status"] == "404"
    desk.handed_over()
    desk.imported(WEBSITE)
    assert (desk.folder / "made" / "journal.jsonl").stat().st_mode & 0o777 == 0o600


def test_no_address_stands_in_the_journal(desk):
    desk.joins_and_leaves()
    text = desk.journal.read_text()
    assert "canary" not in text.lower()
    assert text.count(email_hash(CANARY)) == 2


def test_what_got_no_good_answer_is_noted_as_not_done(desk, site):
    ran = desk.send("unsubscribe", "/leave", "--email-field", "cm-mail", code=2)
    assert "no subscription of this address is noted" in ran.err
    assert not site.requests
    desk.send("subscribe", "/nowhere", "--email-field", "cm-mail", code=3)
    desk.send("subscribe", "/subscribe", "--email-field", "cm-mail")
    ran = desk.send("subscribe", "/subscribe", "--email-field", "cm-mail", code=2)
    assert "already" in ran.err
    ran = desk.send("unsubscribe", "/leave?who=7", code=3)
    assert "it answered 404" in ran.err
    lines = [json.loads(line) for line in desk.journal.read_text().splitlines()]
    assert [line["ok"] for line in lines] == [False, True, False]
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("request", "site.example"), "http://"),
        (("request", "http://127.0.0.1:1/", "--field", "a=b"), "takes no identity"),
        (("subscribe", "http://127.0.0.1:1/"), "--identity"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "id.json"), "--email-field"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "none.json"), "no such file"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "list.json"), "identity"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "id.json", "--email-field", "e", "--field", "x"), "NAME=VALUE"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "id.json", "--email-field", "e", "--json", "--in-query"), "not both"),
        (("subscribe", "http://127.0.0.1:1/", "--identity", "two.json", "--email-field", "e"), "2 e-mail addresses"),
        (("post", "http://127.0.0.1:1/"), "post"),
        (("request", "http://127.0.0.1:1/", "--journal", "."), "is a file"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_refused_before_anything_is_sent_or_noted(desk, arguments, why):
    two = [{"kind": "email", "value": f"{name}@mail.example"} for name in ("a", "b")]
    desk.write("two.json", {"schema": "audit/identity@1", "identifiers": two})
    ran = run_audit("probe", "send", *arguments, cwd=desk.folder)
    assert ran.code in {2, 3}
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert not desk.journal.exists()


def test_nobody_there_is_told_in_a_sentence(tmp_path):
    ran = run_audit("probe", "send", "request", "http://127.0.0.1:1/", cwd=tmp_path)
    assert ran.code == 3
    assert "no answer: Connection refused" in ran.err
    assert json.loads((tmp_path / "captures/probes.jsonl").read_text())["ok"] is False
