//! What may be concluded, in words. "Better" is said where a test about the search says it, and nowhere else.

use super::analysis::{Analysis, Arm, Role};
use super::contrast::{Contrast, Estimate, Family, Finding, Scope};
use super::words::{grouped, p_is, plural, score, signed};
use crate::statistics::claims::{Needed, largest};
use crate::statistics::holm;
use serde::Serialize;

/// A conclusion.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether enough was done for a conclusion.
    pub evidence: bool,
    /// The conclusion in a sentence.
    pub headline: String,
    /// The p-value that the headline rests on, corrected for several searches; nothing where it rests on none.
    pub p: Option<f64>,
    /// What it rests on, and what it does not say.
    pub sentences: Vec<String>,
}

/// The conclusion of a comparison.
pub(super) fn verdict(analysis: &Analysis) -> Verdict {
    let Some(main) = main_contrast(analysis) else {
        return unfinished(analysis);
    };
    let contrast = main.contrast;
    let evidence = analysis.is_evidence() && contrast.lacking.is_empty();
    let headline = match evidence {
        true => concluded(analysis, &main),
        false => not_evidence(analysis, contrast),
    };
    let mut sentences = Vec::new();
    sentences.extend(analysis.reservations.iter().cloned());
    sentences.extend(main_sentences(analysis, &main, evidence));
    for search in analysis.searches() {
        sentences.extend(of_search(analysis, search));
    }
    sentences.extend(look(analysis));
    Verdict {
        evidence,
        headline,
        p: main.p,
        sentences,
    }
}

fn unfinished(analysis: &Analysis) -> Verdict {
    let has_scores = |arm: &Arm| !arm.scores.is_empty();
    let why = match analysis.arms.iter().any(has_scores) {
        true => "there is nothing to compare with",
        false if analysis.looked_up => "the table's figures have not been looked up yet",
        false => "the test examples have not been read yet",
    };
    Verdict {
        headline: format!("No conclusion: {why}."),
        ..Verdict::default()
    }
}

/// The contrast that the headline is about: of the search that has most to show, the one that shows least.
struct Main<'a> {
    contrast: &'a Contrast,
    /// How many networks by hand the search is held against.
    opponents: usize,
    /// The p-value of "better than every one of them", corrected for several searches.
    p: Option<f64>,
    /// The same on the test examples at hand.
    p_these: Option<f64>,
}

fn main_contrast(analysis: &Analysis) -> Option<Main<'_>> {
    let has_designs = analysis.contrasts_of(Family::Designs).next().is_some();
    let family = if has_designs {
        Family::Designs
    } else {
        Family::RandomSearch
    };
    let mut all: Vec<Main<'_>> = analysis
        .searches()
        .filter_map(|search| against_all(analysis, search, family))
        .collect();
    let held = |of: fn(&Main<'_>) -> Option<f64>, all: &[Main<'_>]| {
        let p_values: Vec<f64> = all.iter().map(|main| of(main).unwrap_or(1.0)).collect();
        holm(&p_values)
    };
    let (new, these) = (held(|it| it.p, &all), held(|it| it.p_these, &all));
    for ((main, new), these) in all.iter_mut().zip(new).zip(these) {
        main.p = main.p.map(|_| new);
        main.p_these = main.p_these.map(|_| these);
    }
    let p = |main: &Main<'_>| (main.p.unwrap_or(1.0), main.p_these.unwrap_or(1.0));
    // The first of equals: searches stand in the order of the experiment.
    all.into_iter()
        .reduce(|a, b| if p(&b) < p(&a) { b } else { a })
}

