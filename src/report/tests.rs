//! The conclusions on scores that are given: what the words may say, and what the committed ones do say.

use super::*;
use crate::statistics::claims::alpha;

/// An arm whose searches, or trainings, have these scores.
fn arm(name: &str, role: Role, searches: &[&[f64]]) -> Arm {
    let mut arm = Arm::empty(name.to_owned(), role);
    for (seed, scores) in (1..).zip(searches) {
        let numbered = (1..).zip(*scores);
        arm.scores
            .extend(numbered.map(|(retraining, &value)| Score {
                search_seed: seed,
                retraining,
                value,
                contributions: None,
            }));
        arm.seeds.push(u64::from(seed));
    }
    arm
}

/// Scores of `searches` winners around `centre`, three retrainings each.
fn around(centre: f64, searches: usize) -> Vec<Vec<f64>> {
    let away = |s: usize| {
        [
            0.001, -0.002, 0.0015, -0.0005, 0.002, -0.001, 0.0005, -0.0015,
        ][s % 8]
    };
    let scores = |s| {
        [0.0004, -0.0006, 0.0002]
            .map(|r| centre + away(s) + r)
            .to_vec()
    };
    (0..searches).map(scores).collect()
}

fn views(scores: &[Vec<f64>]) -> Vec<&[f64]> {
    scores.iter().map(Vec::as_slice).collect()
}

/// A comparison of a search that is better by `shift` than two designs.
fn comparison(shift: f64, searches: usize) -> Analysis {
    let mut analysis = Analysis::empty("simulated".to_owned(), "accuracy".to_owned());
    (analysis.search_seeds, analysis.retrain_seeds) = (searches as u32, 3);
    analysis.test_examples = Some(2000);
    let found = around(0.95 + shift, searches);
    let random = around(0.94, searches);
    analysis
        .arms
        .push(arm("evolution", Role::Search, &views(&found)));
    analysis
        .arms
        .push(arm("random", Role::RandomSearch, &views(&random)));
    let design = around(0.95, 8);
    analysis
        .arms
        .push(arm("lenet", Role::HandDesigned, &views(&design)));
    let worse = around(0.92, 8);
    analysis
        .arms
        .push(arm("mlp", Role::HandDesigned, &views(&worse)));
    analysis.conclude();
    analysis
}

/// With contributions of examples: `n` of them, of which each score's share is right.
fn with_examples(mut analysis: Analysis, spread: f64) -> Analysis {
    let pairs: Vec<(String, String)> = analysis
        .contrasts
        .iter()
        .map(|contrast| (contrast.first.clone(), contrast.second.clone()))
        .collect();
    analysis.examples = pairs
        .into_iter()
        .map(|(first, second)| ContrastExamples {
            first,
            second,
            examples: crate::statistics::claims::ExampleVariance {
                variance: spread * spread,
                count: 2000,
            },
        })
        .collect();
    analysis.conclude();
    analysis
}

fn words(analysis: &Analysis) -> String {
    let verdict = &analysis.verdict;
    let all = [std::slice::from_ref(&verdict.headline), &verdict.sentences];
    all.concat().join(" ")
}

#[test]
fn without_examples_a_difference_is_shown_on_these_examples_only() {
    let analysis = comparison(0.01, 8);
    let headline = &analysis.verdict.headline;
    assert!(
        headline.starts_with(
            "On these 2,000 test examples, new runs of evolution would do better than lenet"
        ),
        "{headline}"
    );
    assert!(
        headline.ends_with("Whether that holds on other examples is not shown."),
        "{headline}"
    );
    assert!(analysis.verdict.evidence);
}

#[test]
fn with_examples_a_difference_is_shown_on_new_ones_if_they_allow() {
    let sure = with_examples(comparison(0.01, 8), 0.001);
    let headline = &sure.verdict.headline;
    assert!(headline.starts_with("New runs of evolution find networks that are better than lenet and the other hand-designed network on new examples of this kind: +0.0100"), "{headline}");
    assert!(headline.contains("8 searches, 3 retrainings each, 2,000 test examples; the training examples and the space are given"), "{headline}");
    // The same scores on examples that say less.
    let unsure = with_examples(comparison(0.01, 8), 0.02);
    assert!(
        unsure
            .verdict
            .headline
            .starts_with("On these 2,000 test examples"),
        "{}",
        unsure.verdict.headline
    );
}

