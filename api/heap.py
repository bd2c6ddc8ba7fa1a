"""The heap of a server process: what is there when it begins to answer is there to stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_heap() -> Iterator[None]:
    """Leave what there is out of the search for garbage: to go through a quarter of a million objects time and again
    would stop all answers for a tenth of a second.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
