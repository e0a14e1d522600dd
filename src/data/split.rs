//! Dividing a dataset: what the search learns from, what it is judged by, and what it never sees.

mod by_group;
mod by_time;
mod indices;
mod related;
mod remarks;
mod summary;
mod twins;

pub use remarks::Remark;
pub use summary::{Division, PartSummary};

use super::encode::Encoder;
use super::{
    DataError, Dataset, Examples, Normalise, Normaliser, Part, Preprocessing, TargetScale,
};
use crate::random::Seed;
use indices::Indices;
use std::borrow::Cow;
use std::sync::Arc;

/// The rule by which examples are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// A draw, in which each class keeps its share.
    Random,
    /// A draw of groups: the examples of one stand in one part.
    Group,
    /// Their times: the latest test, those before them validate.
    Time,
    /// Their order in the file: the last test, those before them validate.
    FileOrder,
}

/// How a dataset is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitPlan {
    /// The share of the examples that validates: above 0. Where the dataset has an official test
    /// part, a share of the others.
    pub validation: f64,
    /// The share of the examples that tests: above 0. Not used where the dataset has an official
    /// test part.
    pub test: f64,
    /// The rule; where nothing is said, a draw, and a warning if that looks wrong.
    pub by: Option<SplitBy>,
    /// What the examples are drawn by.
    pub seed: Seed,
    /// How inputs are put on one scale.
    pub normalise: Normalise,
}

impl Default for SplitPlan {
    fn default() -> Self {
        Self {
            validation: 0.2,
            test: 0.2,
            by: None,
            seed: Seed(0),
            normalise: Normalise::Standard,
        }
    }
}

/// A divided dataset. The parts of the search are open; the test part is sealed.
#[derive(Debug)]
pub struct Splits {
    /// What candidates learn from.
    pub train: Part,
    /// What candidates are judged by; scaled by the statistics of `train`.
    pub validation: Part,
    /// What nobody sees before the search is over.
    pub test: SealedTest,
    /// SHA-256 over the dataset's hash and the numbers of the examples in each part, in hexadecimal.
    pub hash: String,
}

impl Splits {
    /// Divides `dataset` as `plan` says. Drawn at random, each class is represented in each part in proportion, to
    /// within one example, and the parts' sizes are the plan's shares, rounded; by groups and times, they are
    /// close to that. The same dataset and plan give the same parts.
    ///
    /// # Errors
    /// When the shares make no sense, there are too few groups or times, or a part or a class in training would
    /// have no example.
    pub fn new(dataset: Dataset, plan: &SplitPlan) -> Result<Self, DataError> {
        let indices = Indices::draw(&dataset, plan)?;
        let hash = indices.hash(dataset.hash());
        let examples = &dataset.examples;
        let encoder = Encoder::fit(dataset.name(), &dataset.form, examples, &indices.train)?;
        let given = [&dataset.official_test, &dataset.official_validation];
        let official = given.map(|part| part.as_ref().map_or(0, Examples::len));
        let [test, validation] = official;
        encoder.check_size(dataset.name(), (dataset.len() + validation).max(test))?;
        let source = Source {
            dataset,
            indices,
            encoder,
            normalise: plan.normalise,
            by: plan.by,
        };
        let mut train = source.part(&source.dataset.examples, &source.indices.train);
        let mut validation = source.validation();
        let scale = Scale::fit(plan.normalise, &train);
        scale.apply(&mut train);
        scale.apply(&mut validation);
        let source = Arc::new(source);
        Ok(Self {
            train,
            validation,
            test: SealedTest { source, scale },
            hash,
        })
    }

    /// What turns new examples into inputs of networks with weights from the search.
    pub fn preprocessing(&self) -> Preprocessing {
        let SealedTest { source, scale } = &self.test;
        source.preprocessing(scale)
    }

    /// Sizes, classes, groups and times of the parts.
    pub fn division(&self) -> Division {
        summary::division(&self.test.source)
    }

    /// Notes and warnings for a reader of scores on the division.
    pub fn remarks(&self) -> Vec<Remark> {
        self.test.remarks()
    }

    /// Training and validation examples together, in the dataset's order (those of a validation file last), scaled by
    /// their own statistics: what the winner is trained on once more.
    pub fn retraining(&self) -> Part {
        self.test.source.retraining().0
    }

    /// The same, with what turns new examples into inputs of networks that were trained on it.
    pub fn retraining_and_preprocessing(&self) -> (Part, Preprocessing) {
        let source = &self.test.source;
        let (part, scale) = source.retraining();
        let preprocessing = source.preprocessing(&scale);
        (part, preprocessing)
    }
}

/// The test part. It can be counted, but read only by opening it, which uses it up.
#[derive(Debug)]
pub struct SealedTest {
    source: Arc<Source>,
    scale: Scale,
}

