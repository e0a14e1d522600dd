//! Division by time: the latest rows test, those before them validate, all before these train.

use super::SplitBy;
use super::indices::{Indices, Shares};
use crate::data::times::Times;
use crate::data::{DataError, Dataset};

/// Divides the rows of `dataset` by their times, or by their order in the file.
///
/// # Errors
/// When times can't be read, or there are fewer of them than parts.
pub(super) fn divide(dataset: &Dataset, by: SplitBy, shares: Shares) -> Result<Indices, DataError> {
    let moments = moments(dataset, by)?;
    let mut rows: Vec<usize> = (0..dataset.len()).collect();
    rows.sort_by_key(|&row| moments[row]);
    let blocks: Vec<&[usize]> = rows.chunk_by(|&a, &b| moments[a] == moments[b]).collect();
    if blocks.len() < shares.count() {
        return Err(too_few(dataset, blocks.len(), shares));
    }
    let mut blocks = &blocks[..];
    let mut take = |share: f64, spare: usize| {
        let target = libm::round(dataset.len() as f64 * share) as usize;
        let count = if share > 0.0 {
            last(blocks, target, spare)
        } else {
            0
        };
        let (earlier, later) = blocks.split_at(blocks.len() - count);
        blocks = earlier;
        later.concat()
    };
    let test = take(shares.test, 1 + usize::from(shares.validation > 0.0));
    let validation = take(shares.validation, 1);
    Ok(Indices {
        train: blocks.concat(),
        validation,
        test,
    })
}

/// The moment of each row.
fn moments(dataset: &Dataset, by: SplitBy) -> Result<Vec<i128>, DataError> {
    if by == SplitBy::FileOrder {
        return Ok((0..dataset.len()).map(|row| row as i128).collect());
    }
    let column = dataset.examples.keys.time.as_ref().ok_or_else(|| {
        let problem = "there is no column or array to divide by; leave `split` out";
        DataError::setting("split", problem)
    })?;
    let times = Times::of(column)?;
    let rows = column.rows.iter();
    Ok(rows.map(|&key| times.moments[key as usize]).collect())
}

/// The number of blocks from the end that come closest to `target` rows together, the fewest of equals: at least one,
/// and so that `spare` are left. A block is never cut, so that rows of one time stay together.
fn last(blocks: &[&[usize]], target: usize, spare: usize) -> usize {
    let most = blocks.len().saturating_sub(spare).max(1);
    let mut best = (usize::MAX, 1);
    let mut rows = 0;
    for (count, block) in blocks.iter().rev().take(most).enumerate() {
        rows += block.len();
        let distance = rows.abs_diff(target);
        if distance < best.0 {
            best = (distance, count + 1);
        }
    }
    best.1
}

fn too_few(dataset: &Dataset, found: usize, shares: Shares) -> DataError {
    let column = dataset.examples.keys.time.as_ref();
    let name = column.map_or("", |column| &column.name);
    let needed = shares.count();
    DataError::Split {
        dataset: dataset.name().to_owned(),
        problem: format!(
            "column `{name}` has {found} different time{}, and {needed} are needed, since rows of one time stay together; \
             give times of a finer kind, or leave `split` out",
            if found == 1 { "" } else { "s" }
        ),
    }
}