#[test]
fn few_searches_and_quick_looks_are_no_evidence_and_say_nothing_is_better() {
    for searches in 1..6 {
        let analysis = with_examples(comparison(0.02, searches), 0.001);
        let headline = &analysis.verdict.headline;
        let count = if searches == 1 {
            "1 search,".to_owned()
        } else {
            format!("{searches} searches,")
        };
        assert!(
            headline.starts_with(&format!("Not evidence: {count}")),
            "{headline}"
        );
        assert!(!analysis.verdict.evidence);
        let all = [Finding::NotEvidence];
        assert!(
            analysis
                .contrasts
                .iter()
                .all(|it| all.contains(&it.finding))
        );
    }
    let mut quick = comparison(0.02, 8);
    quick.quick = true;
    quick.conclude();
    assert!(
        quick
            .verdict
            .headline
            .starts_with("Not evidence: a quick look")
    );
    let mut unfinished = comparison(0.02, 8);
    unfinished.complete = false;
    unfinished.conclude();
    assert!(unfinished.verdict.headline.starts_with("Not evidence yet"));
}

#[test]
fn no_difference_and_equality_are_different_things() {
    let mut analysis = with_examples(comparison(0.0001, 8), 0.001);
    let headline = &analysis.verdict.headline;
    assert_eq!(
        headline,
        "No difference is shown between new runs of evolution and lenet."
    );
    assert!(
        words(&analysis)
            .contains("The least difference that this comparison would show 4 times of 5 is")
    );
    assert!(!words(&analysis).contains("To show a difference of"));
    analysis.margin = Some(0.01);
    analysis.conclude();
    let headline = &analysis.verdict.headline;
    assert!(
        headline.starts_with(
            "New runs of evolution and lenet differ by less than 0.01 on new examples"
        ),
        "{headline}"
    );
    analysis.margin = Some(0.001);
    analysis.conclude();
    assert!(
        analysis
            .verdict
            .headline
            .starts_with("No difference is shown")
    );
    assert!(
        words(&analysis).contains("To show a difference of 0.001 4 times of 5 takes"),
        "{}",
        words(&analysis)
    );
}

#[test]
fn better_than_all_contradicts_no_sentence() {
    // The largest p-value is below the level where Holm's correction of both is not.
    for step in 0..100 {
        let shift = 0.0005 + 0.000_04 * f64::from(step);
        let mut analysis = comparison(shift, 8);
        let twin = around(0.95, 8);
        analysis.arms[3] = arm("mlp", Role::HandDesigned, &views(&twin));
        analysis.conclude();
        let said = words(&analysis);
        let is_better = analysis.verdict.headline.contains("would do better than");
        let denies = said.contains("evolution is not shown to differ from lenet")
            || said.contains("The least difference");
        assert!(!is_better || !denies, "{said}");
    }
}

#[test]
fn later_looks_pay_and_say_nothing_of_new_examples() {
    let mut analysis = with_examples(comparison(0.01, 8), 0.001);
    assert_eq!(analysis.alpha, 0.04);
    analysis.look = 2;
    analysis.conclude();
    assert_eq!(analysis.alpha, alpha(2));
    assert!(
        analysis
            .contrasts
            .iter()
            .all(|it| it.new_examples.is_none())
    );
    assert!(
        analysis
            .verdict
            .headline
            .starts_with("On these 2,000 test examples")
    );
    assert!(words(&analysis).contains("This is look 2 at these test examples"));
}

#[test]
fn a_lower_score_is_better_where_it_is_minimised() {
    let mut analysis = comparison(0.01, 8);
    analysis.score_name = "log_loss".to_owned();
    analysis.minimised = true;
    analysis.conclude();
    let design = analysis.contrasts_of(Family::Designs).next().unwrap();
    assert_eq!(design.finding, Finding::Worse);
    assert_eq!(design.above.above, 0);
    assert!(
        analysis
            .verdict
            .headline
            .contains("would do worse than mlp"),
        "{}",
        analysis.verdict.headline
    );
}

#[test]
fn searches_are_tested_against_each_other_and_designs_are_not_needed() {
    let mut analysis = comparison(0.01, 8);
    let other = around(0.945, 8);
    analysis
        .arms
        .insert(1, arm("local", Role::Search, &views(&other)));
    analysis.arms.retain(|arm| arm.role != Role::HandDesigned);
    analysis.conclude();
    let between: Vec<&Contrast> = analysis.contrasts_of(Family::Searches).collect();
    assert_eq!(between.len(), 1);
    assert!(
        between[0].paired && between[0].finding == Finding::Better,
        "{:?}",
        between[0]
    );
    let headline = &analysis.verdict.headline;
    assert!(
        headline.contains("new runs of evolution would do better than random"),
        "{headline}"
    );
}

