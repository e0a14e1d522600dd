//! A small experiment, and evaluators that need no training.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strata::architecture::Output;
use strata::evaluation::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use strata::layers::Shape;
use strata::run::{
    Ending, Evaluators, Event, ExperimentFile, Options, RecordedRun, RunError, RunFolder,
    resume_by, start_with,
};
use tempfile::TempDir;

pub const SPACE: &str = "space tiny
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {
    flatten
    repeat 1..2 {
        linear(4 | 8 | 12 | 16)
        relu | tanh | silu
    }
    linear(classes)
}
";

pub const BASELINE: &str = "space one
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {
    flatten
    linear(classes)
}
";

pub const EXPERIMENT: &str = r#"
name = "tiny"
space = "tiny.space"
seed = 7
data = { name = "digits" }
recipe = { epochs = 2 }
budget = { trials = 20 }
search = { population = 6, sample = 3, lookahead = 4, workers = 2 }
final = { retrain_seeds = 2, baselines = ["one.space"] }
"#;

/// A folder with an experiment, and somewhere to run it.
pub struct Bench {
    folder: TempDir,
    pub file: ExperimentFile,
}

impl Bench {
    pub fn new(experiment: &str) -> Self {
        Self::with_space(experiment, SPACE)
    }

    pub fn with_space(experiment: &str, space: &str) -> Self {
        let folder = fast_folder();
        fs::write(folder.path().join("tiny.space"), space).unwrap();
        fs::write(folder.path().join("one.space"), BASELINE).unwrap();
        let path = folder.path().join("tiny.toml");
        fs::write(&path, experiment).unwrap();
        let file = ExperimentFile::read(&path).unwrap();
        Self { folder, file }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    pub fn start(&self, fake: &Fake, workers: usize) -> Result<Ending, RunError> {
        self.start_watched(fake, workers, &AtomicBool::new(false), &mut |_| ())
    }

    pub fn start_watched(
        &self,
        fake: &Fake,
        workers: usize,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(&Event),
    ) -> Result<Ending, RunError> {
        let options = Options {
            workers: Some(workers),
            ..Options::new(stop)
        };
        start_with(&self.file, &mut fake.clone(), &self.runs(), &options, watch)
    }
}

/// A folder in memory, where the system has one: these tests put thousands of files on disk.
fn fast_folder() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .unwrap()
}

pub fn resume(folder: &Path, fake: &Fake, workers: usize) -> Result<Ending, RunError> {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    resume_by(folder, &options, &mut |_| (), |_| {
        Ok(Box::new(fake.clone()))
    })
}

/// The run under `runs`, if one has appeared.
pub fn only_run(runs: &Path) -> Option<PathBuf> {
    RunFolder::newest(runs).map(|run| run.path().to_owned())
}

pub fn digest(folder: &Path) -> String {
    RecordedRun::open(folder).unwrap().digest()
}

/// Copies a run folder, its journal cut to `length` bytes.
pub fn copy_cut(from: &Path, to: &Path, length: usize) {
    for entry in ["space.space", "experiment.toml", "baselines/one.space"] {
        let target = to.join(entry);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(entry), target).unwrap();
    }
    let journal = fs::read(from.join("journal.jsonl")).unwrap();
    fs::write(to.join("journal.jsonl"), &journal[..length]).unwrap();
}

/// Scores that follow from the network and the seed, in an order of finishing that does not.
#[derive(Clone, Debug)]
pub struct Fake {
    pub fails: fn(u64) -> Option<FailureKind>,
    pub pause: Duration,
    pub endless: bool,
    pub split_hash: String,
}

impl Default for Fake {
    fn default() -> Self {
        let pause = Duration::from_micros(300);
        Self {
            fails: |_| None,
            pause,
            endless: false,
            split_hash: "split".to_owned(),
        }
    }
}

impl Evaluators for Fake {
    fn data_hash(&self) -> &str {
        "data"
    }
    fn split_hash(&self) -> &str {
        &self.split_hash
    }
    fn check(&self, _input: Shape, _output: Output) -> Result<(), String> {
        Ok(())
    }
    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(self.clone())
    }
    fn test_examples(&self) -> u64 {
        10
    }
    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        Box::new(Self {
            fails: |_| None,
            ..self.clone()
        })
    }
}

impl Evaluator for Fake {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let digest = job.architecture.canonical().digest();
        let mut stream = job
            .seed
            .derive(&digest, job.number)
            .stream(0, strata::random::Purpose::Tool);
        match (self.fails)(job.number) {
            Some(FailureKind::Crashed) => panic!("trial {} hit a rock", job.number),
            Some(kind) => return Err(Failure::new(kind, "as planned")),
            None => {}
        }
        let epochs = job.fidelity.epochs_of(job.recipe.epochs);
        for epoch in 1..=u32::try_from(epochs).unwrap() {
            // Trials end out of order, so that order has to come from somewhere else.
            std::thread::sleep(self.pause * u32::try_from(job.number * 7 % 5).unwrap());
            control.check()?;
            observe(EpochRecord {
                epoch,
                learning_rate: 0.1,
                train_loss: stream.unit(),
                validation_loss: Some(stream.unit()),
                validation_accuracy: Some(stream.unit()),
                validation_score: None,
            });
        }
        if self.endless {
            loop {
                std::thread::sleep(Duration::from_millis(1));
                control.check()?;
            }
        }
        let weights = Some(vec![1, 2, 3]);
        let (score, loss) = (stream.unit(), stream.unit());
        Ok(Finished {
            weights,
            ..Finished::scored(score, loss)
        })
    }
}
