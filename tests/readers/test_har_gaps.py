"""Gaps name their entries, up to a bound, and the rest is counted."""

from audit.readers.har_gaps import MAX_TOLD, Gaps
from audit.tables.extract import Extract


def test_bodies_touch_what_reads_bodies_and_missing_entries_everything():
    extract = Extract()
    gaps = Gaps("log.har", extract)
    gaps.body(3, "sent", "it was left out", "9 bytes")
    gaps.missing(4, "it was not read")
    gaps.remark("were cached")
    gaps.remark("were cached")
    gaps.finish()
    assert extract.unread == [("sent", "log.har#3: it was left out (9 bytes)")]
    assert extract.truncated == ["log.har#4: it was not read"]
    assert extract.limits == ["log.har: 2 were cached"]


def test_many_gaps_of_one_kind_are_told_in_few_sentences():
    extract = Extract()
    gaps = Gaps("log.har", extract)
    for number in range(1, 10_001):
        gaps.body(number, "received", "it was left out")
        gaps.missing(number, "it was not read")
    gaps.finish()
    assert len(extract.unread) == len(extract.truncated) == MAX_TOLD + 1
    assert extract.unread[-1] == ("received", "log.har: 9980 more entries: it was left out")
