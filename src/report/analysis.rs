//! The figures of a comparison: its arms, what each gave, and how they differ.

use super::contrast::{Contrast, Unit, contrasts};
use super::verdict::{Verdict, verdict};
use crate::random::{Purpose, Seed};
use crate::run::comparison::{Part, RecordedComparison};
use crate::run::{Outcome, RecordedRun, RunError, Subject};
use crate::search::TrialId;
use crate::space::Candidate;
use crate::statistics::{self, Bootstrap};
use crate::tabular::ModelKind;
use serde::Serialize;

/// A comparison in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// The experiment's name.
    pub name: String,
    /// What scores are: accuracy, F1 or R2.
    pub score_name: String,
    /// Whether too little was done to be evidence.
    pub quick: bool,
    /// Whether everything planned was done.
    pub complete: bool,
    /// With how many root seeds each search was run.
    pub search_seeds: u32,
    /// With how many seeds each network was retrained for each search seed.
    pub retrain_seeds: u32,
    /// The number of test examples.
    pub test_examples: Option<u64>,
    /// What was concluded.
    pub verdict: Verdict,
    /// The arms: searches first, then random search, random networks and hand-designed ones.
    pub arms: Vec<Arm>,
    /// The searches' networks against the hand-designed and the random ones, retraining by retraining.
    pub designs: Vec<Contrast>,
    /// The searches against random search, search seed by search seed.
    pub methods: Vec<Contrast>,
    /// Whether the order that searches found is the order on the test examples.
    pub agreement: Option<Agreement>,
}

/// What an arm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The winners of a search.
    Search,
    /// The winners of random search.
    RandomSearch,
    /// Architectures drawn from the space, without choosing.
    RandomNetworks,
    /// A network that a person designed.
    HandDesigned,
    /// A model that is no network.
    Model,
}

impl Role {
    /// The role in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::RandomSearch => "random search",
            Self::RandomNetworks => "no search",
            Self::HandDesigned => "hand-designed",
            Self::Model => "no network",
        }
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its networks: one for each search seed, or the one that was designed.
    pub networks: Vec<Network>,
    /// What its networks scored on the test examples.
    pub scores: Vec<Score>,
    /// Whether its scores are one figure without noise, looked up in a table.
    pub known: bool,
    /// The scores as a sample.
    pub sample: Option<Sample>,
    /// How much better the mean is than that of random networks, in percent of it.
    pub improvement: Option<f64>,
    /// What it took to find the networks.
    pub cost: Cost,
    /// Retrainings without a score.
    pub failed: u64,
}

/// A network of an arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Network {
    /// The search seed, from 1; nothing for one that does not depend on it.
    pub search_seed: Option<u32>,
    /// The trial that found it.
    pub trial: Option<TrialId>,
    /// Its validation score in the search.
    pub search_score: Option<f64>,
    /// Its mean score on the test examples.
    pub mean: Option<f64>,
    /// Trainable values.
    pub params: u64,
    /// Multiply-accumulates of one forward pass.
    pub macs: u64,
    /// A short name of the canonical network.
    pub key: String,
}

/// A network's score on the test examples after one retraining.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The search seed, from 1.
    pub search_seed: u32,
    /// The number of the retraining, from 1.
    pub retraining: u32,
    /// The score.
    pub value: f64,
}

/// A sample in figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Its size.
    pub n: usize,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: Option<f64>,
    /// Its median.
    pub median: f64,
    /// Its third quartile minus its first.
    pub interquartile_range: f64,
    /// The lower end of the mean's 95% interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// The fewest values whose mean has an interval: of two, Student's is several times as wide as they lie apart.
const FEWEST_OF_AN_INTERVAL: usize = 3;

/// What scores of this name can be.
fn bounds(score_name: &str) -> (f64, f64) {
    match score_name {
        "accuracy" | "F1" => (0.0, 1.0),
        "R2" => (f64::NEG_INFINITY, 1.0),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

impl Sample {
    /// The sample with an interval that says nothing of what no mean can be, and none of too few values.
    #[must_use]
    fn within(self, (least, most): (f64, f64)) -> Self {
        let has_interval = self.n >= FEWEST_OF_AN_INTERVAL;
        let shown = |end: Option<f64>| {
            let end = end.filter(|_| has_interval)?;
            Some(end.clamp(least, most))
        };
        Self {
            low: shown(self.low),
            high: shown(self.high),
            ..self
        }
    }
}

/// What it took to find an arm's networks, failed trials included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Trials.
    pub trials: u64,
    /// Those that failed.
    pub failed: u64,
    /// Epochs of all trials; one on a share of the examples counts as that share.
    pub epochs: f64,
    /// Seconds of all trials, one after the other.
    pub seconds: f64,
    /// Seconds of all retrainings.
    pub retraining_seconds: f64,
}

/// How far two orders of the winners agree: by their search's validation score, and by their test score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// How many winners.
    pub n: usize,
    /// Spearman's correlation.
    pub spearman: Option<f64>,
    /// Kendall's tau-b.
    pub kendall: Option<f64>,
}

