//! The claims that the scores of two arms make.

use super::analysis::{Analysis, Arm, Role};
use super::contrast::{ClaimEstimate, ClaimScope, Contrast, Equivalence, Family, Finding, Share};
use super::evidence;
use crate::statistics::claims::{
    self, Claim, ExampleVariance, Needed, Observations, Spread, claim_1, claim_2, claim_3,
    clopper_pearson, equivalence, least_difference, paired, searches_above, searches_variance,
    variance,
};
use crate::statistics::{self, Interval};

/// Two arms with scores.
pub(super) struct Pair<'a> {
    analysis: &'a Analysis,
    first: &'a Arm,
    second: &'a Arm,
    /// Each search's retrainings, of the searches that are compared.
    searches: Vec<Vec<f64>>,
    /// The second arm's, where it is a search.
    others: Vec<Vec<f64>>,
    /// The second arm's scores.
    scores: Vec<f64>,
    paired: bool,
    examples: Option<ExampleVariance>,
}

/// The claims of a pair.
struct Claims {
    networks: Option<Claim>,
    these: Claim,
    new: Option<Claim>,
}

impl<'a> Pair<'a> {
    /// The scores of two arms; nothing where one has none.
    pub fn of(analysis: &'a Analysis, first: &'a Arm, second: &'a Arm) -> Option<Self> {
        let is_search = matches!(second.role, Role::Search | Role::RandomSearch);
        let paired = is_search && first.shares_seeds(second);
        let (mut x, mut y) = (first.by_search(), second.by_search());
        if paired {
            // What one of the two did not bring to an end is no pair.
            let (ours, theirs) = (seeds(&x), seeds(&y));
            x.retain(|(seed, _)| theirs.contains(seed));
            y.retain(|(seed, _)| ours.contains(seed));
        }
        if x.is_empty() || y.is_empty() {
            return None;
        }
        let scores = |searches: Vec<(u32, Vec<f64>)>| -> Vec<Vec<f64>> {
            searches.into_iter().map(|(_, scores)| scores).collect()
        };
        Some(Self {
            analysis,
            first,
            second,
            searches: scores(x),
            others: if is_search { scores(y) } else { Vec::new() },
            scores: second.values(),
            paired,
            examples: analysis.examples_between(first, second),
        })
    }

    fn second_side(&self) -> Observations<'_> {
        match (self.others.is_empty(), self.second.known) {
            (false, _) => Observations::Searches(&self.others),
            (true, true) if self.second.role == Role::HandDesigned => {
                Observations::Known(self.scores[0])
            }
            (true, _) => Observations::Network(&self.scores),
        }
    }

    fn claims(&self) -> Claims {
        let (first, second) = (Observations::Searches(&self.searches), self.second_side());
        // Examples that were looked at before are not drawn anew, and what was tried next was chosen by them.
        let examples = self.examples.filter(|_| self.analysis.look == 1);
        if self.paired {
            let of = |examples| paired(&self.searches, &self.others, examples);
            return Claims {
                networks: None,
                these: of(None),
                new: examples.map(|examples| of(Some(examples))),
            };
        }
        let is_network = self.second.role == Role::HandDesigned;
        Claims {
            networks: is_network.then(|| claim_1(first, second)),
            these: claim_2(first, second),
            new: examples.map(|examples| claim_3(first, second, examples)),
        }
    }

    /// The contrast of the two, not yet corrected for others.
    pub fn contrast(&self, family: Family) -> Contrast {
        let claims = self.claims();
        let range = self.analysis.difference_bounds();
        let shown = |claim: &Claim| ClaimEstimate::of(claim, range);
        let level = self.analysis.alpha;
        let least = |claim: &Claim| least_difference(claim, level);
        let least = [least(&claims.these), claims.new.as_ref().and_then(least)];
        Contrast {
            first: self.first.name.clone(),
            second: self.second.name.clone(),
            family,
            searches: self.searches.len(),
            retrainings: self.searches.iter().map(Vec::len).min().unwrap_or(0),
            others: match self.others.len() {
                0 => self.scores.len(),
                searches => searches,
            },
            paired: self.paired,
            difference: claims.these.difference,
            these_networks: claims.networks.as_ref().map(shown),
            these_examples: shown(&claims.these),
            new_examples: claims.new.as_ref().map(shown),
            above: self.above(),
            same: self.same(),
            least: least.into_iter().flatten().reduce(f64::max),
            needed: self.analysis.margin.map(|margin| self.needed(margin)),
            equivalence: self
                .analysis
                .margin
                .and_then(|margin| claims.within(margin)),
            lacking: evidence::lacking(self.analysis, self.first, self.second),
            finding: Finding::NotEvidence,
            scope: None,
        }
    }

    fn above(&self) -> Share {
        // A lower figure is better where scores are minimised.
        let sign = self.analysis.sign();
        let turned = |scores: &Vec<f64>| scores.iter().map(|score| sign * score).collect();
        let (searches, figure) = match self.paired {
            true => (self.differences().map(|d| vec![sign * d]).collect(), 0.0),
            false => {
                let all: Vec<Vec<f64>> = self.searches.iter().map(turned).collect();
                (all, sign * self.second_side().mean())
            }
        };
        let (above, of) = (searches_above(&searches, figure), searches.len());
        let Interval { low, high } = clopper_pearson(above, of);
        Share {
            above,
            of,
            low,
            high,
        }
    }

    /// Search by search, the difference of the winners' means.
    fn differences(&self) -> impl Iterator<Item = f64> {
        let mean = |scores: &Vec<f64>| statistics::mean(scores).unwrap_or(f64::NAN);
        let pairs = self.searches.iter().zip(&self.others);
        pairs.map(move |(x, y)| mean(x) - mean(y))
    }

    fn same(&self) -> usize {
        match self.paired {
            true => self.differences().filter(|d| *d == 0.0).count(),
            false => 0,
        }
    }

    fn needed(&self, margin: f64) -> Needed {
        let searches = match self.paired {
            true => variance(&self.differences().collect::<Vec<_>>()),
            false => searches_variance(&self.searches) * self.searches.len() as f64,
        };
        let design = match self.second_side() {
            Observations::Network(scores) => variance(scores),
            // Another search's winners spread like searches, and its retrainings are in that.
            Observations::Searches(others) if !self.paired => {
                let spread = searches_variance(others) * others.len() as f64;
                spread * self.retrainings()
            }
            _ => 0.0,
        };
        let examples = self.examples;
        let spread = Spread {
            searches,
            design,
            retrainings: self.retrainings() as u32,
            examples: examples.map_or(0.0, |examples| examples.variance),
            count: examples.map_or(0, |examples| examples.count),
        };
        claims::needed(&spread, margin, self.analysis.alpha)
    }

    fn retrainings(&self) -> f64 {
        self.searches.iter().map(Vec::len).min().unwrap_or(1).max(1) as f64
    }
}

fn seeds(searches: &[(u32, Vec<f64>)]) -> Vec<u32> {
    searches.iter().map(|(seed, _)| *seed).collect()
}

impl Claims {
    /// The larger of the p-values of equivalence by both claims.
    fn within(&self, margin: f64) -> Option<Equivalence> {
        let these = equivalence(&self.these, margin)?;
        let new = self.new.as_ref().map(|claim| equivalence(claim, margin));
        let (p, scope) = match new {
            Some(new) => (these.max(new?), ClaimScope::NewExamples),
            None => (these, ClaimScope::TheseExamples),
        };
        Some(Equivalence {
            margin,
            p,
            corrected: p,
            scope,
        })
    }
}
