//! False claims of comparisons. Winners are drawn and not centred, test examples are drawn anew:
//! an analysis that counts one retraining as one observation, or leaves the examples out, fails here.

#[path = "../../benches/calibration/model.rs"]
mod model;

use model::{Grid, Normals, SETTINGS, Setting, Size, Tally, given_examples, simulate};
use strata::random::{Purpose, Seed};

fn is_slow() -> bool {
    std::env::var_os("STRATA_SLOW_TESTS").is_some()
}

/// Simulated comparisons of a setting whose search is better by `effect`, at every size of a grid.
fn tallies(setting: &Setting, effect: f64, grid: &Grid<'_>, draws: u64) -> Vec<(Size, Tally)> {
    let normals = Normals::new();
    let mut tallies: Vec<(Size, Tally)> = Vec::new();
    tallies.extend(
        grid.sizes()
            .into_iter()
            .map(|size| (size, Tally::default())),
    );
    for number in 0..draws {
        let mut stream = Seed(number)
            .derive(setting.name, 1)
            .stream(0, Purpose::Tool);
        let found = simulate(setting, effect, grid, &normals, &mut stream);
        for ((_, tally), simulated) in tallies.iter_mut().zip(&found) {
            tally.count(simulated, effect);
        }
    }
    tallies
}

#[test]
fn equal_arms_are_told_apart_at_most_as_often_as_said() {
    let whole = Grid {
        searches: &[3, 5, 8, 10, 20],
        retrainings: &[1, 2, 3, 5],
        examples: &[360, 1000, 3000],
    };
    let small = Grid {
        searches: &[8],
        retrainings: &[3],
        examples: &[360, 1000],
    };
    let (grid, draws) = if is_slow() {
        (whole, 2_000)
    } else {
        (small, 400)
    };
    // Three standard errors of 400 draws are 0.033; the bound itself is the slow test's.
    let (most, least_coverage) = if is_slow() {
        (0.065, 0.94)
    } else {
        (0.083, 0.91)
    };
    let mut levels = Vec::new();
    for setting in SETTINGS {
        for factor in [1.0, 2.0] {
            for (size, tally) in tallies(&setting.times(factor), 0.0, &grid, draws) {
                let (level, coverage) = (tally.share(|t| t.claimed), tally.share(|t| t.covered));
                let what = format!("{} x {factor}, {size:?}: {level}, {coverage}", setting.name);
                assert!(level <= most && coverage >= least_coverage, "{what}");
                levels.push(level);
            }
        }
    }
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    println!("{} cells of {draws} draws: {mean} on average", levels.len());
    assert!(mean <= 0.05, "{mean}");
}

#[test]
fn leaving_the_test_examples_out_is_found_out() {
    let grid = Grid {
        searches: &[8],
        retrainings: &[3],
        examples: &[360],
    };
    for setting in [SETTINGS[0], SETTINGS[2]] {
        let tally = tallies(&setting, 0.0, &grid, 400)[0].1;
        let (rule, wrong) = (
            tally.share(|t| t.claimed_at_5),
            tally.share(|t| t.without_examples),
        );
        println!("{}: {rule}, without examples {wrong}", setting.name);
        assert!(
            rule <= 0.083 && wrong >= 0.15,
            "{}: {rule}, {wrong}",
            setting.name
        );
    }
}

#[test]
fn counting_a_retraining_as_an_observation_is_found_out() {
    // Where examples are many, how searches vary is most of the error.
    let grid = Grid {
        searches: &[8],
        retrainings: &[5],
        examples: &[10_000],
    };
    let setting = SETTINGS[1].times(2.0);
    let tally = tallies(&setting, 0.0, &grid, 800)[0].1;
    let (rule, wrong) = (
        tally.share(|t| t.claimed_at_5),
        tally.share(|t| t.retrainings),
    );
    println!("{}: {rule}, by retrainings {wrong}", setting.name);
    assert!(rule <= 0.073 && wrong >= 0.12, "{rule}, {wrong}");

    // And where the examples are given, it is all of it.
    let size = Size {
        searches: 8,
        retrainings: 5,
        examples: 1000,
    };
    for setting in SETTINGS.iter().take(2) {
        let (mut rule, mut wrong) = (0, 0);
        for number in 0..1_000 {
            let mut stream = Seed(number)
                .derive(setting.name, 2)
                .stream(0, Purpose::Tool);
            let (ours, theirs) = given_examples(setting, size, &mut stream);
            rule += u32::from(ours < 0.05);
            wrong += u32::from(theirs < 0.05);
        }
        println!("{}: {rule}, by retrainings {wrong} of 1,000", setting.name);
        assert!(
            rule <= 71 && wrong >= 150,
            "{}: {rule}, {wrong}",
            setting.name
        );
    }
}

#[test]
fn a_large_difference_is_shown() {
    let grid = Grid {
        searches: &[8],
        retrainings: &[3],
        examples: &[1000],
    };
    let tally = tallies(&SETTINGS[0], 0.01, &grid, 50)[0].1;
    assert!(tally.share(|t| t.claimed) >= 0.9, "{tally:?}");
}