impl Analysis {
    /// The figures of a comparison, as far as it has got.
    ///
    /// # Errors
    /// When a run's spaces have changed.
    pub fn of(comparison: &RecordedComparison) -> Result<Self, RunError> {
        let plan = comparison.plan();
        let score_name = match comparison.runs().first() {
            Some((_, run)) => run.score_name()?.to_owned(),
            None => "score".to_owned(),
        };
        let opened = comparison.runs().iter().find_map(|(_, run)| opened(run));
        let mut analysis = Self {
            name: plan.experiment.name.clone(),
            score_name,
            quick: plan.quick,
            complete: comparison.is_complete(),
            search_seeds: plan.search_seeds,
            retrain_seeds: plan.retrain_seeds,
            test_examples: opened,
            verdict: Verdict::default(),
            arms: arms(comparison)?,
            designs: Vec::new(),
            methods: Vec::new(),
            agreement: None,
        };
        analysis.conclude(plan.experiment.seed);
        Ok(analysis)
    }

    /// Draws from the arms' scores what follows from them.
    pub fn conclude(&mut self, seed: Seed) {
        let bounds = bounds(&self.score_name);
        for (index, arm) in self.arms.iter_mut().enumerate() {
            let seed = seed.derive("interval of an arm", index as u64);
            arm.sample = Sample::of(&arm.values(), seed).map(|sample| sample.within(bounds));
            for network in &mut arm.networks {
                let of = |score: &&Score| {
                    network
                        .search_seed
                        .is_none_or(|seed| seed == score.search_seed)
                };
                let scores: Vec<f64> = arm.scores.iter().filter(of).map(|s| s.value).collect();
                network.mean = network.mean.or(statistics::mean(&scores));
            }
        }
        let random = self
            .arms
            .iter()
            .find(|arm| arm.role == Role::RandomNetworks);
        if let Some(base) = random.and_then(|arm| arm.sample).map(|sample| sample.mean) {
            for arm in &mut self.arms {
                let better = |sample: Sample| 100.0 * (sample.mean - base) / base.abs();
                arm.improvement = arm.sample.filter(|_| base != 0.0).map(better);
            }
        }
        self.designs = contrasts(&self.arms, Unit::Retraining, seed);
        self.methods = contrasts(&self.arms, Unit::SearchSeed, seed);
        self.agreement = agreement(&self.arms);
        self.verdict = verdict(self);
    }

    /// The arms of a role.
    pub fn arms_of(&self, role: Role) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(move |arm| arm.role == role)
    }

    /// The hand-designed arm with the highest mean.
    pub fn best_design(&self) -> Option<&Arm> {
        let mean = |arm: &&Arm| arm.sample.map_or(f64::NEG_INFINITY, |sample| sample.mean);
        self.arms_of(Role::HandDesigned)
            .max_by(|a, b| mean(a).total_cmp(&mean(b)))
    }
}

impl Arm {
    /// Its scores as numbers.
    pub fn values(&self) -> Vec<f64> {
        self.scores.iter().map(|score| score.value).collect()
    }

    /// The mean score of each search seed.
    pub fn means_by_seed(&self) -> Vec<f64> {
        let mut seeds: Vec<u32> = self.scores.iter().map(|score| score.search_seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mean = |seed: u32| {
            let of = self.scores.iter().filter(|score| score.search_seed == seed);
            let values: Vec<f64> = of.map(|score| score.value).collect();
            statistics::mean(&values)
        };
        seeds.into_iter().filter_map(mean).collect()
    }

    /// The smallest and the largest of a figure over its networks.
    pub fn range(&self, of: impl Fn(&Network) -> u64) -> Option<(u64, u64)> {
        let figures = || self.networks.iter().map(&of);
        Some((figures().min()?, figures().max()?))
    }
}

impl Sample {
    fn of(values: &[f64], seed: Seed) -> Option<Self> {
        let mut stream = seed.stream(0, Purpose::Tool);
        let interval = Bootstrap::default().mean(values, &mut stream);
        Some(Self {
            n: values.len(),
            mean: statistics::mean(values)?,
            deviation: statistics::deviation(values),
            median: statistics::median(values)?,
            interquartile_range: statistics::interquartile_range(values)?,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        })
    }
}

fn opened(run: &RecordedRun) -> Option<u64> {
    run.state().test_examples
}

/// The arms in the order of the report.
fn arms(comparison: &RecordedComparison) -> Result<Vec<Arm>, RunError> {
    let plan = comparison.plan();
    let mut searched = Vec::new();
    let mut drawn = Vec::new();
    let mut designed: Vec<Arm> = Vec::new();
    let mut models: Vec<Arm> = Vec::new();
    for (index, search) in plan.searches.iter().enumerate() {
        let role = match search.is_random() {
            true => Role::RandomSearch,
            false => Role::Search,
        };
        let mut arm = Arm::empty(search.name.clone(), role);
        for (part, run) in comparison.runs() {
            if part.search == index {
                for (subject, candidate) in run.finalists()? {
                    let tested = Tested {
                        run,
                        part: *part,
                        candidate: &candidate,
                    };
                    match &subject {
                        Subject::Winner => tested.winner(&mut arm),
                        Subject::Random(number) => tested.random(*number, &mut drawn),
                        Subject::Baseline(name) => tested.baseline(name, &mut designed),
                        Subject::Model(_) => unreachable!("a model is no network"),
                    }
                }
                models.extend(run.models().into_iter().map(|kind| model(run, *part, kind)));
            }
        }
        searched.push(arm);
    }
    searched.sort_by_key(|arm| arm.role == Role::RandomSearch);
    searched.extend(drawn);
    searched.extend(designed);
    searched.extend(models);
    Ok(searched)
}

/// A model that was fitted once, so that its score is known without noise.
fn model(run: &RecordedRun, part: Part, kind: ModelKind) -> Arm {
    let subject = Subject::Model(kind);
    let mut arm = Arm::empty(kind.to_string(), Role::Model);
    arm.known = true;
    scores(run, part, &subject, &mut arm);
    let fitted = run.state().retrained.get(&(subject, 0));
    if let Some(fitted) = fitted.and_then(|done| done.model.as_ref()) {
        arm.networks.push(Network {
            search_seed: None,
            trial: None,
            search_score: None,
            mean: None,
            params: fitted.size,
            macs: 0,
            key: String::new(),
        });
    }
    arm
}

/// What retrainings of a run scored on the test examples.
fn scores(run: &RecordedRun, part: Part, subject: &Subject, arm: &mut Arm) {
    for ((owner, index), retrained) in &run.state().retrained {
        if owner != subject {
            continue;
        }
        arm.cost.retraining_seconds += retrained.seconds;
        match retrained.result.score() {
            Some(value) => arm.scores.push(Score {
                search_seed: part.seed + 1,
                retraining: index + 1,
                value,
            }),
            None => arm.failed += 1,
        }
    }
}

/// A network that was tested in a run.
struct Tested<'a> {
    run: &'a RecordedRun,
    part: Part,
    candidate: &'a Candidate,
}

