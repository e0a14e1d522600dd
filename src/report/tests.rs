//! The conclusions on simulated arms whose truth is known.

use super::contrast::contrasts_with;
use super::*;
use crate::random::{Purpose, Seed, Stream};
use crate::statistics::Bootstrap;

/// Scores of one network: shares of right answers among 360, and what training makes of them.
fn scores(mean: f64, seed: u32, count: u32, stream: &mut Stream) -> Vec<Score> {
    let one = |retraining| {
        let right = (mean + 0.006 * stream.normal()).min(1.0);
        let value = (right * 360.0).round() / 360.0;
        Score {
            search_seed: seed,
            retraining,
            value,
        }
    };
    (1..=count).map(one).collect()
}

/// An arm whose networks have these true means, one for each search seed.
fn arm(name: &str, role: Role, means: [f64; 3], stream: &mut Stream) -> Arm {
    let mut arm = Arm::empty(name.to_owned(), role);
    for (index, mean) in means.into_iter().enumerate() {
        let seed = index as u32 + 1;
        arm.scores.extend(scores(mean, seed, 5, stream));
    }
    arm
}

/// A comparison whose searched networks are on average better by `shift` than four hand-designed ones.
fn simulated(number: u64, shift: f64) -> Analysis {
    let mut stream = Seed(number).stream(0, Purpose::Tool);
    // Winners differ from seed to seed; their mean is what it is.
    let spread: [f64; 3] = std::array::from_fn(|_| 0.004 * stream.normal());
    let centre = spread.iter().sum::<f64>() / 3.0;
    let winners = spread.map(|away| 0.95 + shift + away - centre);
    let mut arms = vec![
        arm("evolution", Role::Search, winners, &mut stream),
        arm("random", Role::RandomSearch, [0.95; 3], &mut stream),
        arm(
            "random networks",
            Role::RandomNetworks,
            [0.95; 3],
            &mut stream,
        ),
    ];
    for name in ["mlp", "lenet", "vgg", "resnet"] {
        arms.push(arm(name, Role::HandDesigned, [0.95; 3], &mut stream));
    }
    let mut analysis = Analysis {
        name: "simulated".to_owned(),
        score_name: "accuracy".to_owned(),
        quick: false,
        complete: true,
        search_seeds: 3,
        retrain_seeds: 5,
        test_examples: Some(360),
        verdict: Verdict::default(),
        arms,
        designs: Vec::new(),
        methods: Vec::new(),
        agreement: None,
    };
    // Nothing here looks at intervals.
    let few = Bootstrap {
        resamples: 9,
        level: 0.95,
    };
    let contrasts = |unit| contrasts_with(&few, &analysis.arms, unit, Seed(number));
    let (designs, methods) = (contrasts(Unit::Retraining), contrasts(Unit::SearchSeed));
    (analysis.designs, analysis.methods) = (designs, methods);
    analysis
}

/// The share of simulated comparisons in which something is said to differ.
fn share(trials: u64, shift: f64, said: impl Fn(&Analysis) -> bool) -> f64 {
    let hits = (0..trials).filter(|&number| said(&simulated(number, shift)));
    hits.count() as f64 / trials as f64
}

fn claims(analysis: &Analysis) -> bool {
    let all = analysis.designs.iter().chain(&analysis.methods);
    all.into_iter()
        .any(|contrast| contrast.finding != Finding::NotShown)
}

#[test]
fn arms_that_do_not_differ_are_said_to_differ_at_most_one_time_in_twenty() {
    let slow = std::env::var_os("STRATA_SLOW_TESTS").is_some();
    let trials = if slow { 10_000 } else { 500 };
    let found = share(trials, 0.0, claims);
    println!("{trials} comparisons of equal arms: {found} claim a difference");
    // The slow test holds the bound itself; three standard errors of 500 draws are 0.03.
    let bound = if slow { 0.05 } else { 0.08 };
    assert!(found <= bound, "{found}");
}

#[test]
fn a_large_difference_is_seen_and_its_side_is_right() {
    let better = |analysis: &Analysis| {
        let all = |contrast: &Contrast| contrast.finding == Finding::Better;
        analysis.designs.iter().all(all)
    };
    let worse = |analysis: &Analysis| {
        let all = |contrast: &Contrast| contrast.finding == Finding::Worse;
        analysis.designs.iter().all(all)
    };
    assert!(share(20, 0.02, better) >= 0.95);
    assert!(share(20, -0.02, worse) >= 0.95);
}

#[test]
fn the_words_say_better_only_where_the_test_does() {
    for number in 0..8 {
        let shift = [0.0, 0.004, 0.02, -0.02][number as usize % 4];
        let mut analysis = simulated(number, shift);
        for quick in [false, true] {
            analysis.quick = quick;
            analysis.conclude(Seed(number));
            let words = [
                std::slice::from_ref(&analysis.verdict.headline),
                &analysis.verdict.sentences,
            ]
            .concat()
            .join(" ");
            let findings = analysis.designs.iter().chain(&analysis.methods);
            let shown = findings
                .into_iter()
                .any(|found| found.finding != Finding::NotShown);
            let claims = words.contains("better") || words.contains("worse");
            assert!(!claims || (shown && !quick), "{words}");
            assert_eq!(quick, words.contains("Not evidence"), "{words}");
        }
    }
}
