//! Two arms held against each other: one search is one observation.

use super::analysis::{Analysis, Arm, Role};
use super::pair::Pair;
use crate::statistics::claims::{Claim, ExampleVariance, Needed};
use crate::statistics::holm;
use serde::Serialize;

/// A question, whose tests are corrected together for being several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A search against a hand-designed network.
    Designs,
    /// A search against networks that nobody chose; secondary.
    RandomNetworks,
    /// A search against random search; secondary where there are hand-designed networks.
    RandomSearch,
    /// A search against another; secondary.
    Searches,
}

/// What may be said of two arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The first is better: the test says so, after correction.
    Better,
    /// The first is worse: the test says so, after correction.
    Worse,
    /// The test shows no difference.
    NotShown,
    /// Too little was done to say anything.
    NotEvidence,
    /// Both are the same by construction, and there is nothing to test.
    Same,
}

/// The reach of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimScope {
    /// For new searches on new test examples.
    NewExamples,
    /// For new searches on the test examples, or the table, at hand.
    TheseExamples,
}

/// A claim as a report shows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClaimEstimate {
    /// The two-sided p-value.
    pub p: Option<f64>,
    /// The p-value corrected by Holm's method for the other contrasts of its family.
    pub corrected: Option<f64>,
    /// The lower end of the difference's 95% interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The degrees of freedom of both.
    pub freedom: Option<f64>,
}

/// A share of searches, with its 95% interval by Clopper and Pearson.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The searches that are better than the second arm's mean; two that are level with it count as one.
    pub above: usize,
    /// Of how many.
    pub of: usize,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A test of "the arms differ by less than the margin".
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Equivalence {
    /// The margin.
    pub margin: f64,
    /// The p-value.
    pub p: f64,
    /// The p-value corrected by Holm's method for all such tests.
    pub corrected: f64,
    /// Its reach.
    pub scope: ClaimScope,
}

/// Two arms and how they differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The first arm, a search.
    pub first: String,
    /// The second arm.
    pub second: String,
    /// The question.
    pub family: Family,
    /// The searches of the first arm.
    pub searches: usize,
    /// The fewest retrainings that one of them has.
    pub retrainings: usize,
    /// The observations of the second arm: searches, retrainings of a design, or random networks.
    pub others: usize,
    /// True if search by search was compared, as both began with the same seeds.
    pub paired: bool,
    /// The mean of the first minus that of the second.
    pub difference: f64,
    /// These networks, trained anew, on these test examples: says nothing of the search.
    pub these_networks: Option<ClaimEstimate>,
    /// New searches on these test examples.
    pub these_examples: ClaimEstimate,
    /// New searches on new test examples; nothing where contributions of examples are not recorded, or
    /// they were looked at before.
    pub new_examples: Option<ClaimEstimate>,
    /// The searches that are better than the second arm.
    pub above: Share,
    /// In how many searches both arms scored the same, to the bit.
    pub same: usize,
    /// The least difference that the comparison would show 4 times of 5.
    pub least: Option<f64>,
    /// The size of a comparison that would show a difference of the margin 4 times of 5.
    #[serde(skip)]
    pub needed: Option<Needed>,
    /// The test of "the arms differ by less than the margin"; nothing where none is stated.
    pub equivalence: Option<Equivalence>,
    /// Requirements of evidence that are not met, each in a few words.
    pub lacking: Vec<String>,
    /// What may be said.
    pub finding: Finding,
    /// Its reach.
    pub scope: Option<ClaimScope>,
}

impl Contrast {
    /// The strongest claim that there is: of new examples, or else of these.
    pub fn claim(&self) -> &ClaimEstimate {
        self.new_examples.as_ref().unwrap_or(&self.these_examples)
    }

    /// True if the arms are shown to differ by less than the margin.
    pub fn is_equal(&self, alpha: f64) -> bool {
        self.lacking.is_empty() && self.equivalence.is_some_and(|it| it.corrected < alpha)
    }
}

/// The variance over test examples of the difference of two arms, where that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct ContrastExamples {
    /// The first arm.
    pub first: String,
    /// The second arm.
    pub second: String,
    /// The variance and the number of examples.
    pub examples: ExampleVariance,
}

