use super::*;
use crate::run::comparison::Plan;
use crate::run::experiment::Experiment;
use crate::statistics::claims::alpha;
use std::fs;

fn intent(data: &str, plan: &str) -> Intent {
    Intent {
        data: data.to_owned(),
        plan: plan.to_owned(),
        kind: Kind::Search,
        experiment: "tiny".to_owned(),
    }
}

fn taken(folder: &Path, data: &str, plan: &str, seeds: &[u64]) -> Written {
    let seeds = seeds.iter().copied().map(Seed).collect();
    write_down(folder, &intent(data, plan), seeds, 1.0).unwrap()
}

fn lines(folder: &Path) -> usize {
    let text = fs::read_to_string(path_in(folder)).unwrap();
    text.lines().count()
}

#[test]
fn levels_of_all_looks_add_up_to_five_percent() {
    let golden = [
        (1, 0.04),
        (2, 0.006_079_271_018_540_266),
        (3, 0.001_519_817_754_635_066_6),
        (4, 0.000_675_474_557_615_585_1),
        (10, 7.505_272_862_395_391e-5),
    ];
    for (look, wanted) in golden {
        assert!((alpha(look) - wanted).abs() <= 1e-9 * wanted, "{look}");
    }
    let sum: f64 = (1..200_000).map(alpha).sum();
    assert!((sum - 0.05).abs() < 1e-7, "{sum}");
}

#[test]
fn each_plan_is_one_look_and_each_data_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let numbers = [("a", "p"), ("a", "q"), ("b", "p"), ("a", "p"), ("a", "r")]
        .map(|(data, plan)| taken(folder, data, plan, &[1]).look);
    assert_eq!(numbers, [1, 2, 1, 1, 3]);
    assert_eq!(lines(folder), 4, "a plan that is known adds no line");
    let looks = Looks::read(folder).unwrap();
    assert_eq!(looks.all()[1].alpha.to_bits(), alpha(2).to_bits());
    assert!(looks.repeats("a", 2, &[Seed(1)]) && !looks.repeats("a", 2, &[Seed(2)]));
    assert!(!looks.repeats("a", 1, &[Seed(1)]));
}

#[test]
fn a_verdict_is_added_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    taken(folder, "a", "p", &[1]);
    let wanted = intent("a", "p");
    for verdict in ["nothing is shown", "something is"] {
        conclude(folder, &wanted, verdict, Some(0.2)).unwrap();
    }
    conclude(folder, &intent("a", "unknown"), "nothing", None).unwrap();
    assert_eq!(lines(folder), 2);
    let looks = Looks::read(folder).unwrap();
    let [look] = looks.all() else {
        panic!("{looks:?}");
    };
    assert_eq!(look.verdict.as_deref(), Some("nothing is shown"));
    assert_eq!((look.look, look.p), (1, Some(0.2)));
}

#[test]
fn processes_that_look_at_once_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers: Vec<u32> = std::thread::scope(|scope| {
        let look = |plan: usize| taken(folder.path(), "a", &plan.to_string(), &[1]).look;
        let threads: Vec<_> = (0..16)
            .map(|plan| scope.spawn(move || look(plan)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).collect::<Vec<u32>>());
    assert_eq!(Looks::read(folder.path()).unwrap().all().len(), 16);
}

#[test]
fn a_line_that_was_cut_short_is_no_look_and_a_damaged_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    taken(folder, "a", "p", &[1]);
    let path = path_in(folder);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();
    assert_eq!(taken(folder, "a", "q", &[1]).look, 2);
    assert_eq!(lines(folder), 2);
    fs::write(&path, format!("{whole}nonsense\n")).unwrap();
    let error = write_down(folder, &intent("a", "q"), vec![Seed(1)], 1.0).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("line 2 is damaged"), "{said}");
}

#[test]
fn a_ledger_that_cannot_be_written_is_no_obstacle_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let written = taken(&file, "a", "p", &[1]);
    assert_eq!(written.look, 1);
    let why = written.unwritten.unwrap();
    assert!(why.contains("test_looks.jsonl"), "{why}");
}

const EXPERIMENT: &str = "name = \"tiny\"\nspace = \"tiny.space\"\nseed = 7\ndata.name = \"digits\"\n\
    budget.trials = 20\nsearch = { population = 6, workers = 2 }\n";

fn searched(from: &str, to: &str) -> String {
    let experiment = Experiment::parse("tiny.toml", &EXPERIMENT.replace(from, to)).unwrap();
    let hashes = TextHashes {
        space: "s",
        baselines: &["b".to_owned()],
    };
    of_search(&experiment, hashes)
}

fn compared(from: &str, to: &str, more: &str) -> String {
    let text = EXPERIMENT.replace(from, to) + more;
    let experiment = Experiment::parse("tiny.toml", &text).unwrap();
    let hashes = TextHashes {
        space: "s",
        baselines: &[],
    };
    of_comparison(&Plan::of(&experiment, false).unwrap(), hashes)
}

#[test]
fn names_folders_and_workers_are_no_part_of_a_plan() {
    let plan = searched("", "");
    for (from, to) in [
        ("\"tiny\"", "\"other\""),
        ("tiny.space", "../spaces/tiny.space"),
        ("workers = 2", "workers = 4"),
        (
            "budget.trials",
            "trial.isolate = \"process\"\nbudget.trials",
        ),
    ] {
        assert_eq!(searched(from, to), plan, "{to}");
    }
    for (from, to) in [
        ("seed = 7", "seed = 8"),
        ("trials = 20", "trials = 21"),
        ("population = 6", "population = 7"),
        ("budget.trials", "data.split_seed = 1\nbudget.trials"),
        ("budget.trials", "final.retrain_seeds = 2\nbudget.trials"),
    ] {
        assert_ne!(searched(from, to), plan, "{to}");
    }
}

#[test]
fn a_comparison_is_another_plan_than_its_search_whatever_its_searches_are_called() {
    let two = |name: &str| {
        format!(
            "[[compare.search]]\nname = \"{name}\"\n[[compare.search]]\nname = \"b\"\nseed = 99\n"
        )
    };
    let plan = compared("", "", &two("a"));
    assert_ne!(plan, searched("", ""));
    assert_eq!(compared("", "", &two("another")), plan);
    assert_eq!(compared("workers = 2", "workers = 1", &two("a")), plan);
    let other_root = two("a").replace("99", "98");
    assert_ne!(compared("", "", &other_root), plan);
    assert_ne!(compared("seed = 7", "seed = 8", &two("a")), plan);
}

#[test]
fn a_later_look_has_seeds_that_no_earlier_one_had() {
    let more = "[[compare.search]]\nname = \"a\"\n[[compare.search]]\nname = \"b\"\nseed = 99\n";
    let experiment = Experiment::parse("tiny.toml", &(EXPERIMENT.to_owned() + more)).unwrap();
    let plan = Plan::of(&experiment, false).unwrap();
    let all: Vec<Vec<Seed>> = (1..=4).map(|look| plan.as_look(look).seeds()).collect();
    assert_eq!(all[0], plan.seeds());
    // Eight of a and of random search, counting up from 7, and eight of b.
    assert_eq!(all[0].len(), 16);
    let mut together = all.concat();
    together.sort_unstable_by_key(|seed| seed.0);
    together.dedup();
    assert_eq!(together.len(), 64);
}
