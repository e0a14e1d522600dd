//! The figures of a comparison: its arms, what each gave, and how they differ.

use super::contrast::{Contrast, ContrastExamples, Family, contrasts};
use super::verdict::{Verdict, verdict};
use crate::evaluation::Contributions;
use crate::run::comparison::{Part, RecordedComparison, Search};
use crate::run::record::RetrainedResult;
use crate::run::{Outcome, RecordedRun, RunError, Subject};
use crate::search::TrialId;
use crate::space::Candidate;
use crate::statistics;
use crate::statistics::claims::{ExampleVariance, Observations, alpha, claim_2};
use crate::tabular::ModelKind;
use crate::training::{self, Direction};
use serde::{Deserialize, Serialize};

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
    /// True if scores are looked up in a table, so that nothing is trained and a figure has no noise.
    pub looked_up: bool,
    /// True if a lower score is better.
    pub minimised: bool,
    /// The number of this look at these test examples, from 1.
    pub look: u32,
    /// The level of significance of this look.
    pub alpha: f64,
    /// The difference below which arms are called equal; nothing where the experiment states none.
    pub margin: Option<f64>,
    /// Reasons why it is no evidence whatever its figures are, each a sentence.
    pub reservations: Vec<String>,
    /// What was concluded.
    pub verdict: Verdict,
    /// The arms: searches first, then random search, random networks and hand-designed ones.
    pub arms: Vec<Arm>,
    /// The searches against hand-designed networks, random networks, random search and each other.
    pub contrasts: Vec<Contrast>,
    /// Variances over test examples of differences of arms, where contributions are not at hand themselves.
    #[serde(skip)]
    pub examples: Vec<ContrastExamples>,
    /// Whether the order that searches found is the order on the test examples.
    pub agreement: Option<Agreement>,
}

/// What an arm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The root seeds of its searches.
    pub seeds: Vec<u64>,
    /// Set where its trials are random search's by construction.
    pub drawn_at_random: Option<DrawnAtRandom>,
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

/// A search whose trials were all drawn like random search's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnAtRandom {
    /// The size of its first generation, where it has one.
    pub population: Option<u64>,
    /// Its trials.
    pub trials: u64,
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The search seed, from 1.
    pub search_seed: u32,
    /// The number of the retraining, from 1.
    pub retraining: u32,
    /// The score.
    pub value: f64,
    /// The contribution of each test example: their mean is the score.
    #[serde(skip)]
    pub contributions: Option<Vec<f64>>,
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

/// What scores of this name can be.
fn bounds(score_name: &str) -> (f64, f64) {
    let anything = (f64::NEG_INFINITY, f64::INFINITY);
    training::Score::named(score_name).map_or(anything, |score| score.info().range)
}

/// True if a lower score of this name is better.
fn is_minimised(score_name: &str) -> bool {
    Direction::of_figure(score_name) == Direction::Minimise
}

