//! Simulated comparisons in which the truth is known: winners are drawn, and so are retrainings and test examples.
//!
//! An answer is right where a latent normal number is above a threshold. Of the latent variance .78 is the example's
//! own, .06 how an arm takes the example, .06 how a search's winner does, and .10 is drawn at each retraining; these
//! shares are pessimistic against trainings of perceptrons on digits and Fashion-MNIST. The accuracy of a network is
//! its arm's, and a winner's and a retraining's deviation. Nothing is centred afterwards.

use strata::random::Stream;
use strata::statistics::claims::{
    Claim, Component, ExampleVariance, Observations, claim_2, claim_3, satterthwaite,
    student_two_sided, variance,
};
use strata::statistics::normal_quantile;

/// A kind of comparison: an accuracy and the standard deviations around it, as the committed ones have them.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub accuracy: f64,
    pub between_searches: f64,
    pub within_search: f64,
    pub design: f64,
}

pub const SETTINGS: [Setting; 4] = [
    setting("mnist1d", 0.989, 0.0020, 0.0015, 0.0013),
    setting("fashion_mnist", 0.848, 0.0087, 0.0081, 0.0048),
    setting("sms_spam", 0.982, 0.0012, 0.0017, 0.0027),
    setting("digits", 0.985, 0.0023, 0.0027, 0.0046),
];

const fn setting(
    name: &'static str,
    accuracy: f64,
    between_searches: f64,
    within_search: f64,
    design: f64,
) -> Setting {
    Setting {
        name,
        accuracy,
        between_searches,
        within_search,
        design,
    }
}

impl Setting {
    /// With the variances multiplied.
    pub fn times(self, variances: f64) -> Self {
        let factor = libm::sqrt(variances);
        Self {
            between_searches: self.between_searches * factor,
            within_search: self.within_search * factor,
            design: self.design * factor,
            ..self
        }
    }
}

/// The sizes of comparison that are read off one simulation; each in ascending order.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    pub searches: &'a [usize],
    pub retrainings: &'a [usize],
    pub examples: &'a [usize],
}

/// A size of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub searches: usize,
    pub retrainings: usize,
    pub examples: usize,
}

impl Grid<'_> {
    /// The sizes, by examples first.
    pub fn sizes(&self) -> Vec<Size> {
        let mut sizes = Vec::new();
        for &examples in self.examples {
            for &searches in self.searches {
                sizes.extend(self.retrainings.iter().map(|&retrainings| Size {
                    searches,
                    retrainings,
                    examples,
                }));
            }
        }
        sizes
    }
}

/// Normal numbers by a table of 65,536 quantiles: four from one draw of bits.
pub struct Normals(Vec<f32>);

impl Normals {
    pub fn new() -> Self {
        let quantile = |at: u32| normal_quantile((f64::from(at) + 0.5) / 65_536.0) as f32;
        Self((0..65_536).map(quantile).collect())
    }

    fn fill(&self, into: &mut [f32], stream: &mut Stream) {
        for four in into.chunks_mut(4) {
            let bits = stream.bits();
            for (place, value) in four.iter_mut().enumerate() {
                *value = self.0[(bits >> (16 * place)) as u16 as usize];
            }
        }
    }
}

/// A simulated comparison of one size.
pub struct Simulated {
    /// The scores of each search's retrainings.
    pub searches: Vec<Vec<f64>>,
    /// The design's scores.
    pub design: Vec<f64>,
    /// The difference's variance over test examples.
    pub examples: ExampleVariance,
}

/// The thresholds of a network's latent numbers, in units of the retraining's deviation.
fn threshold(accuracy: f64) -> f32 {
    normal_quantile(accuracy.clamp(5e-4, 1.0 - 5e-4)) as f32
}

