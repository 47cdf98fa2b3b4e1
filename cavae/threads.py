"""One thread a task: the same numbers on any number of cores, and small networks take less time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def use_one_thread() -> None:
    """From now on, in this process and in those that it starts.

    On two threads sums are taken in another order than on one. So the server and the commands both
    begin with this: what a page shows is what a command prints, to the last digit.
    """
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(SETTINGS, "1"))  # for libraries that are loaded later
    threadpool_limits(1)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and the linear algebra of numpy use one thread, as long as the context lasts.

    Sums are then taken in one order, so that the same seed gives the same model on two processors
    and on sixty-four. Handing out work of a tenth of a millisecond costs more than it saves: 500
    epochs of 1050 + 1050 people took 25 s on two threads and 15 s on one.
    """
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
