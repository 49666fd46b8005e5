from audit.report.compose import make_view
from audit.report.matrix import matrix_alone

from . import results


def table(result):
    matrix = make_view(result).matrix
    return {
        (row.recipient, row.note, kind): (cell.count, bool(cell.anchor))
        for row in matrix.rows
        for kind, cell in zip(matrix.kinds, row.cells, strict=True)
        if cell
    }


def test_all_hits_stand_by_role_and_lead_to_the_findings(broken):
    assert make_view(broken).matrix.is_complete
    assert table(broken) == {
        ("storage_node", "2 servers", "account id"): (7, True),
        ("storage_node", "2 servers", "id of a contact"): (4, True),
        ("file_server", "filev2.getsession.org", "account id"): (1, True),
        ("storage_node", "203.0.113.12, inside the onion", "display name"): (2, False),
    }


def test_the_matrix_outside_of_a_page_says_the_same(broken):
    alone, whole = matrix_alone(broken), make_view(broken).matrix
    assert (alone.kinds, alone.is_complete) == (whole.kinds, whole.is_complete)
    for row, other in zip(alone.rows, whole.rows, strict=True):
        assert (row.recipient, row.note) == (other.recipient, other.note)
        for cell, found in zip(row.cells, other.cells, strict=True):
            assert (cell and (cell.count, bool(cell.anchor))) == (
                found and (found.count, bool(found.anchor))
            )


def test_without_hits_the_findings_make_the_matrix(broken):
    coverage = broken.coverage.model_copy(update={"who_got_what": []})
    bare = broken.model_copy(update={"coverage": coverage})
    view = make_view(bare)
    assert not view.matrix.is_complete
    assert table(bare) == {
        ("storage_node", "", "account id"): (6, True),
        ("storage_node", "", "id of a contact"): (4, True),
        ("file_server", "", "account id"): (1, True),
    }
    anchors = {f.anchor for verdict in view.violations for f in verdict.findings}
    assert {cell.anchor for row in view.matrix.rows for cell in row.cells if cell} == anchors


def test_a_finding_inside_the_onion_accuses_nobody_on_the_wire():
    inside = results.make_evidence(part="request.body/onion.2")
    finding = results.make_finding(
        columns={"kind": "locale", "recipient": "storage_node"}, evidence=[inside], count=3
    )
    verdict = results.make_verdict("c", "app.identity", results.Outcome.FAIL, findings=[finding])
    hits = [
        {"recipient": "203.0.113.9", "role": "storage_node", "kind": "locale", "layer": 0},
        {"recipient": "203.0.113.9", "role": "storage_node", "kind": "locale", "layer": 2},
    ]
    result = results.make_result([verdict], coverage=results.make_coverage(who_got_what=hits))
    assert table(result) == {
        ("storage_node", "203.0.113.9", "language setting"): (1, False),
        ("storage_node", "203.0.113.9, inside the onion", "language setting"): (1, True),
    }


def test_no_identifier_no_matrix():
    assert make_view(results.make_result([])).matrix is None