/// A comparison of a search that is better by `effect` than a design, at every size of a grid.
pub fn simulate(
    setting: &Setting,
    effect: f64,
    grid: &Grid<'_>,
    normals: &Normals,
    stream: &mut Stream,
) -> Vec<Simulated> {
    let (most, times) = (
        *grid.searches.last().unwrap(),
        *grid.retrainings.last().unwrap(),
    );
    let networks = most * times;
    let mut thresholds = Vec::with_capacity(2 * networks);
    for _ in 0..most {
        let winner = setting.accuracy + effect + setting.between_searches * stream.normal();
        for _ in 0..times {
            thresholds.push(threshold(winner + setting.within_search * stream.normal()));
        }
    }
    for _ in 0..networks {
        thresholds.push(threshold(
            setting.accuracy + setting.design * stream.normal(),
        ));
    }
    let mut counts = Counts::new(grid, most, times);
    let mut draws = vec![0.0_f32; 3 + most + 1 + 2 * networks];
    let mut found = Vec::new();
    for example in 1..=*grid.examples.last().unwrap() {
        normals.fill(&mut draws, stream);
        counts.add(&thresholds, &draws);
        if grid.examples.contains(&example) {
            found.extend(counts.simulated(example));
        }
    }
    found
}

/// Right answers so far.
struct Counts<'a> {
    grid: &'a Grid<'a>,
    most: usize,
    times: usize,
    right: Vec<u32>,
    /// For each number of searches and of retrainings, the sum over examples of the difference in right answers, and of
    /// its square.
    sums: Vec<(i64, i64)>,
    /// Right answers to one example: of the first retrainings of the first searches, and of the first of the design's.
    searched: Vec<i64>,
    designed: Vec<i64>,
}

impl<'a> Counts<'a> {
    fn new(grid: &'a Grid<'a>, most: usize, times: usize) -> Self {
        Self {
            grid,
            most,
            times,
            right: vec![0; 2 * most * times],
            sums: vec![(0, 0); grid.searches.len() * grid.retrainings.len()],
            searched: vec![0; (most + 1) * (times + 1)],
            designed: vec![0; most * times + 1],
        }
    }

    fn add(&mut self, thresholds: &[f32], draws: &[f32]) {
        let (most, times) = (self.most, self.times);
        let (small, retraining) = (libm::sqrtf(0.06), libm::sqrtf(0.1));
        let own = libm::sqrtf(0.78) * draws[0];
        let (tastes, answers) = draws[3..].split_at(most + 1);
        for (search, taste) in tastes[..most].iter().enumerate() {
            let base = own + small * (draws[1] + taste);
            let mut sum = 0;
            for time in 0..times {
                let at = search * times + time;
                let is_right = base + retraining * answers[at] + thresholds[at] > 0.0;
                self.right[at] += u32::from(is_right);
                sum += i64::from(is_right);
                let before = self.searched[search * (times + 1) + time + 1];
                self.searched[(search + 1) * (times + 1) + time + 1] = before + sum;
            }
        }
        let base = own + small * (draws[2] + tastes[most]);
        let networks = most * times;
        for at in 0..networks {
            let is_right =
                base + retraining * answers[networks + at] + thresholds[networks + at] > 0.0;
            self.right[networks + at] += u32::from(is_right);
            self.designed[at + 1] = self.designed[at] + i64::from(is_right);
        }
        let mut sums = self.sums.iter_mut();
        for &s in self.grid.searches {
            for &r in self.grid.retrainings {
                let difference = self.searched[s * (times + 1) + r] - self.designed[s * r];
                let (sum, squares) = sums.next().unwrap();
                *sum += difference;
                *squares += difference * difference;
            }
        }
    }

    fn simulated(&self, examples: usize) -> Vec<Simulated> {
        let n = examples as f64;
        let score = |at: usize| f64::from(self.right[at]) / n;
        let networks = self.most * self.times;
        let mut found = Vec::new();
        let mut sums = self.sums.iter();
        for &searches in self.grid.searches {
            for &retrainings in self.grid.retrainings {
                let &(sum, squares) = sums.next().unwrap();
                let each = (searches * retrainings) as f64;
                let spread = (squares as f64 - sum as f64 * sum as f64 / n) / (n - 1.0);
                let of = |s: usize| (0..retrainings).map(move |r| score(s * self.times + r));
                found.push(Simulated {
                    searches: (0..searches).map(|s| of(s).collect()).collect(),
                    design: (0..searches * retrainings)
                        .map(|at| score(networks + at))
                        .collect(),
                    examples: ExampleVariance {
                        variance: spread / (each * each) / n,
                        count: examples,
                    },
                });
            }
        }
        found
    }
}