/// A search against all networks by hand, or against random search: an intersection-union test.
fn against_all<'a>(analysis: &'a Analysis, search: &Arm, family: Family) -> Option<Main<'a>> {
    let of = analysis.contrasts_of(family);
    let contrasts: Vec<&Contrast> = of.filter(|it| it.first == search.name).collect();
    // A difference to the other side says nothing for "better".
    let better = |contrast: &Contrast, claim: Option<&Estimate>| {
        let p = claim.and_then(|claim| claim.p)?;
        Some(if analysis.sign() * contrast.difference > 0.0 {
            p
        } else {
            1.0
        })
    };
    let new = |it: &&Contrast| better(it, it.new_examples.as_ref());
    let these = |it: &&Contrast| better(it, Some(&it.these_examples));
    let shown = |it: &&&Contrast| (new(it).unwrap_or(1.0), these(it).unwrap_or(1.0));
    let order = |a: &&&Contrast, b: &&&Contrast| {
        let ((a_new, a_these), (b_new, b_these)) = (shown(a), shown(b));
        let by_difference = || {
            let advantage = |it: &Contrast| analysis.sign() * it.difference;
            advantage(b).total_cmp(&advantage(a))
        };
        a_new
            .total_cmp(&b_new)
            .then(a_these.total_cmp(&b_these))
            .then_with(by_difference)
    };
    Some(Main {
        contrast: contrasts.iter().max_by(|a, b| order(a, b)).copied()?,
        opponents: contrasts.len(),
        p: largest(&contrasts.iter().map(new).collect::<Vec<_>>()),
        p_these: largest(&contrasts.iter().map(these).collect::<Vec<_>>()),
    })
}

fn not_evidence(analysis: &Analysis, contrast: &Contrast) -> String {
    if analysis.quick {
        return "Not evidence: a quick look.".to_owned();
    }
    if !analysis.complete {
        return "Not evidence yet: the comparison has not ended.".to_owned();
    }
    match contrast.lacking.is_empty() {
        false => format!("Not evidence: {}.", contrast.lacking.join("; ")),
        true => "Not evidence, whatever its figures are.".to_owned(),
    }
}

/// The name of an arm in a sentence.
fn title(analysis: &Analysis, name: &str) -> String {
    analysis
        .arm(name)
        .map_or_else(|| name.to_owned(), Arm::title)
}

fn concluded(analysis: &Analysis, main: &Main<'_>) -> String {
    let contrast = main.contrast;
    let search = title(analysis, &contrast.first);
    let second = title(analysis, &contrast.second);
    let is_shown = |p: Option<f64>| p.is_some_and(|p| p < analysis.alpha);
    let every = match main.opponents {
        1 => String::new(),
        2 => " and the other hand-designed network".to_owned(),
        many => format!(" and the other {} hand-designed networks", many - 1),
    };
    let by = |claim: &Estimate, p: Option<f64>| figures(analysis, contrast, claim, p);
    if let Some(claim) = contrast.new_examples.as_ref().filter(|_| is_shown(main.p)) {
        let figures = by(claim, main.p);
        return format!(
            "New runs of {search} find networks that are better than {second}{every} on new examples of this kind: \
             {figures}."
        );
    }
    let figures = by(&contrast.these_examples, main.p_these);
    if is_shown(main.p_these) {
        return match analysis.looked_up {
            true => format!(
                "In this table, new runs of {search} find better networks than {second}{every}: {figures}."
            ),
            false => format!(
                "{}, new runs of {search} would do better than {second}{every}: {figures}. Whether that holds on \
                 other examples is not shown.",
                on_these(analysis)
            ),
        };
    }
    match contrast.finding {
        Finding::Same => format!(
            "Nothing is compared: {search} and {second} found the same networks in every search."
        ),
        Finding::Worse => worse(analysis, contrast),
        _ if contrast.is_equal(analysis.alpha) => equal(analysis, contrast).unwrap_or_default(),
        _ => match contrast.family {
            Family::Designs => {
                format!("No difference is shown between new runs of {search} and {second}.")
            }
            _ => format!("{search} is not shown to differ from random search."),
        },
    }
}

fn worse(analysis: &Analysis, contrast: &Contrast) -> String {
    let (search, second) = (
        title(analysis, &contrast.first),
        title(analysis, &contrast.second),
    );
    match contrast.scope {
        Some(Scope::NewExamples) => {
            let figures = figures(analysis, contrast, contrast.claim(), None);
            format!(
                "New runs of {search} find networks that are worse than {second} on new examples of this kind: \
                 {figures}."
            )
        }
        _ => {
            let figures = figures(analysis, contrast, &contrast.these_examples, None);
            let (place, end) = match analysis.looked_up {
                true => ("In this table".to_owned(), ""),
                false => (
                    on_these(analysis),
                    " Whether that holds on other examples is not shown.",
                ),
            };
            format!("{place}, new runs of {search} would do worse than {second}: {figures}.{end}")
        }
    }
}

