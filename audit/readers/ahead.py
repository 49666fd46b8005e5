"""The next item made in another thread while this one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items; each is asked for while the one before it is worked on.

    Reading a file and looking through its words is done by code that lets go of Python's lock.
    What the items raise is raised here.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as pool:

        def ask() -> Future[Item | None]:
            return pool.submit(next, items, None)

        waiting = ask()
        while (item := waiting.result()) is not None:
            waiting = ask()
            yield item
