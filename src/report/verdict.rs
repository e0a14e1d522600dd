//! Conclusions in words. "Better" is said where a test about the search says it, and nowhere else.

use super::analysis::{Analysis, Arm};
use super::contrast::{ClaimEstimate, ClaimScope, Contrast, Family, Finding};
use super::sentences;
use super::words::{p_is, plural, signed};
use crate::statistics::claims::largest;
use crate::statistics::holm;
use serde::Serialize;

/// A conclusion.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether enough was done for a conclusion.
    pub evidence: bool,
    /// The conclusion in a word: better, worse, equal, not shown, the same or not evidence.
    pub word: &'static str,
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
    let mut said = Vec::new();
    said.extend(analysis.reservations.iter().cloned());
    let is_better = evidence && main.is_better(analysis.alpha);
    said.extend(sentences::of_contrast(
        analysis, contrast, evidence, is_better,
    ));
    for search in analysis.searches() {
        // "Better than every one" says more than each by itself, and needs no correction as they do.
        let is_told = is_better && search.name == contrast.first;
        said.extend(sentences::of_search(analysis, search, is_told));
    }
    for search in analysis.searches().take(1) {
        said.extend(super::worth::of_arms(analysis, search));
    }
    said.extend(sentences::look(analysis));
    Verdict {
        evidence,
        word: match evidence {
            true => main.word(analysis),
            false => NOT_EVIDENCE,
        },
        headline,
        p: main
            .p
            .filter(|_| !main.is_of_these(analysis.alpha))
            .or(main.p_these),
        sentences: said,
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
        word: NOT_EVIDENCE,
        headline: format!("No conclusion: {why}."),
        ..Verdict::default()
    }
}

/// The contrast that the headline is about: of the search that has most to show, the one that shows least.
struct Main<'a> {
    contrast: &'a Contrast,
    /// The number of networks by hand that the search is held against.
    opponents: usize,
    /// The p-value of "better than every one of them", corrected for several searches.
    p: Option<f64>,
    /// The same on the test examples at hand.
    p_these: Option<f64>,
}

/// The word of what concludes nothing.
const NOT_EVIDENCE: &str = "not evidence";

impl Main<'_> {
    /// The finding in a word.
    fn word(&self, analysis: &Analysis) -> &'static str {
        let is_shown = |p: Option<f64>| p.is_some_and(|p| p < analysis.alpha);
        match self.contrast.finding {
            _ if is_shown(self.p) || is_shown(self.p_these) => "better",
            Finding::Same => "the same",
            Finding::Worse => "worse",
            _ if self.contrast.is_equal(analysis.alpha) => "equal",
            _ => "not shown",
        }
    }

    /// True if only the test examples at hand carry the headline.
    fn is_of_these(&self, alpha: f64) -> bool {
        !is_below(self.p, alpha) && is_below(self.p_these, alpha)
    }

    /// True if the search is shown to be better than every opponent, on new examples or on these.
    fn is_better(&self, alpha: f64) -> bool {
        is_below(self.p, alpha) || is_below(self.p_these, alpha)
    }
}

fn is_below(p: Option<f64>, alpha: f64) -> bool {
    p.is_some_and(|p| p < alpha)
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
    let better = |contrast: &Contrast, claim: Option<&ClaimEstimate>| {
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
pub(super) fn title(analysis: &Analysis, name: &str) -> String {
    analysis
        .arm(name)
        .map_or_else(|| name.to_owned(), Arm::title)
}

fn concluded(analysis: &Analysis, main: &Main<'_>) -> String {
    let contrast = main.contrast;
    let search = title(analysis, &contrast.first);
    let second = title(analysis, &contrast.second);
    let is_shown = |p: Option<f64>| is_below(p, analysis.alpha);
    let every = match main.opponents {
        1 => String::new(),
        2 => " and the other hand-designed network".to_owned(),
        many => format!(" and the other {} hand-designed networks", many - 1),
    };
    let by = |claim: &ClaimEstimate, p: Option<f64>| figures(analysis, contrast, claim, p);
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
        Some(ClaimScope::NewExamples) => {
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

pub(super) fn equal(analysis: &Analysis, contrast: &Contrast) -> Option<String> {
    let equivalence = contrast.equivalence?;
    let (place, end) = match (equivalence.scope, analysis.looked_up) {
        (ClaimScope::NewExamples, _) => (" on new examples of this kind".to_owned(), ""),
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

pub(super) fn these(analysis: &Analysis) -> String {
    match analysis.test_examples {
        Some(examples) => format!("these {}", plural(examples, "test example")),
        None => "these test examples".to_owned(),
    }
}

fn on_these(analysis: &Analysis) -> String {
    format!("On {}", these(analysis))
}

/// The figures that a claim rests on.
fn figures(
    analysis: &Analysis,
    contrast: &Contrast,
    claim: &ClaimEstimate,
    p: Option<f64>,
) -> String {
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
pub(super) fn searches(count: usize) -> String {
    plural(count as u64, "search").replace("searchs", "searches")
}
