import base64
import hashlib
import itertools
import os
import re
import subprocess
import sys

from audit.model.outcome import Outcome
from audit.model.result import Reason, Result
from audit.report.html import render_html
from audit.report.json import render_json
from audit.report.texts import say
from audit.report.verdicts import FIRST_FINDINGS

from . import results
from .conftest import GOLDEN
from .pages import Page


def test_golden_result_gives_the_golden_page(golden):
    made = results.session_python()
    golden("session-python/result.json", render_json(made))
    result = Result.model_validate_json((GOLDEN / "session-python" / "result.json").read_bytes())
    golden("session-python/index.html", render_html(result).encode())


def test_equal_results_give_equal_pages(broken):
    assert render_html(broken) == render_html(Result.model_validate_json(render_json(broken)))


def test_page_is_wellformed_and_every_link_resolves(broken):
    page = Page(render_html(broken))
    assert [name for name, n in page.ids.items() if n > 1] == []
    assert {link[0] for link in page.links} == {"#"}
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_page_loads_runs_and_sends_nothing(broken):
    html = render_html(broken)
    page = Page(html)
    assert page.tags["script"] == 1
    assert not {"link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for _, name in page.attributes if name == "style" or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", html)


def test_policy_of_the_page_names_the_digests_of_its_style_and_script(broken):
    html = render_html(broken)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    run = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert (
        f"content=\"default-src 'none'; style-src 'sha256-{digest}'; script-src 'sha256-{run}';"
        " require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'\"" in html
    )
    assert not re.search(r"innerHTML|eval|fetch|import|document\.write|XMLHttp|url\(", script)


def test_chapters_stand_in_their_order(broken):
    words = Page(render_html(broken)).words()
    chapters = [
        "policy",
        "violations",
        "unproven",
        "reported",
        "coverage",
        "leaning",
        "dispositions",
        "method",
        "passes",
    ]
    places = [
        words.rindex(f"{number} {say(f'section.{name}')}")
        for number, name in enumerate(chapters, start=2)
    ]
    assert places == sorted(places)
    assert words.index("broke 2 of the 8 promises") < places[0]


def test_headings_skip_no_level(broken):
    levels = Page(render_html(broken)).headings
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_sentence_of_the_policy_stands_in_order(broken):
    words = Page(render_html(broken)).words()
    at = -1
    for clause in broken.clauses:
        at = words.index(clause.quote, at + 1)
    unchecked = [clause for clause in broken.clauses if clause.outcome is None]
    assert unchecked
    assert words.count("No check yet") >= len(unchecked)


def test_a_third_party_client_is_named_as_such_before_the_verdict(broken):
    words = Page(render_html(broken)).words()
    assert words.index(
        "is a third-party client. Every finding below is about this client"
    ) < words.index("broke 2 of the 8")
    official = broken.model_copy(
        update={"target": {"name": "app", "title": "App", "is_official": True, "remark": ""}}
    )
    assert "third-party client." not in Page(render_html(official)).words()


def test_a_finding_shows_where_its_bytes_lie(broken):
    words = Page(render_html(broken)).words()
    for text in (
        "flows.mitm, flow 3, body of the request, bytes 120 to 185",
        "packets.pcapng, packets 17, 18, stream sent by the client, bytes 412 to 477",
        "flows.mitm#3:request.body@120-186",
        "tshark -r packets.pcapng -Y 'frame.number in {17,18}' -x",
        "mitmdump -nr flows.mitm --flow-detail 4 '~src :40312$'",
        "tcp [address:5d2c81]:40312 > 203.0.113.12:22021",
        "6 times",
    ):
        assert text in words


def test_not_proven_says_why_what_to_do_and_who_can_answer(broken):
    words = Page(render_html(broken)).words()
    for text in (
        "The action app.idle was not exercised",
        "To prove it: Record with an idle stretch",
        "Do storage nodes and file server learn no real-world identity of an account?",
        "By operator With signed statement, configuration of logging Answer holds for 180 days",
    ):
        assert text in words


def test_incomplete_recording_is_said_at_the_top(broken):
    capture = broken.captures[0].model_copy(update={"truncated": ["the recorder did not finish"]})
    words = Page(render_html(broken.model_copy(update={"captures": [capture]}))).words()
    assert words.index("session-python-passive: the recorder did not finish") < words.index(
        "broke 2 of the 8"
    )


def test_many_findings_fold_and_all_are_there():
    html = render_html(results.misbehaving(FIRST_FINDINGS + 30))
    assert "30 more findings" in html
    assert len(set(re.findall(r'id="finding-[0-9a-f]{16}"', html))) == FIRST_FINDINGS + 31


def test_two_thousand_findings_stay_small():
    assert len(render_html(results.misbehaving(2000)).encode()) < 10_000_000


def test_result_without_anything_renders():
    nothing = results.make_result(
        [],
        captures=[],
        clauses=[],
        target={},
        coverage=results.make_coverage(conversations={}, bytes={}, vantage=[]),
    )
    words = Page(render_html(nothing)).words()
    assert "Nothing could be judged for not known." in words
    assert "The recordings show no broken promise." in words


def test_verdict_of_a_clause_the_policy_lacks_renders():
    stray = results.make_verdict(
        "x.y", "no.such", Outcome.INCONCLUSIVE, reasons=[Reason(text="stray", hint=None)]
    )
    assert "Stray" in Page(render_html(results.make_result([stray]))).words()


def test_template_engine_is_imported_only_to_render():
    code = "import sys, audit.report.html, audit.report.index, audit.report.summary; sys.exit('jinja2' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        ).returncode
        == 0
    )


def test_terms_of_outside_vocabularies_and_references_are_printed(broken):
    html = render_html(broken)
    assert "pd:AccountIdentifier" in html
    assert "user.unique_id.pseudonymous" in html
    assert say("finding.terms") in html
    assert "MASVS-PRIVACY-2, GDPR Art. 25." in html
