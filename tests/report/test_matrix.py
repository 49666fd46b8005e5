from audit.report.compose import make_view

from . import results


def test_matrix_counts_what_each_recipient_got_and_leads_to_the_finding(broken):
    matrix = make_view(broken).matrix
    assert matrix.kinds == ("account_id", "contact_id")
    assert not matrix.is_complete
    rows = {
        recipient: (role, [cell and cell.count for cell in cells])
        for recipient, role, cells in matrix.rows
    }
    assert rows == {
        "203.0.113.12": ("storage_node", [6, None]),
        "203.0.113.14": ("storage_node", [None, 4]),
        "filev2.getsession.org": ("file_server", [1, None]),
    }
    anchors = {f.anchor for verdict in make_view(broken).violations for f in verdict.findings}
    assert {cell.anchor for _, _, cells in matrix.rows for cell in cells if cell} == anchors


def test_all_hits_make_the_matrix_complete(broken):
    hits = [
        {"recipient": "203.0.113.12", "role": "storage_node", "kind": "account_id", "count": 7},
        {"recipient": "203.0.113.99", "role": "storage_node", "kind": "locale", "count": 2},
    ]
    coverage = broken.coverage.model_copy(update={"who_got_what": hits})
    matrix = make_view(broken.model_copy(update={"coverage": coverage})).matrix
    assert matrix.is_complete
    cells = {
        (recipient, kind): cell
        for recipient, _, row in matrix.rows
        for kind, cell in zip(matrix.kinds, row, strict=True)
        if cell
    }
    assert (cells["203.0.113.12", "account_id"].count, cells["203.0.113.99", "locale"].anchor) == (
        7,
        None,
    )
    assert ("203.0.113.14", "contact_id") in cells


def test_no_identifier_no_matrix():
    assert make_view(results.make_result([])).matrix is None
