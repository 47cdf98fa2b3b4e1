"""How many visitors at once a server stands: `python -m tests.benchmarks.load --sessions 30`.

Starts a server of its own on this machine and plays a class with it: everybody opens the app,
loads the demo cohort, drags in the explorer, looks at healthy twins and downloads a person, with
pauses as people make them. Each speaks the browser's protocol (tests/visitor.py) but draws nothing
and fetches no scripts, so that the load is the server's and not the machine's.

Prints a JSON object: for each kind of interaction how often, median and 95th percentile of seconds
until all of the answer is there; faults; the server's memory (MB): of the first session, for each
one more, and when all have left, against that before they came. `--minutes 60` lets visitors come
and go for that long and adds the memory after each class. Exit status 1: there were faults.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable

import psutil

from tests.browser.server import Server, running_app
from tests.visitor import Visitor, visiting

LEFT_SECONDS = 5  # until the server forgets a visitor; 120 where it is not set
SETTINGS = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(LEFT_SECONDS)}
DRAGS, STEPS = 6, 3
MEGABYTE = 1024**2


class Measured:
    """Seconds by kind of interaction, and what went wrong."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []

    async def time(self, kind: str, doing: Awaitable[object]) -> None:
        """Note how long it takes."""
        began = time.perf_counter()
        await doing
        self.seconds[kind].append(time.perf_counter() - began)

    def summary(self) -> dict[str, object]:
        """Counts, medians and 95th percentiles."""
        everything = [one for some in self.seconds.values() for one in some]
        kinds = {**self.seconds, "all": everything}
        return {kind: _spread(values) for kind, values in kinds.items() if values}


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "count": len(values),
        "median": round(statistics.median(values), 3),
        "p95": round(ordered[int(0.95 * (len(values) - 1))], 3),
    }


async def journey(server: Server, measured: Measured, think: float, chance: random.Random) -> None:
    """One visitor, from the first page to the download; faults are noted."""

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(0.5, 1.5) * think)

    try:
        async with visiting(server.url) as visitor:
            await _play(visitor, measured, pause, chance)
            measured.faults += visitor.faults
    except Exception as error:  # Counted: the others go on.
        measured.faults.append(f"{type(error).__name__}: {error}")


async def _play(visitor: Visitor, measured: Measured, pause, chance: random.Random) -> None:
    await measured.time("open", visitor.look())
    await pause()
    await measured.time("demo", visitor.press("start_demo"))
    await pause()
    await measured.time("explore", visitor.follow("explore"))
    for _ in range(DRAGS):
        await pause()
        place = [chance.gauss(0, 1) for _ in range(5)]
        position = {"model": "ad-mci", "person": "demo-001", "s": place}
        await measured.time("drag", visitor.tell("explorer", {"position": position}))
    await pause()
    await measured.time("twin", visitor.follow("counterfactual"))
    for _ in range(STEPS):
        await pause()
        await measured.time("next person", visitor.press("person +1"))
    await pause()
    await measured.time("download", visitor.download("download_person"))


def memory(server: Server) -> float:
    """Resident memory of the server, MB."""
    return psutil.Process(server.process.pid).memory_info().rss / MEGABYTE


async def class_of(server: Server, sessions: int, measured: Measured, think: float) -> float:
    """So many visitors at once; the server's memory at its highest, MB."""
    highest = 0.0

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, memory(server))
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    chances = [random.Random(seed) for seed in range(sessions)]
    await asyncio.gather(*(_late(server, measured, think, chance) for chance in chances))
    watching.cancel()
    return highest


async def _late(server: Server, measured: Measured, think: float, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0, think))  # Nobody opens a page all at the same moment.
    await journey(server, measured, think, chance)


async def left(server: Server) -> float:
    """The server's memory when it has had time to forget those who left, MB."""
    await asyncio.sleep(LEFT_SECONDS + 90)
    return memory(server)


async def measure(server: Server, sessions: int, think: float, minutes: float) -> dict[str, object]:
    """All figures."""
    for _ in range(2):  # Imports, models and caches that all share are there from now on.
        await class_of(server, 1, Measured(), 0.1)
    before = await left(server)
    first, measured, began = Measured(), Measured(), time.monotonic()
    one = await class_of(server, 1, first, 0.1)
    busy = psutil.Process(server.process.pid).cpu_times()
    most = await class_of(server, sessions, measured, think)
    used = psutil.Process(server.process.pid).cpu_times()
    figures = {
        "sessions": sessions,
        "think_seconds": think,
        "interactions": measured.summary(),
        "faults": measured.faults,
        "cpu_seconds_server": round(used.user + used.system - busy.user - busy.system, 1),
        "cpu_seconds_client": round(sum(psutil.Process().cpu_times()[:2]), 1),
        "seconds": round(time.monotonic() - began, 1),
        "memory_before": round(before, 1),
        "memory_first_session": round(one - before, 1),
        "memory_each_further_session": round((most - one) / max(sessions - 1, 1), 1),
        "memory_highest": round(most, 1),
        "memory_after": round(await left(server), 1),
    }
    if minutes:
        figures["soak"] = await soak(server, sessions, think, minutes)
    return figures


async def soak(server: Server, sessions: int, think: float, minutes: float) -> dict[str, object]:
    """Classes come and go; the memory after each, MB."""
    measured, after, end = Measured(), [], time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        await class_of(server, sessions, measured, think)
        after.append(round(memory(server), 1))
    return {
        "interactions": measured.summary(),
        "faults": measured.faults,
        "memory_after_each_class": after,
        "memory_after": round(await left(server), 1),
    }


def main() -> None:
    """Read the command line, play, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--think", type=float, default=10.0, help="seconds between interactions")
    parser.add_argument("--minutes", type=float, default=0.0, help="of a soak afterwards")
    chosen = parser.parse_args()
    with running_app(environment=SETTINGS) as server:
        figures = asyncio.run(measure(server, chosen.sessions, chosen.think, chosen.minutes))
    print(json.dumps(figures, indent=2))
    sys.exit(bool(figures["faults"] or figures.get("soak", {}).get("faults")))


if __name__ == "__main__":
    main()
