from audit.report.compose import CHAPTERS, make_view, number_of

from . import results


def test_what_is_leaned_on_is_said_once_with_all_its_checks(broken):
    (leaning,) = make_view(broken).leaning
    assert leaning.text.startswith("Journey cut to account.create")
    assert len(leaning.checks) == sum(bool(v.leaned_on) for v in broken.verdicts)


def test_clauses_keep_their_order_and_sections(broken):
    sections = make_view(broken).sections
    assert [s.title for s in sections] == [
        "In a nutshell",
        "Session App",
        "App stores",
        "Session website",
    ]
    assert [c.id for s in sections for c in s.clauses] == [c.id for c in broken.clauses]


def test_disclosed_rows_may_be_lists_or_objects(broken):
    (reported,) = make_view(broken).reported
    assert [row[0] for row in reported.table.rows] == [
        "seed1.getsession.org",
        "filev2.getsession.org",
    ]
    assert reported.total == 3
    odd = results.make_result(
        [],
        reported=[
            {"title": None, "rows": "none", "columns": 3},
            {"id": "x", "rows": [["a"], 3, None], "columns": ["c"]},
        ],
    )
    assert [(r.title, r.total) for r in make_view(odd).reported] == [("", 0), ("x", 1)]


def test_recording_tells_its_ladder_and_how_its_client_ended():
    ladder = [
        {"name": "netns", "works": False, "reason": "unshare: EPERM"},
        {"name": "socket-tap", "works": False},
        {"name": "proxy", "works": True},
    ]
    capture = results.make_capture(
        "a",
        "1",
        "passive",
        "x",
        "y",
        ladder=ladder,
        client={"name": "a", "exit_code": -9},
        limits=["no packets were recorded"],
    )
    (shown,) = make_view(results.make_result([], captures=[capture])).captures
    assert shown.ladder == (
        ("netns", "refused: unshare: EPERM"),
        ("socket-tap", "refused"),
        ("proxy", "works"),
    )
    assert ("Ended with", "signal 9") in shown.facts
    assert shown.limits == ("No packets were recorded",)


def test_chapters_are_numbered_from_one():
    assert [number_of(chapter) for chapter in CHAPTERS] == list(range(1, 11))
