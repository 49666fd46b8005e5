"""Reading without the search for garbage."""

import gc

import pytest

from audit.readers.uncollected import uncollected


@pytest.mark.parametrize("was_on", [True, False])
def test_the_search_for_garbage_rests_meanwhile_and_is_as_before_afterwards(was_on):
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(KeyError), uncollected():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
