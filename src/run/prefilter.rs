//! `[prefilter]`: several proposals for each trial, of which proxies choose one.

use super::error::RunError;
use super::evaluators::{Evaluators, default_batch, nonsense, unfit};
use super::setup::Setup;
use crate::proxies::{Minibatch, Probing, Proxy};
use crate::random::Seed;
use crate::search::{Prefilter, Scorer, TrialId};
use crate::space::Candidate;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many proposals are drawn for each trial, and which proxies choose the one that is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefilterSettings {
    /// The proxies; with several, their ranks are added up.
    pub proxies: Vec<Proxy>,
    /// Proposals for each trial; 1 switches the filter off.
    #[serde(default = "default_draws")]
    pub draws: usize,
    /// Examples in the minibatch.
    #[serde(default = "default_batch")]
    pub batch: usize,
}

fn default_draws() -> usize {
    8
}

impl PrefilterSettings {
    /// The first setting that makes no sense: its key, and what it needs.
    pub(super) fn nonsense(&self) -> Option<(&'static str, String)> {
        if self.draws == 0 {
            return Some(("draws", "at least 1".to_owned()));
        }
        nonsense(&self.proxies, self.batch)
    }

    /// Whether it has an effect.
    fn filters(&self) -> bool {
        self.draws > 1
    }
}

impl Setup {
    /// Whether the space and the controller can be filtered, if they are to be.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_prefilter(&self) -> Result<(), RunError> {
        let settings = self.experiment.prefilter.as_ref();
        let Some(settings) = settings.filter(|settings| settings.filters()) else {
            return Ok(());
        };
        let fault = |key: &str, message: String| {
            let key = key.to_owned();
            Err(RunError::Setting { key, message })
        };
        if !self.experiment.search.build(&*self.space).draws() {
            let name = self.experiment.search.description().name;
            let message = format!(
                "`{name}` goes from one proposal to the next, so none of them can be dropped; search \
                 by `random` or `evolution`, or set `draws = 1`"
            );
            return fault("prefilter", message);
        }
        match unfit(&settings.proxies, self.space.input()) {
            Ok(()) => Ok(()),
            Err(message) => fault("prefilter.proxies", message),
        }
    }

    /// The filter, if there is to be one.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn prefilter(
        &self,
        evaluators: &dyn Evaluators,
    ) -> Result<Option<Prefilter<'static>>, RunError> {
        let settings = self.experiment.prefilter.as_ref();
        let Some(settings) = settings.filter(|settings| settings.filters()) else {
            return Ok(None);
        };
        let seed = self.experiment.seed;
        let (input, output) = (self.space.input(), self.space.output());
        let threads = ThreadPoolBuilder::new().num_threads(1).build();
        let threads = threads.map_err(|error| RunError::Setting {
            key: "prefilter".to_owned(),
            message: format!("the system refuses a thread: {error}"),
        })?;
        Ok(Some(Prefilter {
            draws: settings.draws,
            scorer: Box::new(ByProxies {
                proxies: settings.proxies.clone(),
                batch: evaluators.minibatch(input, output, settings.batch, seed),
                seed,
                threads,
            }),
        }))
    }
}

/// Ranks by proxies, with the weights that the trial would be trained from.
struct ByProxies {
    proxies: Vec<Proxy>,
    batch: Minibatch,
    seed: Seed,
    /// One thread: sums depend on how many share them.
    threads: ThreadPool,
}

impl Scorer for ByProxies {
    /// A network that can't be computed has no figures, and so ranks last.
    fn figures(&mut self, trial: TrialId, candidate: &Candidate) -> Vec<f64> {
        let Self {
            proxies,
            batch,
            seed,
            ..
        } = &*self;
        let compute = || {
            let architecture = &candidate.architecture;
            let mut probing = Probing::new(architecture, batch, *seed, trial.0, proxies);
            proxies.iter().map(|&proxy| probing.value(proxy)).collect()
        };
        let figures = self
            .threads
            .install(|| catch_unwind(AssertUnwindSafe(compute)));
        figures.unwrap_or_else(|_| vec![f64::NAN; self.proxies.len()])
    }
}
