//! The sentences under a headline: intervals, counts, what is not shown, and each search by itself.

use super::analysis::{Analysis, Arm, Role};
use super::contrast::{ClaimEstimate, ClaimScope, Contrast, Family, Finding};
use super::verdict::{equal, searches, these, title};
use super::words::{grouped, p_is, plural, score, signed};
use crate::statistics::claims::Needed;

/// The sentences under the headline about the contrast that it rests on.
pub(super) fn of_contrast(
    analysis: &Analysis,
    contrast: &Contrast,
    evidence: bool,
    is_better: bool,
) -> Vec<String> {
    let mut out = Vec::new();
    let claim = contrast.claim();
    let is_shown = is_better || contrast.finding == Finding::Worse;
    if !(evidence && is_shown) {
        out.extend(interval(analysis, contrast, claim, evidence));
        let is_test = evidence && contrast.finding != Finding::Same;
        if let Some(least) = contrast.least.filter(|_| is_test) {
            out.push(format!(
                "The least difference that this comparison would show 4 times of 5 is {}.",
                score(least)
            ));
        }
        out.extend(needed(analysis, contrast));
    }
    if evidence && contrast.is_equal(analysis.alpha) && is_shown {
        out.extend(equal(analysis, contrast));
    }
    if contrast.new_examples.is_none() && !analysis.looked_up && analysis.look == 1 {
        out.push(
            "What each test example contributes was not recorded, so nothing is said of other examples."
                .to_owned(),
        );
    }
    out.extend(above(analysis, contrast));
    out.extend(networks(analysis, contrast));
    out
}

fn interval(
    analysis: &Analysis,
    contrast: &Contrast,
    claim: &ClaimEstimate,
    evidence: bool,
) -> Option<String> {
    if contrast.finding == Finding::Same {
        return None;
    }
    let what = match (contrast.new_examples.is_some(), analysis.looked_up) {
        (true, _) => "new searches and new test examples",
        (false, true) => "new searches in this table",
        (false, false) => "new searches on these test examples",
    };
    let p = match evidence {
        true => claim.corrected.map(|p| format!(", {}", p_is(p))),
        // A p-value is read as evidence.
        false => None,
    };
    let figures = match claim.interval() {
        Some((low, high)) => format!(
            " (95% interval for {what}: {} to {}{})",
            signed(low),
            signed(high),
            p.unwrap_or_default()
        ),
        None => String::new(),
    };
    Some(format!(
        "Mean {} {} of {} minus that of {}: {}{figures}.",
        if analysis.quick { "validation" } else { "test" },
        analysis.score_name,
        contrast.first,
        contrast.second,
        signed(contrast.difference)
    ))
}

/// The number of searches and examples that it would take.
fn needed(analysis: &Analysis, contrast: &Contrast) -> Option<String> {
    let (needed, margin): (Needed, f64) = (contrast.needed?, analysis.margin?);
    if contrast.finding == Finding::Same {
        return None;
    }
    let examples = |count: usize| match analysis.looked_up || count == 0 {
        true => String::new(),
        false => format!(" and {}", plural(count as u64, "test example")),
    };
    let mut text = match needed.searches {
        Some(count) => format!(
            "To show a difference of {margin} 4 times of 5 takes {}{}.",
            searches(count as usize),
            examples(needed.examples)
        ),
        None => {
            format!("To show a difference of {margin} 4 times of 5 takes more than 200 searches.")
        }
    };
    if needed.beyond_examples {
        text.push_str(" With these examples no number of searches can.");
    }
    Some(text)
}

/// The line that needs no model: it is what guards against one search in five that fails badly.
fn above(analysis: &Analysis, contrast: &Contrast) -> Option<String> {
    let share = contrast.above;
    (share.of > 0 && contrast.finding != Finding::Same).then(|| {
        format!(
            "{} of {} of {} scored {} than {} (of new ones {:.0}% to {:.0}% would, with 95% confidence).",
            share.above,
            searches(share.of),
            contrast.first,
            if analysis.minimised { "lower" } else { "higher" },
            title(analysis, &contrast.second),
            100.0 * share.low,
            100.0 * share.high,
        )
    })
}

/// The sentence about the networks at hand, worded so that nobody takes it for the search.
fn networks(analysis: &Analysis, contrast: &Contrast) -> Option<String> {
    let (low, high) = contrast.these_networks?.interval()?;
    let side = match contrast.difference < 0.0 {
        true => "below",
        false => "above",
    };
    let networks = match contrast.searches {
        1 => "The network found here, trained anew and tested on".to_owned(),
        many => format!("The {many} networks found here, trained anew and tested on"),
    };
    let verb = if contrast.searches == 1 {
        "scores"
    } else {
        "score"
    };
    (!analysis.looked_up).then(|| {
        format!(
            "{networks} {}, {verb} {} {side} {} (95% interval {} to {}). This says nothing of the search and \
             nothing of other examples.",
            these(analysis),
            score(contrast.difference.abs()),
            contrast.second,
            signed(low),
            signed(high)
        )
    })
}

