//! False claims of comparisons, counted: `cargo bench --bench calibration [-- DRAWS]` makes the tables of
//! docs/comparisons.md again, in Markdown. The same number of draws gives the same tables.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod model;

use model::{Grid, Normals, SETTINGS, Setting, Size, Tally, given_examples, simulate};
use rayon::prelude::*;
use strata::random::{Purpose, Seed};

const GRID: Grid<'static> = Grid {
    searches: &[3, 5, 8, 10, 20],
    retrainings: &[1, 2, 3, 5],
    examples: &[360, 1000, 3000],
};

/// One setting at every size.
struct Cells {
    setting: Setting,
    tallies: Vec<(Size, Tally)>,
}

fn cells(setting: Setting, effect: f64, grid: &Grid<'_>, draws: u64, normals: &Normals) -> Cells {
    let sizes = grid.sizes();
    let empty = || vec![Tally::default(); sizes.len()];
    let draw = |mut tallies: Vec<Tally>, number: u64| {
        let seed = Seed(number).derive(setting.name, 0);
        let mut stream = seed.stream(effect.to_bits(), Purpose::Tool);
        let found = simulate(&setting, effect, grid, normals, &mut stream);
        for (tally, simulated) in tallies.iter_mut().zip(&found) {
            tally.count(simulated, effect);
        }
        tallies
    };
    let add =
        |a: Vec<Tally>, b: Vec<Tally>| a.into_iter().zip(b).map(|(a, b)| both(a, b)).collect();
    let tallies = (0..draws)
        .into_par_iter()
        .fold(empty, draw)
        .reduce(empty, add);
    Cells {
        setting,
        tallies: sizes.into_iter().zip(tallies).collect(),
    }
}

/// The counts of both.
fn both(a: Tally, b: Tally) -> Tally {
    Tally {
        draws: a.draws + b.draws,
        claimed: a.claimed + b.claimed,
        claimed_at_5: a.claimed_at_5 + b.claimed_at_5,
        covered: a.covered + b.covered,
        retrainings: a.retrainings + b.retrainings,
        pooled: a.pooled + b.pooled,
        without_examples: a.without_examples + b.without_examples,
    }
}

/// The mean, the least and the most of a share over cells, in percent.
fn spread(cells: &[Cells], searches: usize, of: fn(&Tally) -> u32) -> String {
    let all = cells.iter().flat_map(|cells| &cells.tallies);
    let shares: Vec<f64> = all
        .filter(|(size, _)| size.searches == searches)
        .map(|(_, tally)| 100.0 * tally.share(of))
        .collect();
    summary(&shares)
}

fn summary(shares: &[f64]) -> String {
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let most = shares.iter().copied().fold(0.0, f64::max);
    format!("{mean:.1} ({least:.1}–{most:.1})")
}

fn levels(title: &str, cells: &[Cells]) {
    println!("\n{title}\n");
    println!("| % | S = 3 | 5 | 8 | 10 | 20 |\n| --- | --- | --- | --- | --- | --- |");
    type Share = fn(&Tally) -> u32;
    let rows: [(&str, Share); 6] = [
        ("**false claims of the headline, level .04**", |t| t.claimed),
        ("the same at .05", |t| t.claimed_at_5),
        ("95% intervals that hold the truth", |t| t.covered),
        ("*wrong:* one retraining as one observation, .05", |t| {
            t.retrainings
        }),
        ("*wrong:* the test examples left out, .05", |t| {
            t.without_examples
        }),
        ("*wrong:* both, .05", |t| t.pooled),
    ];
    for (name, share) in rows {
        let columns: Vec<String> = GRID
            .searches
            .iter()
            .map(|&searches| spread(cells, searches, share))
            .collect();
        println!("| {name} | {} |", columns.join(" | "));
    }
}

/// The levels of claims about the examples at hand. All variances larger by a factor give the same.
fn given(draws: u64) {
    println!(
        "\nClaims about the test examples at hand, R = 2, 3, 5\n\n| % | S = 3 | 5 | 8 | 10 | 20 |\n| --- | --- | --- | --- | --- | --- |"
    );
    let mut rows = [Vec::new(), Vec::new()];
    for &searches in GRID.searches {
        let mut shares = [Vec::new(), Vec::new()];
        for setting in SETTINGS {
            for &retrainings in &GRID.retrainings[1..] {
                let size = Size {
                    searches,
                    retrainings,
                    examples: 1000,
                };
                let p = |number: u64| {
                    let seed = Seed(number).derive(setting.name, retrainings as u64);
                    let mut stream = seed.stream(searches as u64, Purpose::Tool);
                    let (rule, wrong) = given_examples(&setting, size, &mut stream);
                    [u32::from(rule < 0.05), u32::from(wrong < 0.05)]
                };
                let add = |a: [u32; 2], b: [u32; 2]| [a[0] + b[0], a[1] + b[1]];
                let found = (0..draws).into_par_iter().map(p).reduce(|| [0, 0], add);
                for (shares, found) in shares.iter_mut().zip(found) {
                    shares.push(100.0 * f64::from(found) / draws as f64);
                }
            }
        }
        for (row, shares) in rows.iter_mut().zip(shares) {
            row.push(summary(&shares));
        }
    }
    let names = [
        "**the rule, .05**",
        "*wrong:* one retraining as one observation, .05",
    ];
    for (name, row) in names.iter().zip(rows) {
        println!("| {name} | {} |", row.join(" | "));
    }
}

fn power(effect: f64, draws: u64, normals: &Normals) {
    let grid = Grid {
        retrainings: &[3],
        ..GRID
    };
    for setting in SETTINGS {
        let cells = cells(setting, effect, &grid, draws, normals);
        let shares = |examples: usize| -> String {
            let of = cells
                .tallies
                .iter()
                .filter(|(size, _)| size.examples == examples);
            let shares = of.map(|(_, tally)| format!("{:.0}", 100.0 * tally.share(|t| t.claimed)));
            shares.collect::<Vec<_>>().join("/")
        };
        let columns: Vec<String> = GRID.examples.iter().map(|&n| shares(n)).collect();
        println!(
            "| {} | +{:.1} | {} |",
            cells.setting.name,
            100.0 * effect,
            columns.join(" | ")
        );
    }
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok());
    let draws: u64 = arguments.next().unwrap_or(2_000);
    let normals = Normals::new();
    for (title, factor) in [
        ("Variances as in the committed comparisons", 1.0),
        ("Twice these variances", 2.0),
    ] {
        let found: Vec<Cells> = SETTINGS
            .iter()
            .map(|setting| cells(setting.times(factor), 0.0, &GRID, draws, &normals))
            .collect();
        levels(&format!("{title}, {draws} draws a cell"), &found);
    }
    given(2 * draws);
    println!("\nPower in percent at level .04, 3 retrainings, S = 3/5/8/10/20\n");
    println!(
        "| setting | effect, points | n = 360 | 1000 | 3000 |\n| --- | --- | --- | --- | --- |"
    );
    for effect in [0.003, 0.005, 0.01] {
        power(effect, draws.div_ceil(4), &normals);
    }
}
