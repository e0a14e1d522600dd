//! The queue against the tables themselves: who holds what, whatever happens at the same time.

use super::postgresql::Postgresql;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;
use strata::run::shared::{LeaseTerms, Program, Session, SharedError, Standing, Task};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);

fn program() -> Program {
    Program {
        build: "b".to_owned(),
        instructions: "i".to_owned(),
        protocol: 0,
    }
}

/// A run with `count` pieces of work, called `0`, `1` and so on.
fn filled(server: &Postgresql, run: &str, length: Duration, count: usize) -> Session {
    let mut session = server.session();
    let terms = LeaseTerms { length, losses: 3 };
    session
        .run(run)
        .create(&program(), terms, &[], Some("first"))
        .unwrap();
    for number in 0..count {
        let unit = number.to_string();
        let assignment = format!("do {number}");
        let task = Task {
            unit: &unit,
            place: number as i64,
            assignment: assignment.as_bytes(),
        };
        session.queue(run).submit(&task).unwrap();
    }
    session
}

fn join(session: &mut Session, run: &str) -> i32 {
    session.queue(run).join("a test").unwrap().0
}

fn count(server: &Postgresql, sql: &str, run: &str) -> i64 {
    server.client().query_one(sql, &[&run]).unwrap().get(0)
}

#[test]
fn many_workers_do_each_piece_of_work_once() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "once";
    filled(&server, run, LONG, 300);
    let workers = 8;
    let start = Barrier::new(workers);
    let done: Vec<Vec<String>> = thread::scope(|scope| {
        let work = || {
            let mut session = server.session();
            let worker = join(&mut session, run);
            start.wait();
            let mut mine = Vec::new();
            while let Some(leased) = session.queue(run).lease(worker).unwrap() {
                assert_eq!(
                    leased.assignment,
                    format!("do {}", leased.lease.unit).as_bytes()
                );
                assert_eq!(leased.lease.attempt, 1);
                assert!(session.queue(run).finish(&leased.lease, b"result").unwrap());
                mine.push(leased.lease.unit);
            }
            mine
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    let mut times = BTreeMap::new();
    for unit in done.into_iter().flatten() {
        *times.entry(unit).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 300);
    assert!(times.values().all(|&times| times == 1));
    let finished = "SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome = 'finished'";
    assert_eq!(count(&server, finished, run), 300);
}

#[test]
fn work_is_given_in_order() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut session = filled(&server, "order", LONG, 12);
    let worker = join(&mut session, "order");
    for number in 0..12 {
        let leased = session.queue("order").lease(worker).unwrap().unwrap();
        assert_eq!(leased.lease.unit, number.to_string());
    }
    assert!(session.queue("order").lease(worker).unwrap().is_none());
}

#[test]
fn a_result_after_the_lease_went_to_another_is_refused() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "late";
    let mut session = filled(&server, run, SHORT, 1);
    let (slow, quick) = (join(&mut session, run), join(&mut session, run));
    let mut queue = session.queue(run);
    let first = queue.lease(slow).unwrap().unwrap().lease;
    thread::sleep(Duration::from_millis(5));
    assert_eq!(queue.reap().unwrap(), 1);
    assert!(!queue.finish(&first, b"too late").unwrap());
    let second = queue.lease(quick).unwrap().unwrap().lease;
    assert_eq!(second.attempt, 2);
    assert!(
        queue
            .extend(std::slice::from_ref(&first))
            .unwrap()
            .is_empty()
    );
    assert!(!queue.finish(&first, b"too late").unwrap());
    assert!(queue.finish(&second, b"in time").unwrap());
    assert!(!queue.finish(&first, b"too late").unwrap());
    // An answer that was lost is asked for again.
    assert!(queue.finish(&second, b"in time").unwrap());
    let outcome = Standing::Done {
        worker: quick,
        result: b"in time".to_vec(),
    };
    assert_eq!(
        queue.standings(&["0".to_owned()]).unwrap(),
        [("0".to_owned(), outcome)]
    );
}

#[test]
fn a_result_after_the_lease_counts_if_nobody_took_the_work() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "untaken";
    let mut session = filled(&server, run, SHORT, 1);
    let worker = join(&mut session, run);
    let mut queue = session.queue(run);
    let lease = queue.lease(worker).unwrap().unwrap().lease;
    thread::sleep(Duration::from_millis(5));
    assert!(queue.finish(&lease, b"result").unwrap());
    assert_eq!(queue.reap().unwrap(), 0);
}