/// The sentences about a search beside the headline: every design, sizes, random search, other searches.
pub(super) fn of_search(analysis: &Analysis, search: &Arm, is_told: bool) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(drawn) = search.drawn_at_random {
        out.push(format!(
            "{} is random search here: all of its {} were drawn at random, so it is not held against random \
             search; they are the same by construction.",
            search.title(),
            plural(drawn.trials, "trial")
        ));
    } else if search.role == Role::Search
        && 2 * search.cost.bred < search.cost.trials
        && search.cost.bred > 0
    {
        out.push(format!(
            "Of {} of {}, {} were made from another; the others were drawn at random.",
            plural(search.cost.trials, "trial"),
            search.name,
            grouped(search.cost.bred)
        ));
    }
    let all: Vec<&Contrast> = analysis
        .contrasts
        .iter()
        .filter(|contrast| contrast.first == search.name)
        .collect();
    if !is_told {
        out.extend(list(analysis, &all, Family::Designs, ""));
    }
    out.extend(sizes(analysis, search));
    for contrast in &all {
        if contrast.paired && contrast.same > 0 && contrast.finding != Finding::Same {
            out.push(format!(
                "In {} of {} seeds {} and {} found the same network.",
                contrast.same, contrast.searches, contrast.first, contrast.second
            ));
        }
    }
    for (family, mark) in [
        (Family::RandomSearch, "Secondary, as a way to search: "),
        (Family::Searches, "Secondary, search against search: "),
        (
            Family::RandomNetworks,
            "Secondary, against networks that nobody chose: ",
        ),
    ] {
        out.extend(list(analysis, &all, family, mark));
    }
    out.extend(random(search));
    out
}

/// The findings of a family in a sentence.
fn list(analysis: &Analysis, all: &[&Contrast], family: Family, mark: &str) -> Option<String> {
    let of: Vec<&&Contrast> = all.iter().filter(|it| it.family == family).collect();
    let first = of.first()?;
    let is_evidence = of.iter().all(|it| it.finding != Finding::NotEvidence);
    if !is_evidence || (family == Family::RandomSearch && first.finding == Finding::Same) {
        return None;
    }
    let told: Vec<String> = of
        .iter()
        .map(|contrast| finding(analysis, contrast))
        .collect();
    Some(format!("{mark}{} {}.", first.first, told.join("; ")))
}

fn finding(analysis: &Analysis, contrast: &Contrast) -> String {
    let place = match (contrast.scope, analysis.looked_up) {
        (Some(ClaimScope::NewExamples), _) => " on new examples",
        (Some(ClaimScope::TheseExamples), true) => " in this table",
        (Some(ClaimScope::TheseExamples), false) => " on these examples",
        (None, _) => "",
    };
    let finding = match contrast.finding {
        Finding::Better => "is better than",
        Finding::Worse => "is worse than",
        _ if contrast.is_equal(analysis.alpha) => "differs by less than the margin from",
        _ => "is not shown to differ from",
    };
    let claim = match contrast.scope {
        Some(ClaimScope::TheseExamples) => &contrast.these_examples,
        _ => contrast.claim(),
    };
    let p = claim
        .corrected
        .map_or_else(String::new, |p| format!(", {}", p_is(p)));
    format!(
        "{finding} {}{place} ({}{p})",
        title(analysis, &contrast.second),
        signed(contrast.difference)
    )
}

/// The sizes of what was found, beside the design that it is measured by.
fn sizes(analysis: &Analysis, search: &Arm) -> Option<String> {
    let design = analysis
        .contrasts_of(Family::Designs)
        .filter(|contrast| contrast.first == search.name)
        .min_by(|a, b| {
            (analysis.sign() * a.difference).total_cmp(&(analysis.sign() * b.difference))
        })
        .and_then(|contrast| analysis.arm(&contrast.second))?;
    let (least, most) = search.range(|network| network.params)?;
    let (params, _) = design.range(|network| network.params)?;
    let name = &design.name;
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

fn random(search: &Arm) -> Option<String> {
    let percent = search.improvement?;
    let side = if percent < 0.0 { "below" } else { "above" };
    Some(format!(
        "The mean of {} is {:.2}% {side} that of random networks of the same space.",
        search.name,
        percent.abs()
    ))
}

/// The number of this look at the test examples, and its level.
pub(super) fn look(analysis: &Analysis) -> Option<String> {
    if analysis.looked_up || analysis.quick {
        return None;
    }
    let level = p_level(analysis.alpha);
    Some(match analysis.look {
        1 => format!("This is the first look at these test examples; its level is {level}."),
        look => format!(
            "This is look {look} at these test examples, and its level is {level}. What was tried next was chosen \
             by them, so nothing is said of other examples."
        ),
    })
}

fn p_level(alpha: f64) -> String {
    let text = format!("{alpha:.5}");
    text.trim_end_matches('0').to_owned()
}
