"""``audit import --sources`` and ``audit run``: what servers keep, judged from end to end."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import pytest

from tests.conftest import call_audit
from tests.readers.logs import DAY

TOKEN = "ab" * 16
NOW = dt.datetime.now(dt.UTC)
SIX_MONTHS = "session.web.records-max-6-months"
SEED = "session.seed.address-not-recorded"
ADDRESS = "203.0.113.77"
ROTATE = "/var/log/nginx/*.log {\n daily\n rotate 90\n}\n"
QUIET = "http {\n log_format quiet '[$time_local] \"$request\"';\n access_log /var/log/nginx/a.log quiet;\n}\n"


def stamp(age_s: float) -> str:
    return (NOW - dt.timedelta(seconds=age_s)).strftime("%d/%b/%Y:%H:%M:%S +0000")


def line(age_s: float, path="/", address="198.51.100.7") -> str:
    return f'{address} - - [{stamp(age_s)}] "GET {path} HTTP/1.1" 200 1 "-" "Mozilla"\n'


def quiet(age_s: float, path="/") -> str:
    return f'[{stamp(age_s)}] "GET {path} HTTP/1.1"\n'


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


class Bench:
    """A folder with the records of a server, imported and judged."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.write("id.json", json.dumps({"schema": "audit/identity@1", "identifiers": [
            {"kind": "address", "value": ADDRESS, "canary": True},
            {"kind": "email", "value": "canary.person@mail.example", "canary": True},
        ]}))  # fmt: skip
        self.journal([("web.probe", 190 * DAY, "cd" * 16), ("web.probe", 90, TOKEN)])
        self.write("rotate.conf", ROTATE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def journal(self, actions) -> None:
        said = [
            {"ts": (NOW - dt.timedelta(seconds=age)).isoformat(), "driver": "recorder",
             "action": action, "facts": {"token": token} if token else {}}
            for action, age, token in actions
        ]  # fmt: skip
        self.write("journal.jsonl", "".join(json.dumps(one) + "\n" for one in said))

    def imported(self, sources: str):
        self.write("sources.yaml", "schema: audit/sources@1\nsources:\n" + sources)
        shutil.rmtree(self.folder / "made", ignore_errors=True)
        return call_audit(
            "import", "--sources", self.folder / "sources.yaml", "--identity",
            self.folder / "id.json", "--journal", self.folder / "journal.jsonl",
            "--vouched-by", "the auditor", "--target", "service", "-o", self.folder / "made",
        )  # fmt: skip

    def verdict(self, sources: str, check: str) -> dict:
        made = self.imported(sources)
        assert made.code == 0, made.err
        ran = call_audit("run", self.folder / "made", "--out", self.folder / "out", "--exit-zero")
        assert ran.code == 0, ran.err
        result = json.loads((self.folder / "out" / "result.json").read_text())
        return next(one for one in result["verdicts"] if one["check"] == check)


def texts(verdict: dict) -> str:
    return " | ".join(reason["text"] for reason in verdict["reasons"])


SEED_SOURCE = "  - {role: seed, logs: [a.log], log_format: '[$time_local] \"$request\"', config: [nginx.conf]}\n"


def seed_bench(bench, log: str) -> None:
    bench.journal([("app.first-launch", 3600, None), ("web.probe", 3500, TOKEN)])
    bench.write("nginx.conf", QUIET)
    bench.write("a.log", log)


def test_a_seed_log_without_addresses_that_covers_the_visit_passes(bench):
    seed_bench(bench, quiet(7200) + quiet(3500, f"/{TOKEN}") + quiet(60))
    found = bench.verdict(SEED_SOURCE, SEED)
    assert found["outcome"] == "pass", texts(found)


def test_the_clients_address_in_a_path_of_the_seeds_log_is_a_violation(bench):
    log = quiet(7200) + quiet(3500, f"/{TOKEN}?from={ADDRESS}") + quiet(60)
    seed_bench(bench, log)
    found = bench.verdict(SEED_SOURCE, SEED)
    assert found["outcome"] == "fail"
    assert "a.log#2" in json.dumps(found["findings"][0]["evidence"][0])


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (quiet(7200) + quiet(60), "nothing shows that the logs of seed are of its machine"),
        (quiet(3500, f"/{TOKEN}") + quiet(60), "do not cover"),
        (quiet(7200) + quiet(3500, f"/{TOKEN}"), None),
        (quiet(7200) + quiet(3550, f"/{TOKEN}") + "junk\n" + quiet(60), "line 3"),
        (quiet(7200) + quiet(3500, f"/{TOKEN}") + quiet(-DAY), "future"),
    ],
    ids=["no token", "uncovered", "covered", "junk", "future"],
)
def test_a_seed_log_that_proves_nothing_does_not_pass(bench, log, why):
    seed_bench(bench, log)
    found = bench.verdict(SEED_SOURCE, SEED)
    if why is None:
        assert found["outcome"] == "pass", texts(found)
    else:
        assert found["outcome"] == "inconclusive"
        assert why in texts(found)


def test_a_word_that_stands_in_every_log_is_no_token(bench):
    seed_bench(bench, quiet(7200) + quiet(3500) + quiet(60))
    bench.journal([("app.first-launch", 3600, None), ("web.probe", 3500, "GET")])
    assert bench.imported(SEED_SOURCE).code == 0
    read = json.loads((bench.folder / "made" / "server" / "read.json").read_text())
    assert [one["tied"] for one in read["items"] if one["kind"] == "log"] == [[]]


def test_an_empty_log_supplies_nothing(bench):
    seed_bench(bench, "")
    assert bench.verdict(SEED_SOURCE, SEED)["outcome"] == "not_observable"


