"""Random samples and mutations a second of PyGlove over spaces equal to strata's own.

pip install pyglove==0.4.5; python benches/pyglove/sample.py
Beside it: cargo bench --bench throughput
"""

import random
import time

import pyglove as pg

SECONDS = 2.0
OPS = ["zero", "identity", "conv1x1", "conv3x3", "avg_pool"]
DARTS = ["max_pool", "avg_pool", "identity", "sep3", "sep5", "dil3", "dil5"]


def nasbench201():
    return pg.Dict(cell=[pg.oneof(OPS) for _ in range(6)])


def darts_cell():
    return [
        pg.Dict(
            inputs=pg.manyof(2, list(range(node + 2)), distinct=True, sorted=True),
            ops=[pg.oneof(DARTS), pg.oneof(DARTS)],
        )
        for node in range(4)
    ]


def darts():
    return pg.Dict(normal=darts_cell(), reduction=darts_cell())


def per_second(work):
    """The best of three rounds, by processor time: what else runs does not count."""
    best = 0.0
    for _ in range(3):
        start, spent, done = time.perf_counter(), time.thread_time(), 0
        while time.perf_counter() - start < SECONDS / 3:
            work()
            done += 1
        best = max(best, done / (time.thread_time() - spent))
    return best


def main():
    print(f"PyGlove {pg.__version__}")
    print(f"{'a second':<16} {'sample':>10} {'decoded':>10} {'mutate':>10}")
    for name, space in [("nasbench201", nasbench201()), ("darts", darts())]:
        spec = pg.dna_spec(space)
        generator = random.Random(1)
        sample = per_second(lambda: pg.random_dna(spec, generator))
        template = pg.template(space)
        decoded = per_second(lambda: template.decode(pg.random_dna(spec, generator)))
        mutate = pg.evolution.mutators.Uniform(seed=1)
        parent = pg.random_dna(spec, generator)
        mutated = per_second(lambda: mutate.mutate(parent))
        print(f"{name:<16} {sample:>10.0f} {decoded:>10.0f} {mutated:>10.0f}")


if __name__ == "__main__":
    main()