/// What it took to find an arm's networks, failed trials included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Trials.
    pub trials: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were made from another trial.
    pub bred: u64,
    /// Epochs of all trials; one on a share of the examples counts as that share.
    pub epochs: f64,
    /// Seconds of all trials, one after the other.
    pub seconds: f64,
    /// Trainings that say for how many epochs its networks are retrained; the winners' are their trials, and not counted.
    pub selections: u64,
    /// Seconds of these.
    pub selection_seconds: f64,
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
            quick: plan.quick,
            complete: comparison.is_complete(),
            search_seeds: plan.search_seeds,
            retrain_seeds: plan.retrain_seeds,
            test_examples: opened,
            looked_up: plan.experiment.evaluator.info().looks_up,
            look: plan.look,
            margin: plan.margin,
            ..Self::empty(plan.experiment.name.clone(), score_name)
        };
        if plan.repeats_seeds {
            analysis.reservations.push(format!(
                "Look {} searched with seeds of an earlier look at the same test examples.",
                plan.look
            ));
        }
        analysis.arms = arms(comparison)?;
        analysis.conclude();
        Ok(analysis)
    }

    /// An analysis of a first look without any arm.
    pub(super) fn empty(name: String, score_name: String) -> Self {
        Self {
            name,
            minimised: is_minimised(&score_name),
            score_name,
            quick: false,
            complete: true,
            search_seeds: 0,
            retrain_seeds: 0,
            test_examples: None,
            looked_up: false,
            look: 1,
            alpha: alpha(1),
            margin: None,
            reservations: Vec::new(),
            verdict: Verdict::default(),
            arms: Vec::new(),
            contrasts: Vec::new(),
            examples: Vec::new(),
            agreement: None,
        }
    }

    /// Draws from the arms' scores what follows from them.
    pub fn conclude(&mut self) {
        self.alpha = alpha(self.look);
        let bounds = bounds(&self.score_name);
        for arm in &mut self.arms {
            arm.sample = Sample::of(arm, bounds);
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
        self.contrasts = contrasts(self);
        self.agreement = agreement(&self.arms);
        self.verdict = verdict(self);
    }

    /// True if the comparison may conclude anything: it is whole, no quick look, and without reservations.
    pub fn is_evidence(&self) -> bool {
        !self.quick && self.complete && self.reservations.is_empty()
    }

    /// 1 where a higher score is better, -1 where a lower one is.
    pub(super) fn sign(&self) -> f64 {
        if self.minimised { -1.0 } else { 1.0 }
    }

    /// The least and the most that a difference of two scores can be.
    pub(super) fn difference_bounds(&self) -> (f64, f64) {
        let (least, most) = bounds(&self.score_name);
        (least - most, most - least)
    }

    /// The searches; random search only where there is no other.
    pub fn searches(&self) -> impl Iterator<Item = &Arm> {
        let is_alone = self.arms_of(Role::Search).next().is_none();
        let role = if is_alone {
            Role::RandomSearch
        } else {
            Role::Search
        };
        self.arms_of(role)
    }

    /// The arm with a name.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// True if a search's trials are all random search's by construction.
    pub(super) fn is_drawn_at_random(&self, name: &str) -> bool {
        self.arm(name)
            .is_some_and(|arm| arm.drawn_at_random.is_some())
    }

    /// The variance over test examples of the difference of two arms; nothing where no example's contribution is
    /// recorded.
    pub(super) fn examples_between(&self, first: &Arm, second: &Arm) -> Option<ExampleVariance> {
        if self.looked_up {
            return None;
        }
        if let (Some(x), Some(y)) = (first.contributions(), second.contributions()) {
            return (x.len() == y.len()).then(|| ExampleVariance::between(&x, &y));
        }
        let of = |it: &&ContrastExamples| it.first == first.name && it.second == second.name;
        self.examples.iter().find(of).map(|it| it.examples)
    }

    /// The contrasts of a family.
    pub fn contrasts_of(&self, family: Family) -> impl Iterator<Item = &Contrast> {
        self.contrasts
            .iter()
            .filter(move |contrast| contrast.family == family)
    }

    /// The arms of a role.
    pub fn arms_of(&self, role: Role) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(move |arm| arm.role == role)
    }
}

impl Arm {
    /// Its scores as numbers.
    pub fn values(&self) -> Vec<f64> {
        self.scores.iter().map(|score| score.value).collect()
    }

    /// The name with what is to be known of it before anything is concluded.
    pub fn title(&self) -> String {
        let Some(drawn) = self.drawn_at_random else {
            return self.name.clone();
        };
        let population = drawn.population.map_or_else(String::new, |population| {
            format!("population {population}, ")
        });
        format!(
            "{} (all trials drawn at random: {population}trials {})",
            self.name, drawn.trials
        )
    }

    /// The scores of each search seed that has any, in the order of seeds.
    pub fn by_search(&self) -> Vec<(u32, Vec<f64>)> {
        let mut searches: Vec<(u32, Vec<f64>)> = Vec::new();
        for score in &self.scores {
            match searches
                .iter_mut()
                .find(|(seed, _)| *seed == score.search_seed)
            {
                Some((_, scores)) => scores.push(score.value),
                None => searches.push((score.search_seed, vec![score.value])),
            }
        }
        searches.sort_by_key(|(seed, _)| *seed);
        searches
    }