/// Every contrast of a comparison, each corrected within its family.
pub(super) fn contrasts(analysis: &Analysis) -> Vec<Contrast> {
    let mut found = Vec::new();
    for (first, second, family) in pairs(analysis) {
        let contrast = Pair::of(analysis, first, second).map(|pair| pair.contrast(family));
        found.extend(contrast);
    }
    for family in [
        Family::Designs,
        Family::RandomNetworks,
        Family::RandomSearch,
        Family::Searches,
    ] {
        correct(&mut found, family);
    }
    correct_equivalence(&mut found);
    for contrast in &mut found {
        (contrast.finding, contrast.scope) = finding(analysis, contrast);
    }
    found
}

/// The arms that are held against each other.
fn pairs(analysis: &Analysis) -> Vec<(&Arm, &Arm, Family)> {
    let mut pairs = Vec::new();
    let searches: Vec<&Arm> = analysis.searches().collect();
    for (index, &first) in searches.iter().enumerate() {
        for second in &analysis.arms {
            let family = match second.role {
                Role::HandDesigned => Family::Designs,
                Role::RandomNetworks => Family::RandomNetworks,
                Role::RandomSearch if first.role == Role::Search => Family::RandomSearch,
                _ => continue,
            };
            pairs.push((first, second, family));
        }
        for &second in &searches[index + 1..] {
            pairs.push((first, second, Family::Searches));
        }
    }
    pairs
}

impl ClaimEstimate {
    /// A claim with an interval that says nothing of what no difference can be.
    pub(super) fn of(claim: &Claim, (least, most): (f64, f64)) -> Self {
        let interval = claim.interval();
        let freedom = claim.error.freedom;
        Self {
            p: claim.p,
            corrected: claim.p,
            low: interval.map(|it| it.low.clamp(least, most)),
            high: interval.map(|it| it.high.clamp(least, most)),
            freedom: freedom.is_finite().then_some(freedom),
        }
    }

    /// The 95% interval.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }
}

/// Holm's correction within a family, of each claim by itself.
fn correct(contrasts: &mut [Contrast], family: Family) {
    let mut of: Vec<&mut Contrast> = contrasts
        .iter_mut()
        .filter(|contrast| contrast.family == family)
        .collect();
    type Part = fn(&mut Contrast) -> Option<&mut ClaimEstimate>;
    let parts: [Part; 2] = [
        |it| Some(&mut it.these_examples),
        |it| it.new_examples.as_mut(),
    ];
    for part in parts {
        // A contrast without a p-value is a test that shows nothing.
        let p = |contrast: &mut &mut Contrast| part(contrast).and_then(|it| it.p).unwrap_or(1.0);
        let corrected = holm(&of.iter_mut().map(p).collect::<Vec<_>>());
        for (contrast, corrected) in of.iter_mut().zip(corrected) {
            if let Some(estimate) = part(contrast) {
                estimate.corrected = estimate.p.map(|_| corrected);
            }
        }
    }
}

fn correct_equivalence(contrasts: &mut [Contrast]) {
    let mut all: Vec<&mut Equivalence> = contrasts
        .iter_mut()
        .filter_map(|contrast| contrast.equivalence.as_mut())
        .collect();
    let corrected = holm(&all.iter().map(|it| it.p).collect::<Vec<_>>());
    for (equivalence, corrected) in all.iter_mut().zip(corrected) {
        equivalence.corrected = corrected;
    }
}

/// The finding of a contrast at the level of this look.
fn finding(analysis: &Analysis, contrast: &Contrast) -> (Finding, Option<ClaimScope>) {
    if contrast.family == Family::RandomSearch
        && (analysis.is_drawn_at_random(&contrast.first) || contrast.same == contrast.searches)
    {
        return (Finding::Same, None);
    }
    if !analysis.is_evidence() || !contrast.lacking.is_empty() {
        return (Finding::NotEvidence, None);
    }
    let shown = |estimate: &ClaimEstimate| estimate.corrected.is_some_and(|p| p < analysis.alpha);
    let scope = match (contrast.new_examples, contrast.these_examples) {
        (Some(new), _) if shown(&new) => ClaimScope::NewExamples,
        (_, these) if shown(&these) => ClaimScope::TheseExamples,
        _ => return (Finding::NotShown, None),
    };
    match analysis.sign() * contrast.difference > 0.0 {
        true => (Finding::Better, Some(scope)),
        false => (Finding::Worse, Some(scope)),
    }
}
