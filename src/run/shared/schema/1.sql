-- Version 1. All times are the database's own; the clocks of hosts count nowhere.

-- A run, and what a process must be to take part in it.
CREATE TABLE strata.run (
    name         text PRIMARY KEY,
    build        text NOT NULL,        -- SHA-256 of the program that started it
    instructions text NOT NULL,        -- what decides the last bits of sums there
    protocol     integer NOT NULL,     -- version of assignments and results
    lease_ms     integer NOT NULL CHECK (lease_ms > 0),
    losses       integer NOT NULL CHECK (losses > 0),   -- as many make a piece of work fail for good
    workers      integer NOT NULL DEFAULT 0,            -- how many ever asked for work
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz           -- when the controller was done with it
);

-- The texts that a run is made from, by their paths in a run folder.
CREATE TABLE strata.file (
    run     text NOT NULL REFERENCES strata.run ON DELETE CASCADE,
    path    text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run, path)
);

-- The journal: line `seq` of the file that it would be.
CREATE TABLE strata.record (
    run  text NOT NULL REFERENCES strata.run ON DELETE CASCADE,
    seq  bigint NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (run, seq)
);

-- Whoever asked for work. A number is never used twice.
CREATE TABLE strata.worker (
    run       text NOT NULL REFERENCES strata.run ON DELETE CASCADE,
    number    integer NOT NULL,
    name      text NOT NULL,        -- host and process, for people
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, number)
);

-- Pieces of work: trials, and retrainings of the final evaluation.
CREATE TABLE strata.work (
    run         text NOT NULL REFERENCES strata.run ON DELETE CASCADE,
    unit        text NOT NULL,      -- what it is
    place       bigint NOT NULL,    -- work is handed out in this order
    assignment  bytea NOT NULL,     -- all that a worker needs to know
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'lost')),
    attempt     integer NOT NULL DEFAULT 0,  -- rises with every lease; with `worker`, the fence
    worker      integer,            -- who holds the lease, or held it last
    lease_until timestamptz,
    losses      integer NOT NULL DEFAULT 0,
    result      bytea,
    PRIMARY KEY (run, unit),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state = 'done') = (result IS NOT NULL))
);
CREATE INDEX work_waiting ON strata.work (run, place) WHERE state = 'waiting';
CREATE INDEX work_running ON strata.work (run, lease_until) WHERE state = 'running';

-- Every lease that was given, and what became of it. Nothing is decided by it.
CREATE TABLE strata.attempt (
    run        text NOT NULL,
    unit       text NOT NULL,
    attempt    integer NOT NULL,
    worker     integer NOT NULL,
    outcome    text CHECK (outcome IN ('finished', 'released', 'lost')),
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz,
    PRIMARY KEY (run, unit, attempt, worker),
    FOREIGN KEY (run, unit) REFERENCES strata.work ON DELETE CASCADE
);