    /// True if two searches began with the same seeds, so that their winners can be compared in pairs.
    pub(super) fn shares_seeds(&self, other: &Self) -> bool {
        !self.seeds.is_empty() && self.seeds == other.seeds
    }

    /// Each test example's mean contribution, over retrainings and then over searches.
    pub(super) fn contributions(&self) -> Option<Vec<f64>> {
        let counts = self.by_search();
        let is_search = matches!(self.role, Role::Search | Role::RandomSearch);
        let mut means: Vec<f64> = Vec::new();
        for score in &self.scores {
            let of = score.contributions.as_ref()?;
            means.resize(of.len().max(means.len()), 0.0);
            let each = counts
                .iter()
                .find(|(seed, _)| *seed == score.search_seed)?
                .1
                .len();
            let weight = match is_search {
                true => 1.0 / (each * counts.len()) as f64,
                false => 1.0 / self.scores.len() as f64,
            };
            for (mean, value) in means.iter_mut().zip(of) {
                *mean += weight * value;
            }
        }
        (!means.is_empty()).then_some(means)
    }

    /// The smallest and the largest of a figure over its networks.
    pub fn range(&self, of: impl Fn(&Network) -> u64) -> Option<(u64, u64)> {
        let figures = || self.networks.iter().map(&of);
        Some((figures().min()?, figures().max()?))
    }
}

impl Sample {
    /// An arm's scores as a sample. The mean of a search's arm is over searches, and its interval is of what
    /// new searches would have on these test examples.
    fn of(arm: &Arm, (least, most): (f64, f64)) -> Option<Self> {
        let values = arm.values();
        let searches: Vec<Vec<f64>> = arm.by_search().into_iter().map(|(_, it)| it).collect();
        let side = match arm.role {
            Role::Search | Role::RandomSearch => Observations::Searches(&searches),
            Role::HandDesigned if arm.known => Observations::Known(*values.first()?),
            _ => Observations::Network(&values),
        };
        let interval = match arm.role {
            Role::Search | Role::RandomSearch => claim_2(side, Observations::Known(0.0)).interval(),
            Role::HandDesigned if arm.known => None,
            // Trainings of one network, or networks that nobody chose, are the observations.
            _ => network_interval(&values),
        };
        Some(Self {
            n: values.len(),
            mean: statistics::mean(&values).map(|_| side.mean())?,
            deviation: statistics::deviation(&values),
            median: statistics::median(&values)?,
            interquartile_range: statistics::interquartile_range(&values)?,
            low: interval.map(|it| it.low.clamp(least, most)),
            high: interval.map(|it| it.high.clamp(least, most)),
        })
    }
}

/// Student's interval of a mean of trainings.
fn network_interval(values: &[f64]) -> Option<statistics::Interval> {
    let each: Vec<Vec<f64>> = values.iter().map(|&value| vec![value]).collect();
    claim_2(Observations::Searches(&each), Observations::Known(0.0)).interval()
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
        arm.known = plan.experiment.evaluator.info().looks_up;
        arm.seeds = seeds(comparison, index);
        arm.drawn_at_random = drawn_at_random(comparison, index);
        for (part, run) in comparison.runs() {
            if part.search == index {
                for (subject, candidate) in run.finalists()? {
                    let tested = Tested {
                        comparison,
                        run,
                        part: *part,
                        candidate: &candidate,
                    };
                    match &subject {
                        Subject::Winner => tested.winner(&mut arm),
                        // A comparison has one winner a search.
                        Subject::Within(_) => {}
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
    if let Some(selected) = run.state().selected.get(subject) {
        arm.cost.selections += 1;
        arm.cost.selection_seconds += selected.seconds;
    }
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
                contributions: contributions(&retrained.result),
            }),
            None => arm.failed += 1,
        }
    }
}

