//! Dividing a dataset: what the search learns from, what it is judged by, and what it never sees.

use super::dataset::hexadecimal;
use super::encode::Encoder;
use super::{
    DataError, Dataset, Examples, Normalise, Normaliser, Part, Preprocessing, TargetScale,
};
use crate::random::{Purpose, Seed};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How a dataset is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitPlan {
    /// The share of the examples that validates: above 0. Where the dataset has an official test
    /// part, a share of the others.
    pub validation: f64,
    /// The share of the examples that tests: above 0. Not used where the dataset has an official
    /// test part.
    pub test: f64,
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
    /// Divides `dataset` as `plan` says: each class is represented in each part in proportion, to
    /// within one example, and the parts' sizes are the plan's shares, rounded. The same dataset and
    /// plan give the same parts.
    ///
    /// # Errors
    /// When the shares make no sense, or a part or a class in training would have no example.
    pub fn new(dataset: Dataset, plan: &SplitPlan) -> Result<Self, DataError> {
        let indices = Indices::draw(&dataset, plan)?;
        let hash = indices.hash(dataset.hash());
        let examples = &dataset.examples;
        let encoder = Encoder::fit(dataset.name(), &dataset.form, examples, &indices.train)?;
        let official = dataset.official_test.as_ref().map_or(0, Examples::len);
        encoder.check_size(dataset.name(), dataset.len().max(official))?;
        let source = Source {
            dataset,
            indices,
            encoder,
            normalise: plan.normalise,
        };
        let mut train = source.part(&source.dataset.examples, &source.indices.train);
        let mut validation = source.part(&source.dataset.examples, &source.indices.validation);
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

    /// Training and validation examples together, in the dataset's order, scaled by their own
    /// statistics: what the winner is trained on once more.
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
}

impl Source {
    fn part(&self, examples: &Examples, indices: &[usize]) -> Part {
        Part {
            shape: self.encoder.shape(),
            inputs: self.encoder.encode(examples, indices),
            targets: examples.targets.select(indices),
        }
    }

    fn retraining(&self) -> (Part, Scale) {
        let mut both = [&self.indices.train[..], &self.indices.validation].concat();
        both.sort_unstable();
        let mut part = self.part(&self.dataset.examples, &both);
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
            Some(official) => {
                let all: Vec<usize> = (0..official.len()).collect();
                self.part(official, &all)
            }
            None => self.part(&self.dataset.examples, &self.indices.test),
        }
    }
}

/// The numbers of the examples in each part, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Indices {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

impl Indices {
    fn draw(dataset: &Dataset, plan: &SplitPlan) -> Result<Self, DataError> {
        let test = if dataset.official_test.is_some() {
            0.0
        } else {
            plan.test
        };
        check_shares(plan.validation, test, dataset.official_test.is_some())?;
        let members = members(dataset);
        let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
        let tested = apportion(&sizes, &vec![0; sizes.len()], test);
        let validated = apportion(&sizes, &tested, plan.validation);

        let mut stream = plan.seed.stream(0, Purpose::Split);
        let mut indices = Self::default();
        for (class, mut members) in members.into_iter().enumerate() {
            stream.shuffle(&mut members);
            let (test, rest) = members.split_at(tested[class]);
            let (validation, train) = rest.split_at(validated[class]);
            if train.is_empty() && !members.is_empty() {
                return Err(starved(dataset, class, members.len()));
            }
            indices.test.extend(test);
            indices.validation.extend(validation);
            indices.train.extend(train);
        }
        indices.sorted(dataset)
    }

    /// The parts in the dataset's order; an error if one that is needed has no example.
    fn sorted(mut self, dataset: &Dataset) -> Result<Self, DataError> {
        let empty = |part: &str, key: &str| DataError::Split {
            dataset: dataset.name().to_owned(),
            problem: format!(
                "no example is left for {part} out of {}; raise data.{key}",
                dataset.len()
            ),
        };
        if self.validation.is_empty() {
            return Err(empty("validation", "validation"));
        }
        if self.test.is_empty() && dataset.official_test.is_none() {
            return Err(empty("the test", "test_fraction"));
        }
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            part.sort_unstable();
        }
        Ok(self)
    }

    fn hash(&self, dataset: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(b"strata split 1\0");
        hash.update(dataset.as_bytes());
        for part in [&self.train, &self.validation, &self.test] {
            hash.update((part.len() as u64).to_le_bytes());
            for &index in part {
                hash.update((index as u64).to_le_bytes());
            }
        }
        hexadecimal(hash)
    }
}

/// The examples of each class; all of them together where there are none.
fn members(dataset: &Dataset) -> Vec<Vec<usize>> {
    let Some(labels) = dataset.examples.targets.labels() else {
        return vec![(0..dataset.len()).collect()];
    };
    let mut members = vec![Vec::new(); dataset.class_names().len()];
    for (index, &label) in labels.iter().enumerate() {
        members[label as usize].push(index);
    }
    members
}

fn check_shares(validation: f64, test: f64, official_test: bool) -> Result<(), DataError> {
    let sensible = |share: f64| share > 0.0 && share < 1.0;
    if !sensible(validation) {
        let problem = format!("{validation} is not a share of the examples between 0 and 1");
        return Err(DataError::setting("validation", problem));
    }
    if !official_test && !sensible(test) {
        let problem = format!("{test} is not a share of the examples between 0 and 1");
        return Err(DataError::setting("test_fraction", problem));
    }
    if validation + test >= 1.0 {
        let problem = format!("{validation} + {test} for the test leaves nothing to train on");
        return Err(DataError::setting("validation", problem));
    }
    Ok(())
}

fn starved(dataset: &Dataset, class: usize, size: usize) -> DataError {
    let (what, drop) = match dataset.class_names().get(class) {
        Some(name) => (format!("class `{name}` has"), "drop the class or "),
        None => ("there are".to_owned(), ""),
    };
    DataError::Split {
        dataset: dataset.name().to_owned(),
        problem: format!(
            "{what} too few examples ({size}) to keep one for training; \
             {drop}lower data.validation and data.test_fraction",
        ),
    }
}

/// How many of each class go into a part that takes `share` of everything, when `taken` are gone
/// already: each class its share rounded down, and what is missing to the rounded total to the
/// classes with the largest remainders (the method of Hare and Hamilton; ties to the earlier class).
fn apportion(sizes: &[usize], taken: &[usize], share: f64) -> Vec<usize> {
    let quota = |size: usize| size as f64 * share;
    let mut given: Vec<usize> = sizes.iter().map(|&size| quota(size) as usize).collect();
    let total = libm::round(quota(sizes.iter().sum())) as usize;
    let mut missing = total.saturating_sub(given.iter().sum());

    let remainder = |class: usize| quota(sizes[class]) - libm::floor(quota(sizes[class]));
    let mut order: Vec<usize> = (0..sizes.len())
        .filter(|&class| remainder(class) > 0.0)
        .collect();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    // A class's last example is for training if any other class can give one instead.
    for kept in [1, 0] {
        order.retain(|&class| {
            let fits = missing > 0 && taken[class] + given[class] + kept < sizes[class];
            given[class] += usize::from(fits);
            missing -= usize::from(fits);
            !fits
        });
    }
    given
}

#[cfg(test)]
mod tests;
