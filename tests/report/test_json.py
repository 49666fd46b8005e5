import json

from hypothesis import given
from hypothesis import strategies as st

from audit.model.result import Result
from audit.report.json import render_json

from . import results
from .hostile import hostile


def test_result_comes_back_as_it_was(broken):
    assert Result.model_validate_json(render_json(broken)) == broken


def test_json_is_canonical(broken):
    text = render_json(broken)
    assert (
        text
        == json.dumps(
            json.loads(text), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()
    )
    assert json.loads(text)["schema"] == "audit/result@1"


def test_hostile_result_comes_back_as_it_was(broken):
    attacked = hostile(broken)
    assert Result.model_validate_json(render_json(attacked)) == attacked


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_any_captured_value_can_be_written(value):
    coverage = results.make_coverage(missed_by_proxy=[{"value": value}])
    json.loads(render_json(results.make_result([], coverage=coverage)))
