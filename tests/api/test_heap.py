"""What a server holds from its start is not looked through for garbage."""

import gc

from api.heap import settled_heap


def test_what_is_there_is_left_alone_until_the_end() -> None:
    kept = [[number] for number in range(1_000)]
    with settled_heap():
        assert gc.get_freeze_count() >= len(kept)
        assert not any(one is kept for one in gc.get_objects())
    assert gc.get_freeze_count() == 0
    assert any(one is kept for one in gc.get_objects())