impl SealedTest {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match &self.source.dataset.official_test {
            Some(official) => official.len(),
            None => self.source.indices.test.len(),
        }
    }

    /// Whether there is no example; never so after a successful split.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes and warnings for a reader of scores on the division. Test examples are counted and compared with others for it;
    /// nothing is chosen by them.
    pub fn remarks(&self) -> Vec<Remark> {
        remarks::of(&self.source)
    }

    /// Breaks the seal. To be called once a run, when nothing will be chosen any more, and to be
    /// written into the journal.
    pub fn open(self) -> FinalTest {
        let raw = self.source.test();
        let scaled = |scale: &Scale| {
            let mut part = raw.clone();
            scale.apply(&mut part);
            part
        };
        FinalTest {
            for_searched: scaled(&self.scale),
            for_retrained: scaled(&self.source.retraining().1),
        }
    }

    /// All examples together, those of the test included, scaled by their own statistics, with what turns new examples
    /// into inputs of networks that are trained on them: for a winner that has been tested, to be used and not judged.
    pub fn open_for_training(self) -> (Part, Preprocessing) {
        let (part, scale) = self.source.all();
        let preprocessing = self.source.preprocessing(&scale);
        (part, preprocessing)
    }
}

/// The opened test part, once for each scale that a network may have been trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalTest {
    /// Scaled as the search's training part was: for networks with weights from the search.
    pub for_searched: Part,
    /// Scaled as [`Splits::retraining`] is: for networks trained once more on all of that.
    pub for_retrained: Part,
}

/// The scales of inputs and targets, learnt from one part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub inputs: Normaliser,
    pub targets: Option<TargetScale>,
}

impl Scale {
    fn fit(how: Normalise, training: &Part) -> Self {
        Self {
            inputs: Normaliser::fit(how, training),
            targets: TargetScale::fit(&training.targets),
        }
    }

    fn apply(&self, part: &mut Part) {
        self.inputs.apply(part);
        if let Some(scale) = &self.targets {
            scale.apply(&mut part.targets);
        }
    }
}

/// What a split is made from. Categories, gaps and tokens are those that the search's training part
/// knows, for retraining too: the winner has to fit.
#[derive(Debug)]
struct Source {
    dataset: Dataset,
    indices: Indices,
    encoder: Encoder,
    normalise: Normalise,
    by: Option<SplitBy>,
}

impl Source {
    fn part(&self, examples: &Examples, indices: &[usize]) -> Part {
        Part {
            shape: self.encoder.shape(),
            inputs: self.encoder.encode(examples, indices),
            targets: examples.targets.select(indices),
            groups: examples.keys.group.as_ref().map(|group| {
                let rows = indices.iter();
                rows.map(|&row| group.rows[row]).collect()
            }),
        }
    }

    fn whole(&self, examples: &Examples) -> Part {
        let all: Vec<usize> = (0..examples.len()).collect();
        self.part(examples, &all)
    }

    /// The examples of training, validation and test, with their numbers.
    fn parts(&self) -> [(&Examples, Cow<'_, [usize]>); 3] {
        let (dataset, indices) = (&self.dataset, &self.indices);
        [
            self.rows(None, &indices.train),
            self.rows(dataset.official_validation.as_ref(), &indices.validation),
            self.rows(dataset.official_test.as_ref(), &indices.test),
        ]
    }

    /// The examples of a file of their own, or those that were drawn.
    fn rows<'a>(
        &'a self,
        official: Option<&'a Examples>,
        drawn: &'a [usize],
    ) -> (&'a Examples, Cow<'a, [usize]>) {
        match official {
            Some(official) => (official, (0..official.len()).collect()),
            None => (&self.dataset.examples, Cow::Borrowed(drawn)),
        }
    }

    fn validation(&self) -> Part {
        match &self.dataset.official_validation {
            Some(official) => self.whole(official),
            None => self.part(&self.dataset.examples, &self.indices.validation),
        }
    }

    fn retraining(&self) -> (Part, Scale) {
        let mut both = [&self.indices.train[..], &self.indices.validation].concat();
        both.sort_unstable();
        let mut part = self.part(&self.dataset.examples, &both);
        if let Some(official) = &self.dataset.official_validation {
            part = part.followed_by(self.whole(official));
        }
        let scale = Scale::fit(self.normalise, &part);
        scale.apply(&mut part);
        (part, scale)
    }

    fn all(&self) -> (Part, Scale) {
        let everything: Vec<usize> = (0..self.dataset.len()).collect();
        let mut part = self.part(&self.dataset.examples, &everything);
        if self.dataset.official_test.is_some() {
            part.extend(&self.test());
        }
        let scale = Scale::fit(self.normalise, &part);
        scale.apply(&mut part);
        (part, scale)
    }

    fn preprocessing(&self, scale: &Scale) -> Preprocessing {
        Preprocessing::learnt(&self.dataset, &self.encoder, &self.indices.train, scale)
    }

    fn test(&self) -> Part {
        match &self.dataset.official_test {
            Some(official) => self.whole(official),
            None => self.part(&self.dataset.examples, &self.indices.test),
        }
    }
}

#[cfg(test)]
mod tests;
