from audit.report.anchors import Anchors
from audit.report.coverage import coverage_view, table_of

from . import results


def seen(**fields):
    return coverage_view(results.make_result([], **fields), Anchors())


def test_bars_are_shares_in_the_order_of_the_vocabulary():
    view = seen(coverage=results.make_coverage())
    assert [bar.key for bar in view.transport] == [
        "plaintext",
        "tls-keys",
        "tls-intercepted",
        "pinned-refused",
    ]
    assert sum(bar.conversations_share for bar in view.transport) == 1
    assert view.content[2].label == "opaque: what no decoder explains"


def test_words_that_a_newer_tool_wrote_are_kept():
    counts = {"transport": {"quantum": 1, "plaintext": 1}, "content": {}}
    view = seen(coverage=results.make_coverage(conversations=counts, bytes={}))
    assert [(bar.label, bar.bytes_share) for bar in view.transport] == [
        ("plaintext", 0.0),
        ("quantum", 0.0),
    ]


def test_losses_are_said_and_so_is_their_absence():
    assert seen(coverage=results.make_coverage()).losses == (
        "The kernel dropped no packet at any tap.",
        "Every conversation could be attributed to a process.",
        "Nothing was cut by a bound of a decoder or reader.",
    )
    lossy = results.make_coverage(
        drops={"packets": 3, "proxy": 0},
        unattributed={"conversations": 1, "bytes": 12},
        truncated=["body of flow 3"],
    )
    assert seen(coverage=lossy).losses == (
        "3 packets were dropped by the kernel at the tap “packets”.",
        "One conversation (12 bytes) could not be attributed to a process.",
        "Cut: body of flow 3",
    )
    assert "No drop counter was recorded." in seen(coverage=results.make_coverage(drops={})).losses


def test_unknown_columns_follow_the_known_ones():
    view = seen(
        coverage=results.make_coverage(
            missed_by_proxy=[{"zeta": 1, "reason": "r", "conversation": "c"}, {"bytes": 2000}]
        )
    )
    assert view.missed.columns == ("Conversation", "Reason", "Bytes", "Zeta")
    assert view.missed.rows == (("c", "r", "–", "1"), ("–", "–", "2.00 kB", "–"))


def test_rows_longer_than_their_heading_are_cut_to_it():
    assert table_of(["a"], [["x", "y"]]).rows == (("x",),)


def test_nothing_is_said_to_be_missed_where_nothing_could_be_compared():
    assert seen().has_both_taps
    passive = [results.make_capture("a", "1", "passive", "x", "y")]
    assert not seen(captures=passive).has_both_taps
