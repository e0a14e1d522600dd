"""What limits a shared run, from 10 to 10,000 workers: a simulation of its queue.

    python3 benches/scale/simulate.py

Workers, the process that controls and the database, in simulated time. A trial is proposed once the results of
all trials but the last `lookahead` are in the journal; the controlling process is one server, the database has as many
as it has cores. The constants below were measured; docs/scale.md says how. Needs nothing but Python.
"""

import heapq
import random
from collections import deque

# Seconds of one database core: a trial's lease and result with their commits, a heartbeat, an idle worker's look.
TRIAL = 0.0016
BEAT = 0.00034
LOOK = 0.00005
CORES = 2
# Seconds of the controlling process for a trial: two records, one submission, its share of looking.
CONTROL = 0.0029
# Seconds between heartbeats of a lease of 60 s, and the least between an idle worker's looks; worker number n
# waits at least n milliseconds.
BEATS = 15.0
PAUSE = 0.2


def looks(workers):
    """Looks a second of so many idle workers."""
    return sum(1 / max(PAUSE, number / 1000) for number in range(workers))


def simulate(workers, lookahead, mean, trials, seed=1):
    """Shares of time: workers that compute, the controlling process and the database that are busy."""
    rng = random.Random(seed)
    sigma = 0.5
    length = lambda: rng.lognormvariate(-sigma * sigma / 2, sigma) * mean
    beats = workers / BEATS * BEAT if mean > BEATS else 0.0
    # What heartbeats leave of the database, and what idle looks leave of that, found by iteration below.
    busy_share = 1.0
    for _ in range(3):
        idle = (1 - busy_share) * looks(workers) * LOOK
        left = max(0.02, 1 - (beats + idle) / CORES)
        result = run(workers, lookahead, trials, length, TRIAL / left, rng)
        busy_share = result[0]
    compute, control, database, rate = result
    return compute, control, min(1.0, database * left + (beats + idle) / CORES), rate


def run(workers, lookahead, trials, length, cost, rng):
    free = [0.0] * CORES  # when each core of the database is free
    heapq.heapify(free)
    control_free = 0.0
    idle = workers
    waiting = deque()  # trials that were submitted
    events = []  # (time, kind, trial)
    done = set()
    settled = proposed = 0
    computing = control_busy = database_busy = 0.0

    def database(now):
        nonlocal database_busy
        start = max(now, heapq.heappop(free))
        heapq.heappush(free, start + cost)
        database_busy += cost
        return start + cost

    def control(now):
        nonlocal control_free, control_busy
        control_free = max(now, control_free) + CONTROL
        control_busy += CONTROL
        return control_free

    def propose(now):
        nonlocal proposed
        while proposed < trials and proposed < settled + lookahead:
            heapq.heappush(events, (control(now), 0, proposed))
            proposed += 1

    def hand_out(now):
        nonlocal idle, computing
        while idle and waiting:
            trial = waiting.popleft()
            idle -= 1
            seconds = length()
            computing += seconds
            # The looks of many idle workers are spread over the pause.
            look = rng.random() * max(PAUSE, workers / 2000) / (idle + 1)
            heapq.heappush(events, (database(now + look) + seconds, 1, trial))

    propose(0.0)
    now = 0.0
    while settled < trials:
        now, kind, trial = heapq.heappop(events)
        if kind == 0:
            waiting.append(trial)
        else:
            idle += 1
            done.add(trial)
            while settled in done:
                done.remove(settled)
                settled += 1
                propose(now)
        hand_out(now)
    return computing / (now * workers), control_busy / now, database_busy / (now * CORES), trials / now


def main():
    print("workers lookahead  trial s | computing  control database  trials/s")
    for mean in (1.0, 60.0):
        for workers in (10, 100, 1_000, 10_000):
            for factor in (1, 2, 4):
                lookahead = factor * workers
                trials = max(2_000, 8 * lookahead)
                compute, control, database, rate = simulate(workers, lookahead, mean, trials)
                print(
                    f"{workers:7} {lookahead:9} {mean:8.0f} | {compute:9.2f} {control:8.2f} {database:8.2f} {rate:9.1f}"
                )


if __name__ == "__main__":
    main()
