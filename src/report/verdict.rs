//! What may be concluded, in words. "Better" is said where a test says it, and nowhere else.

use super::analysis::{Analysis, Arm, Role};
use super::contrast::{Contrast, Finding, Test, effect};
use super::words::{p_is, p_value, plural, score, signed};
use serde::Serialize;

/// A conclusion.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether enough was done for a conclusion.
    pub evidence: bool,
    /// The conclusion in a sentence.
    pub headline: String,
    /// What it rests on, and what it does not say.
    pub sentences: Vec<String>,
}

/// The conclusion of a comparison.
pub(super) fn verdict(analysis: &Analysis) -> Verdict {
    let evidence = !analysis.quick && analysis.complete;
    let mut sentences = Vec::new();
    let (Some(search), Some(design)) = (
        analysis
            .arms_of(Role::Search)
            .chain(analysis.arms_of(Role::RandomSearch))
            .next(),
        analysis.best_design(),
    ) else {
        return unfinished("there is nothing to compare yet");
    };
    if search.sample.is_none() || design.sample.is_none() {
        return unfinished("the test examples have not been read yet");
    }
    let headline = match (analysis.quick, analysis.complete) {
        (true, _) => format!(
            "Not evidence: a quick look with {} and {} a network.",
            plural(u64::from(analysis.search_seeds), "search seed"),
            plural(u64::from(analysis.retrain_seeds), "retraining"),
        ),
        (false, false) => "Not evidence yet: the comparison has not ended.".to_owned(),
        (false, true) => headline(analysis, search, design),
    };
    sentences.push(means(analysis, search, design));
    if evidence {
        for search in analysis.arms_of(Role::Search) {
            sentences.extend(designs(analysis, search));
            sentences.extend(sizes(search, analysis.best_design()));
            sentences.extend(methods(analysis, search));
        }
    }
    sentences.extend(super::worth::of_arms(analysis, search));
    sentences.extend(random(search));
    Verdict {
        evidence,
        headline,
        sentences,
    }
}

fn unfinished(why: &str) -> Verdict {
    Verdict {
        evidence: false,
        headline: format!("No conclusion: {why}."),
        sentences: Vec::new(),
    }
}

fn against<'a>(analysis: &'a Analysis, first: &Arm, second: &Arm) -> Option<&'a Contrast> {
    let of = |contrast: &&Contrast| contrast.first == first.name && contrast.second == second.name;
    analysis.designs.iter().find(of)
}

fn headline(analysis: &Analysis, search: &Arm, design: &Arm) -> String {
    let found = against(analysis, search, design).map(|contrast| contrast.finding);
    let (search, design) = (&search.name, &design.name);
    match found {
        Some(Finding::Better) => format!(
            "The networks found by {search} are better than the best hand-designed one, {design}."
        ),
        Some(Finding::Worse) => format!(
            "The best hand-designed network, {design}, is better than those found by {search}."
        ),
        Some(Finding::NotShown) => format!(
            "No difference is shown between the networks found by {search} and the best hand-designed \
             one, {design}."
        ),
        None => {
            "No search but a random one was compared with the hand-designed networks.".to_owned()
        }
    }
}

fn means(analysis: &Analysis, search: &Arm, design: &Arm) -> String {
    let told = |arm: &Arm| {
        let sample = arm.sample.expect("arms without scores were turned away");
        let interval = match (sample.low, sample.high) {
            (Some(low), Some(high)) => format!(" (95% interval {} to {})", score(low), score(high)),
            _ => String::new(),
        };
        format!("{}{interval}", score(sample.mean))
    };
    format!(
        "Mean test {}: {} for {}, {} for {}, the best of {}.",
        analysis.score_name,
        told(search),
        search.name,
        told(design),
        design.name,
        plural(
            analysis.arms_of(Role::HandDesigned).count() as u64,
            "hand-designed network"
        ),
    )
}

/// What the tests say of a search's networks and each hand-designed one.
fn designs(analysis: &Analysis, search: &Arm) -> Option<String> {
    let told = |arm: &Arm| {
        let contrast = against(analysis, search, arm)?;
        let finding = match contrast.finding {
            Finding::Better => "better than",
            Finding::Worse => "worse than",
            Finding::NotShown => "not shown to differ from",
        };
        Some(format!(
            "{finding} {} ({}, {}, A12 = {:.2}, {})",
            arm.name,
            signed(contrast.difference),
            p_is(contrast.corrected),
            contrast.a12,
            effect(contrast.a12),
        ))
    };
    let all: Vec<String> = analysis
        .arms_of(Role::HandDesigned)
        .filter_map(told)
        .collect();
    let first = all.first()?;
    let rest = all[1..].iter().map(|text| format!("; {text}"));
    let looked_up = analysis
        .designs
        .iter()
        .any(|it| it.test == Test::SignedRank);
    let by = match looked_up {
        true => "Wilcoxon's signed-rank test over search seeds against the table's figures",
        false => "Mann and Whitney's test over retrainings",
    };
    Some(format!(
        "By {by}, with Holm's correction, the networks of {} are {first}{}.",
        search.name,
        rest.collect::<String>(),
    ))
}

/// Whether what was found is no larger than what it is measured by.
fn sizes(search: &Arm, design: Option<&Arm>) -> Option<String> {
    let design = design?;
    let (least, most) = search.range(|network| network.params)?;
    let (params, _) = design.range(|network| network.params)?;
    let (name, grouped) = (&design.name, super::words::grouped);
    let of = match search.networks.len() {
        1 => "Its network has".to_owned(),
        networks => format!("Its {networks} networks have"),
    };
    let range = match least == most {
        true => grouped(most),
        false => format!("{} to {}", grouped(least), grouped(most)),
    };
    let than = match (most <= params, least > params) {
        (true, _) => format!("none has more than {name}"),
        (_, true) => format!("all have more than {name}"),
        _ => format!("some have more than {name}"),
    };
    Some(format!(
        "{of} {range} parameters; {than}'s {}.",
        grouped(params)
    ))
}

/// What may be said of the search itself.
fn methods(analysis: &Analysis, search: &Arm) -> Option<String> {
    let contrast = analysis
        .methods
        .iter()
        .find(|contrast| contrast.first == search.name)?;
    let (first, second) = (&contrast.first, &contrast.second);
    let p = p_is(contrast.corrected);
    let difference = signed(contrast.difference);
    Some(match contrast.finding {
        Finding::Better => format!(
            "As a method, {first} is better than {second} search over search seeds ({difference}, {p})."
        ),
        Finding::Worse => format!(
            "As a method, {first} is worse than {second} search over search seeds ({difference}, {p})."
        ),
        Finding::NotShown => {
            let sizes = contrast.sizes;
            let why = if contrast.least >= super::contrast::LEVEL {
                format!(
                    "; {} and {} search seeds can't show one, their smallest p-value is {}",
                    sizes.0,
                    sizes.1,
                    p_value(contrast.least)
                )
            } else {
                String::new()
            };
            format!(
                "As a method, {first} is not shown to differ from {second} search ({difference}, {p}{why})."
            )
        }
    })
}

fn random(search: &Arm) -> Option<String> {
    let percent = search.improvement?;
    let side = if percent < 0.0 { "below" } else { "above" };
    Some(format!(
        "The mean of {} is {:.2}% {side} that of random networks of the same space.",
        search.name,
        percent.abs()
    ))
}
