//! Which example stands in which part.

use super::{SplitBy, SplitPlan, by_group, by_time};
use crate::data::dataset::hexadecimal;
use crate::data::{DataError, Dataset};
use crate::random::Purpose;
use sha2::{Digest, Sha256};

/// The numbers of the examples in each part, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indices {
    /// Those that are trained on.
    pub train: Vec<usize>,
    /// Those that validate; none where a validation file does.
    pub validation: Vec<usize>,
    /// Those that test; none where official test examples do.
    pub test: Vec<usize>,
}

/// The shares of the examples that validate and test: 0 where others do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub validation: f64,
    pub test: f64,
}

impl Shares {
    /// Those of training, validation and test, in this order.
    pub fn parts(self) -> [f64; 3] {
        [
            1.0 - self.validation - self.test,
            self.validation,
            self.test,
        ]
    }

    /// The number of parts that take examples.
    pub fn count(self) -> usize {
        self.parts().iter().filter(|&&share| share > 0.0).count()
    }
}

impl Indices {
    /// Divides `dataset` as `plan` says.
    ///
    /// # Errors
    /// When the shares make no sense, or too little is there.
    pub fn draw(dataset: &Dataset, plan: &SplitPlan) -> Result<Self, DataError> {
        let share = |given: bool, share: f64| if given { 0.0 } else { share };
        let shares = Shares {
            validation: share(dataset.official_validation.is_some(), plan.validation),
            test: share(dataset.official_test.is_some(), plan.test),
        };
        check_shares(dataset, shares)?;
        let indices = match plan.by.unwrap_or(SplitBy::Random) {
            SplitBy::Random => Self::at_random(dataset, plan, shares)?,
            SplitBy::Group => by_group::divide(dataset, plan, shares)?,
            by @ (SplitBy::Time | SplitBy::FileOrder) => by_time::divide(dataset, by, shares)?,
        };
        indices.sorted(dataset)
    }

    fn at_random(dataset: &Dataset, plan: &SplitPlan, shares: Shares) -> Result<Self, DataError> {
        let members = members(dataset);
        let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
        let tested = apportion(&sizes, &vec![0; sizes.len()], shares.test);
        let validated = apportion(&sizes, &tested, shares.validation);

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
        Ok(indices)
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
        if self.validation.is_empty() && dataset.official_validation.is_none() {
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

    /// SHA-256 over the dataset's hash and these numbers, in hexadecimal.
    pub fn hash(&self, dataset: &str) -> String {
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

fn check_shares(dataset: &Dataset, shares: Shares) -> Result<(), DataError> {
    let Shares { validation, test } = shares;
    let sensible = |share: f64| share > 0.0 && share < 1.0;
    if dataset.official_validation.is_none() && !sensible(validation) {
        let problem = format!("{validation} is not a share of the examples between 0 and 1");
        return Err(DataError::setting("validation", problem));
    }
    if dataset.official_test.is_none() && !sensible(test) {
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