WEBSITE = "  - {role: website, logs: [access.log], config: [rotate.conf]}\n"


def test_an_old_line_of_the_website_is_a_violation_and_one_of_the_seed_is_none(bench):
    bench.write("access.log", line(200 * DAY) + line(90, f"/?{TOKEN}") + line(5))
    found = bench.verdict(WEBSITE, SIX_MONTHS)
    assert found["outcome"] == "fail"
    assert "access of website holds a line of" in found["findings"][0]["message"]
    seed = bench.verdict(WEBSITE.replace("website", "seed"), SIX_MONTHS)
    assert seed["outcome"] == "not_observable"
    assert not seed["findings"]


def test_a_bundle_says_what_was_read_and_what_is_not_known(bench):
    bench.write("access.log", line(90) + "junk\n")
    made = bench.imported("  - {role: website, logs: [access.log]}\n")
    assert "website: server/website/access.log: 2 lines, 1 of them dated" in made.out
    assert "not known: server/website/access.log#2: line 2" in made.out
    assert "says how long server/website/access.log is kept" in made.out
    read = json.loads((bench.folder / "made" / "server" / "read.json").read_text())
    assert len(read["items"][0]["sha256"]) == 64
    assert call_audit("verify", bench.folder / "made").code == 0


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ("  - {role: website, logs: [nowhere.log]}\n", "no file of a source is there"),
        ("  - {role: web, logs: [id.json]}\n", "role"),
        ("  - {role: website}\n", "a source names"),
        ("  - {role: website, logs: [id.json], time_zone: Mars/Phobos}\n", "time zone"),
        ("  - {role: website, logs: [id.json], patterns: {account_id: '05('}}\n", "RE2"),
    ],
    ids=["no file", "unknown role", "nothing named", "unknown zone", "wrong pattern"],
)
def test_a_wrong_file_of_sources_is_refused_before_anything_is_written(bench, sources, why):
    made = bench.imported(sources)
    assert made.code == 2
    assert why in made.err
    assert not (bench.folder / "made").exists()


def test_files_of_one_name_beside_the_sources_stay_apart_and_in_the_bundle(bench):
    for name in ("one", "two"):
        (bench.folder / name).mkdir()
        bench.write(f"{name}/access.log", line(60, f"/{name}"))
    (bench.folder / "desk").mkdir()
    bench.write(
        "desk/sources.yaml",
        "schema: audit/sources@1\nsources:\n"
        "  - {role: website, logs: [../one, ../two/access.log], copy: true}\n",
    )
    made = call_audit(
        "import", "--sources", bench.folder / "desk" / "sources.yaml", "--target", "website",
        "-o", bench.folder / "made",
    )  # fmt: skip
    assert made.code == 0, made.err
    copies = bench.folder / "made" / "server"
    assert "/one " in (copies / "website" / "access.log").read_text()
    assert "/two " in (copies / "website-2" / "access.log").read_text()
    assert "server/website-2/access.log: 1 lines, 1 of them dated" in made.out


def test_without_files_and_sources_there_is_nothing_to_import(tmp_path):
    made = call_audit("import", "-o", tmp_path / "made")
    assert made.code == 2
    assert "--sources" in made.err


NEWSLETTER = "  - {role: newsletter, records: [unsubscribed.json], config: [job.json]}\n"
LEFT = "session.web.newsletter-deleted-on-unsubscribe"


def test_an_address_kept_after_its_person_left_is_a_violation(bench):
    bench.write("job.json", json.dumps({"ConfirmedOptIn": True}))
    person = {"EmailAddress": "a@b.example", "State": "Unsubscribed", "Date": "2025-01-01"}
    bench.write("unsubscribed.json", json.dumps({"Results": [person], "NumberOfPages": 1}))
    found = bench.verdict(NEWSLETTER, LEFT)
    assert found["outcome"] == "fail"
    assert "unsubscribed still holds an address unsubscribed" in found["findings"][0]["message"]
    assert "a@b.example" not in (bench.folder / "made" / "server" / "rows.jsonl").read_text()


CLOUDFLARE = "  - {role: cloudflare, logs: [push.ndjson], hosts: [a.example], config: [jobs.json, logs.json]}\n"


def test_a_log_push_whose_bucket_keeps_a_month_is_a_violation(bench):
    job = {
        "dataset": "http_requests",
        "enabled": True,
        "destination_conf": "r2://logs/a?key=SECRET1",
    }
    rule = {"enabled": True, "deleteObjectsTransition": {"condition": {"maxAge": 30 * DAY}}}
    bench.write("jobs.json", json.dumps({"result": [job]}))
    bench.write("logs.json", json.dumps({"result": {"rules": [rule]}}))
    at = int((NOW - dt.timedelta(hours=3)).timestamp() * 1e9)
    said = {"ClientIP": "203.0.113.5", "EdgeStartTimestamp": at, "ClientRequestHost": "a.example"}
    bench.write("push.ndjson", json.dumps(said) + "\n")
    found = bench.verdict(CLOUDFLARE, "session.web.cloudflare-logs-max-7-days")
    assert found["outcome"] == "fail"
    assert "keeps lines" in found["findings"][0]["message"]
    assert "SECRET1" not in (bench.folder / "made" / "server" / "rows.jsonl").read_text()
    bench.write("logs.json", json.dumps({"result": {"rules": []}}))
    bench.journal([("web.probe", 8 * DAY, None)])
    young = bench.verdict(CLOUDFLARE, "session.web.cloudflare-logs-max-7-days")
    assert young["outcome"] == "inconclusive", "an unknown retention is never fine"