/// The root seeds of a search's runs.
fn seeds(comparison: &RecordedComparison, search: usize) -> Vec<u64> {
    let of = comparison
        .runs()
        .iter()
        .filter(|(part, _)| part.search == search);
    of.map(|(_, run)| run.started().experiment.seed.0).collect()
}

/// The size of a search no trial of which could differ from random search's: none was made from another though the
/// search makes children, or the trials are the same one by one.
fn drawn_at_random(comparison: &RecordedComparison, index: usize) -> Option<DrawnAtRandom> {
    let plan = comparison.plan();
    let search = &plan.searches[index];
    let runs = |index: usize| {
        comparison
            .runs()
            .iter()
            .filter(move |(part, _)| part.search == index)
    };
    let trials = runs(index)
        .map(|(_, run)| run.state().outcomes.len() as u64)
        .max()?;
    if search.is_random() || trials == 0 {
        return None;
    }
    let population = search.population();
    let is_bred = |(_, run): &(Part, RecordedRun)| {
        let proposals = &run.state().proposals;
        proposals
            .iter()
            .any(|proposal| !proposal.parents.is_empty())
    };
    let random = plan.searches.iter().position(Search::is_random);
    let is_alike = random.is_some_and(|random| {
        let mut pairs = runs(index).zip(runs(random));
        pairs.all(|((_, ours), (_, theirs))| {
            let (ours, theirs) = (&ours.state().proposals, &theirs.state().proposals);
            let alike = ours
                .iter()
                .zip(theirs)
                .all(|(a, b)| a.key == b.key && a.recipe == b.recipe);
            ours.len() == theirs.len() && alike
        })
    });
    let never_bred = population.is_some() && !runs(index).any(is_bred);
    (never_bred || is_alike).then_some(DrawnAtRandom { population, trials })
}

/// The contribution of each test example to a retraining's score, where the journal has it.
fn contributions(retrained: &RetrainedResult) -> Option<Vec<f64>> {
    retrained.contributions().map(Contributions::values)
}

/// A network that was tested in a run.
struct Tested<'a> {
    comparison: &'a RecordedComparison,
    run: &'a RecordedRun,
    part: Part,
    candidate: &'a Candidate,
}

impl Tested<'_> {
    fn winner(&self, arm: &mut Arm) {
        let state = self.run.state();
        let finished = |outcome: &&Outcome| outcome.score().is_none();
        arm.cost.trials += state.outcomes.len() as u64;
        let bred = state.proposals.iter().filter(|it| !it.parents.is_empty());
        arm.cost.bred += bred.count() as u64;
        arm.cost.failed += state.outcomes.iter().filter(finished).count() as u64;
        arm.cost.epochs += state.epochs();
        arm.cost.seconds += state.outcomes.iter().map(Outcome::seconds).sum::<f64>();
        let winner = state.winner.as_ref();
        arm.networks.push(Network {
            trial: winner.map(|winner| winner.trial),
            search_score: winner.map(|winner| winner.score),
            ..self.network(Some(self.part.seed + 1))
        });
        match winner.filter(|_| self.comparison.plan().quick) {
            Some(winner) => arm.scores.push(self.validated(winner.score)),
            None => self.scores(&Subject::Winner, arm),
        }
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
        let designs = self.comparison.designs().unwrap_or_default();
        match designs.iter().find(|design| design.name == name) {
            None => self.scores(&Subject::Baseline(name.to_owned()), &mut designed[at]),
            Some(design) => match design.score {
                Some(score) => designed[at].scores.push(self.validated(score)),
                None => designed[at].failed += 1,
            },
        }
    }

    /// A score on validation examples: all that a quick look knows.
    fn validated(&self, value: f64) -> Score {
        Score {
            search_seed: self.part.seed + 1,
            retraining: 1,
            value,
            contributions: None,
        }
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
            seeds: Vec::new(),
            drawn_at_random: None,
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