#[test]
fn searches_without_common_seeds_are_not_paired() {
    let mut analysis = comparison(0.01, 8);
    for seed in &mut analysis.arms[0].seeds {
        *seed += 1000;
    }
    analysis.conclude();
    let contrast = analysis.contrasts_of(Family::RandomSearch).next().unwrap();
    assert!(!contrast.paired);
    assert_eq!(contrast.these_examples.freedom, Some(7.0));
}

#[test]
fn a_search_that_is_random_by_construction_is_not_held_against_random_search() {
    let mut analysis = comparison(0.01, 8);
    analysis.arms[0].drawn_at_random = Some(DrawnAtRandom {
        population: Some(16),
        trials: 12,
    });
    analysis.conclude();
    let contrast = analysis.contrasts_of(Family::RandomSearch).next().unwrap();
    assert_eq!(contrast.finding, Finding::Same);
    let title = "evolution (all trials drawn at random: population 16, trials 12)";
    assert!(words(&analysis).contains(title), "{}", words(&analysis));
    assert!(
        !words(&analysis).contains("as a way to search"),
        "{}",
        words(&analysis)
    );
}

#[test]
fn winners_without_scores_are_no_evidence() {
    let mut analysis = comparison(0.01, 8);
    analysis.arms[0]
        .scores
        .retain(|score| score.search_seed != 3);
    analysis.conclude();
    assert!(!analysis.verdict.evidence);
    assert!(
        analysis
            .verdict
            .headline
            .contains("1 winner of evolution without a score"),
        "{}",
        analysis.verdict.headline
    );
}

#[test]
fn what_is_said_of_these_networks_is_not_about_the_search() {
    for shift in [0.0, 0.01, -0.01] {
        for sentence in comparison(shift, 8).verdict.sentences {
            if let Some(claim) = sentence
                .split_once(". This says nothing of the search")
                .filter(|_| sentence.contains("networks found here"))
            {
                for word in ["search", "finds", "better"] {
                    assert!(!claim.0.contains(word), "{sentence}");
                }
            }
        }
    }
}

/// The committed comparisons.
const COMMITTED: [(&str, &str, &str); 6] = [
    committed(
        "breast_cancer",
        include_str!("../../experiments/breast_cancer/expected.json"),
        include_str!("../../experiments/breast_cancer/report.html"),
    ),
    committed(
        "digits",
        include_str!("../../experiments/digits/expected.json"),
        include_str!("../../experiments/digits/report.html"),
    ),
    committed(
        "fashion_mnist",
        include_str!("../../experiments/fashion_mnist/expected.json"),
        include_str!("../../experiments/fashion_mnist/report.html"),
    ),
    committed(
        "mnist1d",
        include_str!("../../experiments/mnist1d/expected.json"),
        include_str!("../../experiments/mnist1d/report.html"),
    ),
    committed(
        "nasbench201",
        include_str!("../../experiments/nasbench201/expected.json"),
        include_str!("../../experiments/nasbench201/report.html"),
    ),
    committed(
        "sms_spam",
        include_str!("../../experiments/sms_spam/expected.json"),
        include_str!("../../experiments/sms_spam/report.html"),
    ),
];

const fn committed(
    name: &'static str,
    expected: &'static str,
    page: &'static str,
) -> (&'static str, &'static str, &'static str) {
    (name, expected, page)
}

#[test]
fn committed_headlines_follow_from_committed_scores() {
    let mut wrong = Vec::new();
    for (name, text, page) in COMMITTED {
        let expected = Expected::parse(text).unwrap();
        let analysis = expected.analysis().unwrap();
        let headline = &analysis.verdict.headline;
        println!("{name}: {}", words(&analysis));
        if *headline != expected.headline {
            wrong.push(format!(
                "{name} says {}, and its scores {headline}",
                expected.headline
            ));
        }
        if scores_page(&expected, &analysis) != page {
            wrong.push(format!(
                "{name}/report.html is another page than `strata report experiments/{name}/expected.json` writes"
            ));
        }
        let claims = headline.contains("better") || headline.contains("worse");
        let p = analysis
            .contrasts_of(Family::Designs)
            .filter_map(|it| it.these_examples.p);
        let is_shown = p.fold(0.0, f64::max) < 0.05 && expected.protocol.unwrap().search_seeds >= 6;
        assert!(
            !claims || analysis.looked_up || is_shown,
            "{name}: {headline}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_of_the_first_format_has_no_analysis() {
    let text = r#"{"format": 1, "strata": "0", "cpu": "", "quick": false, "headline": "", "arms": [], "runs": []}"#;
    let expected = Expected::parse(text).unwrap();
    assert!(expected.analysis().unwrap_err().contains("format 1"));
}
