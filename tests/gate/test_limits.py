from __future__ import annotations

import pytest

from audit.checks.targets import target_of_nothing
from audit.errors import CaptureError
from audit.gate.limits import require_within

from .making import AS_OF
from .test_assemble import make_evidence


def test_a_check_beyond_the_limit_is_an_error_before_anything_is_judged(policy):
    captures = [make_evidence("a"), make_evidence("b")]
    target = target_of_nothing(policy)
    require_within(policy, target, captures, AS_OF, 1000)
    with pytest.raises(CaptureError, match=r"example\.critical would read 2 rows") as caught:
        require_within(policy, target, captures, AS_OF, 1)
    assert caught.value.exit_code == 3
    require_within(policy, target, captures, AS_OF, 2)