#[test]
fn a_lease_that_is_extended_is_not_reaped() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "extended";
    let mut session = filled(&server, run, Duration::from_millis(400), 1);
    let worker = join(&mut session, run);
    let mut queue = session.queue(run);
    let lease = queue.lease(worker).unwrap().unwrap().lease;
    let mut client = server.client();
    for _ in 0..3 {
        // As if the lease were all but over.
        let almost = "UPDATE strata.work SET lease_until = clock_timestamp() WHERE run = $1";
        client.execute(almost, &[&run]).unwrap();
        let held = queue.extend(std::slice::from_ref(&lease)).unwrap();
        assert_eq!(held, std::slice::from_ref(&lease));
        assert_eq!(queue.reap().unwrap(), 0);
    }
}

#[test]
fn three_losses_are_final_and_releases_are_not_counted() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "losses";
    let mut session = filled(&server, run, SHORT, 1);
    let worker = join(&mut session, run);
    let mut queue = session.queue(run);
    for loss in 1..=3 {
        for _ in 0..2 {
            queue.lease(worker).unwrap().unwrap();
            queue.release_all(worker).unwrap();
        }
        let lease = queue.lease(worker).unwrap().unwrap().lease;
        assert_eq!(lease.attempt, 3 * loss);
        thread::sleep(Duration::from_millis(5));
        assert_eq!(queue.reap().unwrap(), 1);
    }
    assert!(queue.lease(worker).unwrap().is_none());
    let lost = Standing::Lost { worker, losses: 3 };
    assert_eq!(
        queue.standings(&["0".to_owned()]).unwrap(),
        [("0".to_owned(), lost)]
    );
    let count_of = |outcome: &str| {
        let sql =
            format!("SELECT count(*) FROM strata.attempt WHERE run = $1 AND outcome = '{outcome}'");
        count(&server, &sql, run)
    };
    assert_eq!((count_of("lost"), count_of("released")), (3, 6));
}

#[test]
fn of_a_result_and_a_reaper_exactly_one_wins() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "race";
    let pieces = 60;
    let mut session = filled(&server, run, SHORT, pieces);
    let worker = join(&mut session, run);
    let start = Arc::new(Barrier::new(3));
    let reaper = |start: Arc<Barrier>| {
        let mut session = server.session();
        move || {
            let mut reaped = 0;
            for _ in 0..pieces {
                start.wait();
                reaped += session.queue(run).reap().unwrap();
                start.wait();
            }
            reaped
        }
    };
    let (one, two) = (reaper(Arc::clone(&start)), reaper(Arc::clone(&start)));
    let (accepted, reaped) = thread::scope(|scope| {
        let reapers = [scope.spawn(one), scope.spawn(two)];
        let mut accepted = 0;
        for _ in 0..pieces {
            let lease = session.queue(run).lease(worker).unwrap().unwrap().lease;
            thread::sleep(Duration::from_millis(2));
            start.wait();
            let counts = session.queue(run).finish(&lease, b"result").unwrap();
            start.wait();
            accepted += u64::from(counts);
            if !counts {
                // It waits again: hand it to nobody else.
                let taken = session
                    .queue(run)
                    .cancel(std::slice::from_ref(&lease.unit))
                    .unwrap();
                assert_eq!(taken, [lease.unit]);
            }
        }
        let reaped: u64 = reapers
            .into_iter()
            .map(|reaper| reaper.join().unwrap())
            .sum();
        (accepted, reaped)
    });
    assert_eq!(accepted + reaped, pieces as u64);
    let done = "SELECT count(*) FROM strata.work WHERE run = $1 AND state = 'done'";
    assert_eq!(count(&server, done, run), accepted as i64);
}

#[test]
fn nothing_is_reaped_until_a_lease_has_passed_since_the_database_started() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let run = "outage";
    let mut session = filled(&server, run, LONG, 1);
    let worker = join(&mut session, run);
    let mut queue = session.queue(run);
    queue.lease(worker).unwrap().unwrap();
    let past =
        "UPDATE strata.work SET lease_until = clock_timestamp() - interval '1 day' WHERE run = $1";
    server.client().execute(past, &[&run]).unwrap();
    assert_eq!(queue.reap().unwrap(), 0);
}