impl Simulated {
    /// The rule: one search is one observation, and test examples are drawn anew.
    pub fn rule(&self) -> Claim {
        claim_3(
            Observations::Searches(&self.searches),
            Observations::Network(&self.design),
            self.examples,
        )
    }

    /// The wrong p-value of an analysis for which test examples are given.
    pub fn without_examples(&self) -> f64 {
        let claim = claim_2(
            Observations::Searches(&self.searches),
            Observations::Network(&self.design),
        );
        claim.p.unwrap_or(1.0)
    }

    /// The wrong p-value of an analysis for which every retraining is an observation of its own, with or without
    /// test examples.
    pub fn retrainings_as_observations(&self, with_examples: bool) -> f64 {
        let part = |scores: &[f64]| Component {
            variance: variance(scores) / scores.len() as f64,
            freedom: (scores.len() - 1) as f64,
        };
        let mut parts = vec![part(&self.searches.concat()), part(&self.design)];
        if with_examples {
            parts.push(Component {
                variance: self.examples.variance,
                freedom: (self.examples.count - 1) as f64,
            });
        }
        let error = satterthwaite(&parts);
        let t = self.rule().difference / libm::sqrt(error.variance);
        match error.variance > 0.0 {
            true => student_two_sided(error.freedom, t),
            false => 1.0,
        }
    }
}

/// The p-values of a comparison of equal arms on examples that are given, so that only searches and retrainings are
/// drawn: by the rule, and by counting one retraining as one observation.
pub fn given_examples(setting: &Setting, size: Size, stream: &mut Stream) -> (f64, f64) {
    let mut searches = Vec::with_capacity(size.searches);
    for _ in 0..size.searches {
        let winner = setting.between_searches * stream.normal();
        let mut score = || winner + setting.within_search * stream.normal();
        searches.push((0..size.retrainings).map(|_| score()).collect());
    }
    let networks = size.searches * size.retrainings;
    let simulated = Simulated {
        searches,
        design: (0..networks)
            .map(|_| setting.design * stream.normal())
            .collect(),
        examples: ExampleVariance {
            variance: 0.0,
            count: size.examples,
        },
    };
    (
        simulated.without_examples(),
        simulated.retrainings_as_observations(false),
    )
}

/// Counts over simulated comparisons of one size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub draws: u32,
    /// A difference was claimed at the level of a first look.
    pub claimed: u32,
    /// A difference was claimed at 5%.
    pub claimed_at_5: u32,
    /// The 95% interval held the truth.
    pub covered: u32,
    /// One retraining counted as one observation, at 5%.
    pub retrainings: u32,
    /// One retraining counted as one observation, without test examples, at 5%.
    pub pooled: u32,
    /// Without test examples, at 5%.
    pub without_examples: u32,
}

impl Tally {
    /// Counts a comparison whose true difference is `effect`.
    pub fn count(&mut self, simulated: &Simulated, effect: f64) {
        let claim = simulated.rule();
        let p = claim.p.unwrap_or(1.0);
        let is_covered = claim
            .interval()
            .is_none_or(|it| it.low <= effect && effect <= it.high);
        self.draws += 1;
        self.claimed += u32::from(p < strata::statistics::claims::alpha(1));
        self.claimed_at_5 += u32::from(p < 0.05);
        self.covered += u32::from(is_covered);
        self.retrainings += u32::from(simulated.retrainings_as_observations(true) < 0.05);
        self.pooled += u32::from(simulated.retrainings_as_observations(false) < 0.05);
        self.without_examples += u32::from(simulated.without_examples() < 0.05);
    }

    /// A count as a share of the draws.
    pub fn share(&self, of: fn(&Self) -> u32) -> f64 {
        f64::from(of(self)) / f64::from(self.draws.max(1))
    }
}
