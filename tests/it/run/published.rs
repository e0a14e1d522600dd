//! The looks that the published experiments have taken, held against the ledgers beside them: doing what was published
//! again is no look. `STRATA_BLESS=1` writes both ledgers; looks at data that does not ship are then kept as they are,
//! unless `STRATA_DATA` names a folder that has it.

use std::fs;
use std::path::{Path, PathBuf};
use strata::random::Seed;
use strata::run::looks::{self, FILE_NAME, Intent, Kind, Look, Looks};
use strata::run::{ExperimentFile, RunError, comparison};

/// What was published: an experiment, who looked, by how many search seeds, when (the commit's time), what follows of it
/// by the rules of today, and the p-value of that.
struct Published {
    experiment: &'static str,
    kind: Kind,
    seeds: u64,
    at: f64,
    verdict: Option<(&'static str, Option<f64>)>,
    /// The budget in trials, where it was another than the file's.
    trials: Option<u64>,
    /// Whether its data ships with the project.
    ships: bool,
}

const fn compared(
    experiment: &'static str,
    seeds: u64,
    at: f64,
    verdict: &'static str,
    p: Option<f64>,
) -> Published {
    Published {
        experiment,
        kind: Kind::Comparison,
        seeds,
        at,
        verdict: Some((verdict, p)),
        trials: None,
        ships: true,
    }
}

const fn searched(experiment: &'static str, at: f64) -> Published {
    Published {
        experiment,
        kind: Kind::Search,
        seeds: 1,
        at,
        verdict: None,
        trials: None,
        ships: true,
    }
}

const fn elsewhere(published: Published) -> Published {
    Published {
        ships: false,
        ..published
    }
}

const EXPERIMENTS: &[Published] = &[
    compared(
        "digits",
        3,
        1_795_626_743.0,
        "Not evidence: 3 searches of each kind. Nothing is shown between evolution and resnet_small.",
        Some(0.563_836_623_037_6),
    ),
    compared(
        "nasbench201",
        20,
        1_795_636_964.0,
        "On this table, new runs of local_search do better than the best cell by hand; of evolution it is not shown.",
        Some(1.498_443_481_034e-5),
    ),
    compared(
        "breast_cancer",
        5,
        1_795_637_702.0,
        "Not evidence: 5 searches of each kind. Nothing is shown between evolution and breast_cancer_linear.",
        Some(0.238_757_555_146_5),
    ),
    Published {
        trials: Some(32),
        ..compared(
            "mnist1d",
            3,
            1_795_646_571.0,
            "Not evidence: 3 searches of each kind. With 32 trials evolution scored below mnist1d_fcn, which was \
             published as a difference.",
            None,
        )
    },
    compared(
        "mnist1d",
        3,
        1_795_646_571.0,
        "Not evidence: 3 searches of each kind, with the seeds of the first look. Nothing is shown between evolution \
         and mnist1d_fcn.",
        Some(0.186_395_956_889_8),
    ),
    elsewhere(compared(
        "fashion_mnist",
        3,
        1_795_646_571.0,
        "Not evidence: 3 searches of each kind. Nothing is shown between evolution and fashion_resnet.",
        Some(0.389_406_664_031_2),
    )),
    elsewhere(compared(
        "sms_spam",
        3,
        1_795_646_571.0,
        "Not evidence: 3 searches of each kind. Nothing is shown between evolution and sms_kim.",
        Some(0.139_532_762_357_8),
    )),
    searched("digits", 1_795_648_515.0),
    searched("first", 1_795_648_515.0),
];

const RESULTS_AT: f64 = 1_795_622_978.0;

const RESULTS: &[Published] = &[
    searched("results/breast_cancer", RESULTS_AT),
    searched("results/diabetes", RESULTS_AT),
    searched("results/digits", RESULTS_AT),
    elsewhere(searched("results/fashion", RESULTS_AT)),
    searched("results/mnist1d", RESULTS_AT),
    elsewhere(searched("results/sms_spam", RESULTS_AT)),
    elsewhere(searched("results/trec_cnn", RESULTS_AT)),
    elsewhere(searched("results/trec_lstm", RESULTS_AT)),
    elsewhere(searched("results/trec_transformer", RESULTS_AT)),
    searched("results/wine", RESULTS_AT),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

impl Published {
    fn intent(&self) -> Result<Intent, RunError> {
        let path = folder("experiments").join(format!("{}.toml", self.experiment));
        let mut file = ExperimentFile::read(&path)?;
        file.experiment.data.folder = std::env::var_os("STRATA_DATA").map(PathBuf::from);
        file.experiment.budget.trials = self.trials.or(file.experiment.budget.trials);
        let found = match self.kind {
            Kind::Search => looks::look_of(&file)?,
            Kind::Comparison => comparison::look_of(&file)?,
        };
        Ok(found
            .expect("what is published was read from a file, and tested")
            .0)
    }

    /// Its look, if its data is here; else that which the ledger has at its place.
    fn look(&self, before: &[Look], known: Option<&Look>) -> Option<Look> {
        let (verdict, p) = self.verdict.unwrap_or_default();
        match self.intent() {
            Ok(intent) => {
                let at_these = before.iter().filter(|look| look.data == intent.data);
                let look = u32::try_from(at_these.count()).unwrap() + 1;
                Some(Look {
                    data: intent.data,
                    plan: intent.plan,
                    look,
                    alpha: strata::statistics::claims::alpha(look),
                    seeds: (1..=self.seeds).map(Seed).collect(),
                    at: self.at,
                    kind: self.kind,
                    experiment: intent.experiment,
                    verdict: self.verdict.map(|_| verdict.to_owned()),
                    p,
                })
            }
            Err(error) if self.ships => panic!("{}: {error}", self.experiment),
            Err(_) => known.filter(|look| look.kind == self.kind).cloned(),
        }
    }
}

/// The ledger's lines for a look: that it was taken, and what was concluded.
fn lines(look: &Look) -> String {
    let line = |look: &Look| serde_json::to_string(look).unwrap() + "\n";
    let taken = Look {
        verdict: None,
        p: None,
        ..look.clone()
    };
    match look.verdict {
        None => line(look),
        Some(_) => line(&taken) + &line(look),
    }
}

fn hold(name: &str, published: &[Published]) {
    let folder = folder(name);
    let bless = std::env::var_os("STRATA_BLESS").is_some();
    let known = match Looks::read(&folder) {
        Ok(known) => known.all().to_vec(),
        Err(error) => panic!("{error}"),
    };
    let mut wanted: Vec<Look> = Vec::new();
    for (at, one) in published.iter().enumerate() {
        // In a ledger that lacks some, what can't be computed here stays what it is by its name.
        let by_name = |look: &&Look| one.experiment.ends_with(&look.experiment) && !one.ships;
        let place = known
            .get(at)
            .filter(by_name)
            .or_else(|| known.iter().find(by_name));
        wanted.extend(one.look(&wanted, place));
    }
    if bless {
        let text: String = wanted.iter().map(lines).collect();
        fs::write(folder.join(FILE_NAME), text).unwrap();
        return;
    }
    for look in &wanted {
        let found = known
            .iter()
            .find(|it| it.data == look.data && it.plan == look.plan);
        assert_eq!(
            found,
            Some(look),
            "{name}/{FILE_NAME} is not what was published; if only digests have changed, write it with STRATA_BLESS=1"
        );
    }
}

#[test]
fn what_was_published_is_known_so_that_doing_it_again_is_no_look() {
    hold("experiments", EXPERIMENTS);
}

#[test]
fn the_searches_of_the_table_of_results_are_known_too() {
    hold("experiments/results", RESULTS);
}