impl Tested<'_> {
    fn winner(&self, arm: &mut Arm) {
        let state = self.run.state();
        let finished = |outcome: &&Outcome| outcome.score().is_none();
        arm.cost.trials += state.outcomes.len() as u64;
        arm.cost.failed += state.outcomes.iter().filter(finished).count() as u64;
        arm.cost.epochs += state.epochs();
        arm.cost.seconds += state.outcomes.iter().map(Outcome::seconds).sum::<f64>();
        let winner = state.winner.as_ref();
        arm.networks.push(Network {
            trial: winner.map(|winner| winner.trial),
            search_score: winner.map(|winner| winner.score),
            ..self.network(Some(self.part.seed + 1))
        });
        self.scores(&Subject::Winner, arm);
    }

    fn random(&self, number: u32, drawn: &mut Vec<Arm>) {
        if drawn.is_empty() {
            let name = "random networks".to_owned();
            drawn.push(Arm::empty(name, Role::RandomNetworks));
        }
        let (arm, subject) = (&mut drawn[0], Subject::Random(number));
        let before = arm.scores.len();
        self.scores(&subject, arm);
        arm.networks.push(Network {
            mean: arm.scores.get(before).map(|score| score.value),
            ..self.network(Some(self.part.seed + 1))
        });
    }

    fn baseline(&self, name: &str, designed: &mut Vec<Arm>) {
        let at = match designed.iter().position(|arm| arm.name == name) {
            Some(at) => at,
            None => {
                let mut arm = Arm::empty(name.to_owned(), Role::HandDesigned);
                arm.known = self.run.started().experiment.evaluator.info().looks_up;
                arm.networks.push(self.network(None));
                designed.push(arm);
                designed.len() - 1
            }
        };
        self.scores(&Subject::Baseline(name.to_owned()), &mut designed[at]);
    }

    fn scores(&self, subject: &Subject, arm: &mut Arm) {
        scores(self.run, self.part, subject, arm);
    }

    fn network(&self, search_seed: Option<u32>) -> Network {
        let metrics = self.candidate.architecture.metrics();
        Network {
            search_seed,
            trial: None,
            search_score: None,
            mean: None,
            params: metrics.params,
            macs: metrics.macs,
            key: self.candidate.architecture.canonical().digest(),
        }
    }
}

impl Arm {
    /// An arm that nothing is known of yet.
    pub fn empty(name: String, role: Role) -> Self {
        Self {
            name,
            role,
            networks: Vec::new(),
            scores: Vec::new(),
            known: false,
            sample: None,
            improvement: None,
            cost: Cost::default(),
            failed: 0,
        }
    }
}

fn agreement(arms: &[Arm]) -> Option<Agreement> {
    let networks = arms.iter().flat_map(|arm| &arm.networks);
    let pairs = networks.filter_map(|network| Some((network.search_score?, network.mean?)));
    let (searched, tested): (Vec<f64>, Vec<f64>) = pairs.unzip();
    (searched.len() > 2).then(|| Agreement {
        n: searched.len(),
        spearman: statistics::spearman(&searched, &tested),
        kendall: statistics::kendall(&searched, &tested),
    })
}