fn equal(analysis: &Analysis, contrast: &Contrast) -> Option<String> {
    let equivalence = contrast.equivalence?;
    let (place, end) = match (equivalence.scope, analysis.looked_up) {
        (Scope::NewExamples, _) => (" on new examples of this kind".to_owned(), ""),
        (_, true) => (" in this table".to_owned(), ""),
        (_, false) => (
            format!(" on {}", these(analysis)),
            " Whether that holds on other examples is not shown.",
        ),
    };
    Some(format!(
        "New runs of {} and {} differ by less than {}{place} ({}, {}).{end}",
        title(analysis, &contrast.first),
        title(analysis, &contrast.second),
        equivalence.margin,
        signed(contrast.difference),
        p_is(equivalence.corrected),
    ))
}

fn these(analysis: &Analysis) -> String {
    match analysis.test_examples {
        Some(examples) => format!("these {}", plural(examples, "test example")),
        None => "these test examples".to_owned(),
    }
}

fn on_these(analysis: &Analysis) -> String {
    format!("On {}", these(analysis))
}

/// The figures that a claim rests on.
fn figures(analysis: &Analysis, contrast: &Contrast, claim: &Estimate, p: Option<f64>) -> String {
    let mut parts = Vec::new();
    if let Some((low, high)) = claim.interval() {
        parts.push(format!("95% interval {} to {}", signed(low), signed(high)));
    }
    parts.extend(p.or(claim.corrected).map(p_is));
    let mut basis = vec![searches(contrast.searches)];
    if !analysis.looked_up {
        basis.push(match contrast.retrainings {
            1 => "1 retraining each".to_owned(),
            many => format!("{many} retrainings each"),
        });
        basis.extend(analysis.test_examples.map(|n| plural(n, "test example")));
    }
    parts.push(basis.join(", "));
    let given = match analysis.looked_up {
        true => "the table and the space are given",
        false => "the training examples and the space are given",
    };
    format!(
        "{} ({}; {given})",
        signed(contrast.difference),
        parts.join("; ")
    )
}

/// `1 search`, `8 searches`.
fn searches(count: usize) -> String {
    plural(count as u64, "search").replace("searchs", "searches")
}

/// What stands under the headline.
fn main_sentences(analysis: &Analysis, main: &Main<'_>, evidence: bool) -> Vec<String> {
    let contrast = main.contrast;
    let mut out = Vec::new();
    let claim = contrast.claim();
    let is_shown = matches!(contrast.finding, Finding::Better | Finding::Worse);
    if !(evidence && is_shown) {
        out.extend(interval(analysis, contrast, claim, evidence));
        let is_test = evidence && contrast.finding == Finding::NotShown;
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
    claim: &Estimate,
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
        "Mean test {} of {} minus that of {}: {}{figures}.",
        analysis.score_name,
        contrast.first,
        contrast.second,
        signed(contrast.difference)
    ))
}

/// How many more searches and examples it would take.
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

/// What is known of the networks at hand, worded so that nobody takes it for the search.
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

/// What is said of each search beside the headline: every design, sizes, random search, other searches.
fn of_search(analysis: &Analysis, search: &Arm) -> Vec<String> {
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
    out.extend(list(analysis, &all, Family::Designs, ""));
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
        (Some(Scope::NewExamples), _) => " on new examples",
        (Some(Scope::TheseExamples), true) => " in this table",
        (Some(Scope::TheseExamples), false) => " on these examples",
        (None, _) => "",
    };
    let finding = match contrast.finding {
        Finding::Better => "is better than",
        Finding::Worse => "is worse than",
        _ if contrast.is_equal(analysis.alpha) => "differs by less than the margin from",
        _ => "is not shown to differ from",
    };
    let claim = match contrast.scope {
        Some(Scope::TheseExamples) => &contrast.these_examples,
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

/// Whether what was found is no larger than what it is measured by.
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

/// Which look at the test examples it was.
fn look(analysis: &Analysis) -> Option<String> {
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
