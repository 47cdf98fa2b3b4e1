"""What grows how: `python -m tests.benchmarks.growth`, one JSON object.

Seconds of training on one thread for three sizes each of people, regions, epochs and models that
train together, everything else as it is (1050 + 1050 people, 139 regions, 20 epochs, one model,
preset paper, no early stop), the best of three; and as a multiple of the smallest size.
"""

import json
import time

import numpy as np

from cavae.config import ModelConfig, train_config
from cavae.optimization import Problem, fit_networks
from cavae.threads import one_thread

SIZES = {
    "people in each cohort": (525, 1050, 4200),
    "regions": (35, 139, 556),
    "epochs": (10, 20, 80),
    "models together": (1, 4, 8),
}
USUAL = {"people in each cohort": 1050, "regions": 139, "epochs": 20, "models together": 1}
RUNS = 3


def seconds(people: int, regions: int, epochs: int, models: int) -> float:
    """The fastest of RUNS trainings on noise of the given size."""
    generator = np.random.default_rng(0)
    cohorts = [generator.standard_normal((people, regions)) for _ in range(2)]
    held_out = [generator.standard_normal((450, regions)) for _ in range(2)]
    config = ModelConfig(tuple(map(str, range(regions))))
    settings = {"mmd_weight": 10.0, "epochs": epochs, "patience": epochs, "device": "cpu"}
    problems = [
        Problem(config, train_config("paper", **settings, seed=seed), cohorts, held_out)
        for seed in range(models)
    ]
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        fit_networks(problems)
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    """Print the seconds and multiples."""
    grown = {}
    with one_thread():
        seconds(*(USUAL | {"epochs": 1}).values())  # What the first training alone pays for.
        for name, sizes in SIZES.items():
            taken = [seconds(*(USUAL | {name: size}).values()) for size in sizes]
            grown[name] = {
                size: {"seconds": round(one, 3), "multiple": round(one / taken[0], 2)}
                for size, one in zip(sizes, taken, strict=True)
            }
    print(json.dumps(grown, indent=2))


if __name__ == "__main__":
    main()