#[test]
fn many_processes_make_the_tables_at_once() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    server
        .client()
        .batch_execute("CREATE DATABASE fresh")
        .unwrap();
    let url = server.url("x").replace("/postgres?", "/fresh?");
    let open = || {
        let password = Some(strata::run::shared::Secret::new(
            super::postgresql::PASSWORD,
        ));
        let surroundings = strata::run::shared::Surroundings {
            password,
            ..Default::default()
        };
        let secret = strata::run::shared::Secret::new(url.clone());
        let address = strata::run::shared::Address::parse(&secret, &surroundings).unwrap();
        Session::open(&address).map(|_| ())
    };
    thread::scope(|scope| {
        let opened: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        for session in opened {
            session.join().unwrap().unwrap();
        }
    });
    let mut config: postgres::Config = url.split('?').next().unwrap().parse().unwrap();
    let mut client = config
        .password(super::postgresql::PASSWORD)
        .connect(postgres::NoTls)
        .unwrap();
    client
        .batch_execute("INSERT INTO strata.migration VALUES (99)")
        .unwrap();
    let error = open().unwrap_err();
    assert!(
        matches!(error, SharedError::NewerTables { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_record_is_written_once_and_in_its_turn() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut session = filled(&server, "records", LONG, 0);
    let mut run = session.run("records");
    assert_eq!(run.append(1, "mine").unwrap(), None);
    assert_eq!(run.append(1, "another's").unwrap(), Some("mine".to_owned()));
    assert!(matches!(
        run.append(3, "too early"),
        Err(SharedError::Damaged { .. })
    ));
    assert_eq!(run.lines(0).unwrap(), ["first", "mine"]);
    assert_eq!(run.lines(1).unwrap(), ["mine"]);
}

#[test]
fn a_run_is_made_once() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let mut session = filled(&server, "made", LONG, 0);
    let other = Program {
        build: "other".to_owned(),
        ..program()
    };
    let files = [("space.space".to_owned(), b"text".to_vec())];
    let mut run = session.run("made");
    run.create(&other, LeaseTerms::default(), &files, Some("other"))
        .unwrap();
    assert_eq!(run.find().unwrap().unwrap().program, program());
    assert_eq!(run.lines(0).unwrap(), ["first"]);
    assert_eq!(run.files().unwrap(), []);
    let missing = session.queue("missing").join("a test").unwrap_err();
    assert!(
        missing.to_string().contains("no run `missing`"),
        "{missing}"
    );
}

#[test]
fn a_wrong_password_is_refused_at_once_and_not_shown() {
    let Some(server) = Postgresql::shared() else {
        return;
    };
    let surroundings = strata::run::shared::Surroundings {
        password: Some(strata::run::shared::Secret::new("hunter2")),
        ..Default::default()
    };
    let secret = strata::run::shared::Secret::new(server.url("x"));
    let address = strata::run::shared::Address::parse(&secret, &surroundings).unwrap();
    let error = Session::open(&address).err().unwrap();
    assert!(!error.is_passing(), "{error}");
    assert!(!format!("{error} {error:?} {address:?}").contains("hunter2"));
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
}

/// How fast the queue is, for docs/scale.md: `STRATA_SLOW_TESTS=1 cargo test --release --test it keep_up`.
#[test]
fn sixty_four_workers_keep_up_with_short_trials() {
    if std::env::var_os("STRATA_SLOW_TESTS").is_none() {
        return;
    }
    let Some(server) = Postgresql::start("127.0.0.1", &["fsync = on"]) else {
        return;
    };
    let (run, pieces, workers) = ("speed", 10_000, 64);
    filled(&server, run, LONG, 0);
    let fill = "INSERT INTO strata.work (run, unit, place, assignment)
                SELECT $1, n::text, n, repeat('a', 400)::bytea FROM generate_series(1, $2::bigint) AS n";
    let count = i64::from(pieces);
    server.client().execute(fill, &[&run, &count]).unwrap();
    let start = Barrier::new(workers + 1);
    let result = vec![b'r'; 400];
    let seconds = thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut session = server.session();
                let worker = join(&mut session, run);
                start.wait();
                while let Some(leased) = session.queue(run).lease(worker).unwrap() {
                    assert!(session.queue(run).finish(&leased.lease, &result).unwrap());
                }
                start.wait();
            });
        }
        start.wait();
        let begun = std::time::Instant::now();
        start.wait();
        begun.elapsed().as_secs_f64()
    });
    let rate = f64::from(pieces) / seconds;
    eprintln!("{workers} workers: {rate:.0} trials leased and handed in a second");
}
