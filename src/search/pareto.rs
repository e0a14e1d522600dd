//! Several objectives at once: fronts, crowding, hypervolume and knee. In all of it a point is a list of
//! figures that are to be small, as many for each point; one that is no number is the worst.

use std::cmp::Ordering;

/// Whether `a` is at least as good as `b` everywhere and better somewhere.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let mut better = false;
    for (a, b) in a.iter().zip(b) {
        match compare(*a, *b) {
            Ordering::Greater => return false,
            Ordering::Less => better = true,
            Ordering::Equal => {}
        }
    }
    better
}

/// The positions of the points that no other dominates, in their order. Of equal points the first.
pub fn front(points: &[Vec<f64>]) -> Vec<usize> {
    let on_front = |&at: &usize| {
        let point = &points[at];
        let same = |other: &Vec<f64>| {
            other
                .iter()
                .zip(point)
                .all(|(a, b)| compare(*a, *b).is_eq())
        };
        !points.iter().any(|other| dominates(other, point)) && !points[..at].iter().any(same)
    };
    (0..points.len()).filter(on_front).collect()
}

/// The number of the front that each point is on, from 0: the points that only those of earlier fronts
/// dominate.
pub fn ranks(points: &[Vec<f64>]) -> Vec<usize> {
    let mut dominated_by = vec![0usize; points.len()];
    let mut dominated: Vec<Vec<usize>> = vec![Vec::new(); points.len()];
    for (a, point) in points.iter().enumerate() {
        for (b, other) in points.iter().enumerate() {
            if dominates(point, other) {
                dominated[a].push(b);
                dominated_by[b] += 1;
            }
        }
    }
    let mut ranks = vec![0; points.len()];
    let mut current: Vec<usize> = (0..points.len())
        .filter(|&at| dominated_by[at] == 0)
        .collect();
    let mut rank = 0;
    while !current.is_empty() {
        let mut next = Vec::new();
        for at in current {
            ranks[at] = rank;
            for &worse in &dominated[at] {
                dominated_by[worse] -= 1;
                if dominated_by[worse] == 0 {
                    next.push(worse);
                }
            }
        }
        rank += 1;
        current = next;
    }
    ranks
}

/// How far each point's neighbours on its front are apart, summed over the objectives, each scaled to
/// its extent on the front; infinite at the ends (Deb et al., 2002).
pub fn crowding(points: &[Vec<f64>], ranks: &[usize]) -> Vec<f64> {
    let mut distances = vec![0.0f64; points.len()];
    let fronts = ranks.iter().max().map_or(0, |last| last + 1);
    let objectives = points.first().map_or(0, Vec::len);
    let value = |at: usize, objective: usize| points[at][objective];
    for rank in 0..fronts {
        let mut members: Vec<usize> = (0..points.len()).filter(|&at| ranks[at] == rank).collect();
        for objective in 0..objectives {
            members.sort_by(|&a, &b| compare(value(a, objective), value(b, objective)));
            let (first, last) = (members[0], members[members.len() - 1]);
            distances[first] = f64::INFINITY;
            distances[last] = f64::INFINITY;
            let extent = value(last, objective) - value(first, objective);
            if !(extent > 0.0 && extent.is_finite()) {
                continue;
            }
            for around in members.windows(3) {
                let gap = value(around[2], objective) - value(around[0], objective);
                distances[around[1]] += gap / extent;
            }
        }
    }
    distances
}

/// The positions of the points, the best first: by front, then the least crowded, then in their order.
pub fn order(points: &[Vec<f64>]) -> Vec<usize> {
    let ranks = ranks(points);
    let distances = crowding(points, &ranks);
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| {
        let by_rank = ranks[a].cmp(&ranks[b]);
        by_rank.then(distances[b].total_cmp(&distances[a]))
    });
    order
}

/// The volume that the points dominate up to `reference`, which should be worse than all of them
/// everywhere. Exact, by slicing along the last objective: meant for fronts of hundreds in two or three
/// objectives, and for tens in more.
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = |point: &&Vec<f64>| point.iter().zip(reference).all(|(a, b)| a < b);
    let mut points: Vec<&[f64]> = points.iter().filter(inside).map(Vec::as_slice).collect();
    volume(&mut points, reference)
}

fn volume(points: &mut Vec<&[f64]>, reference: &[f64]) -> f64 {
    let Some((&bound, lower)) = reference.split_last() else {
        return 0.0;
    };
    let last = lower.len();
    if last == 0 {
        let least = points.iter().map(|point| point[0]);
        return least.map(|least| bound - least).fold(0.0, f64::max);
    }
    points.sort_by(|a, b| a[last].total_cmp(&b[last]));
    let mut total = 0.0;
    for at in 0..points.len() {
        let next = points.get(at + 1).map_or(bound, |point| point[last]);
        let thickness = next - points[at][last];
        if thickness > 0.0 {
            let mut slice: Vec<&[f64]> = points[..=at].iter().map(|point| &point[..last]).collect();
            total += thickness * volume(&mut slice, lower);
        }
    }
    total
}

/// The position of the knee of a front: with every objective scaled to the front's extent, the point
/// farthest below the plane through the extremes, of equals the first. Nothing if there are no points.
///
/// Below that plane the scaled objectives add up to less than they do at the ends (Das, 1999).
pub fn knee(points: &[Vec<f64>]) -> Option<usize> {
    let objectives = points.first()?.len();
    let extent = |objective: usize| {
        let column = || points.iter().map(|point| point[objective]);
        let (low, high) = (
            column().fold(f64::INFINITY, f64::min),
            column().fold(f64::NEG_INFINITY, f64::max),
        );
        (low, high)
    };
    let extents: Vec<(f64, f64)> = (0..objectives).map(extent).collect();
    let sum = |point: &Vec<f64>| -> f64 {
        let scaled = point.iter().zip(&extents).map(|(value, (low, high))| {
            if high > low {
                (value - low) / (high - low)
            } else {
                0.0
            }
        });
        scaled.sum()
    };
    let mut best: Option<(usize, f64)> = None;
    for (at, point) in points.iter().enumerate() {
        let sum = sum(point);
        if best.is_none_or(|(_, held)| sum < held) {
            best = Some((at, sum));
        }
    }
    best.map(|(at, _)| at)
}

/// Smaller is better, and what is no number is worst.
fn compare(a: f64, b: f64) -> Ordering {
    let known = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    // Zeros of either sign are equal.
    let (a, b) = (known(a) + 0.0, known(b) + 0.0);
    a.total_cmp(&b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed};

    fn random_points(count: usize, objectives: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Seed(seed).stream(0, Purpose::Tool);
        let mut point = || (0..objectives).map(|_| stream.unit()).collect();
        (0..count).map(|_| point()).collect()
    }

    #[test]
    fn a_front_holds_what_nothing_dominates() {
        let points = vec![
            vec![1.0, 4.0],
            vec![2.0, 2.0],
            vec![3.0, 3.0],
            vec![2.0, 2.0],
            vec![4.0, f64::NAN],
            vec![0.5, f64::NAN],
        ];
        assert_eq!(front(&points), [0, 1, 5]);
        assert_eq!(ranks(&points), [0, 0, 1, 0, 2, 0]);
    }

    #[test]
    fn ranks_agree_with_peeling_off_front_after_front() {
        let points = random_points(60, 3, 1);
        let ranks = ranks(&points);
        let mut left: Vec<usize> = (0..points.len()).collect();
        for rank in 0.. {
            if left.is_empty() {
                break;
            }
            let chosen: Vec<Vec<f64>> = left.iter().map(|&at| points[at].clone()).collect();
            let peeled: Vec<usize> = front(&chosen).into_iter().map(|at| left[at]).collect();
            assert!(peeled.iter().all(|&at| ranks[at] == rank));
            left.retain(|at| !peeled.contains(at));
        }
    }

    #[test]
    fn hypervolume_of_boxes_is_their_volume() {
        assert_eq!(hypervolume(&[vec![1.0, 2.0]], &[3.0, 5.0]), 6.0);
        let steps = [vec![1.0, 3.0], vec![2.0, 1.0], vec![2.5, 2.5]];
        assert_eq!(hypervolume(&steps, &[4.0, 4.0]), 3.0 + 4.0);
        assert_eq!(hypervolume(&[vec![0.0; 3], vec![0.5; 3]], &[2.0; 3]), 8.0);
        assert_eq!(hypervolume(&[vec![9.0, 0.0]], &[4.0, 4.0]), 0.0);
    }

    #[test]
    fn hypervolume_agrees_with_counting_random_points_below() {
        let points = random_points(20, 3, 2);
        let exact = hypervolume(&points, &[1.0; 3]);
        let draws = random_points(40_000, 3, 3);
        let below = |draw: &&Vec<f64>| {
            points
                .iter()
                .any(|point| point.iter().zip(*draw).all(|(a, b)| a <= b))
        };
        let share = draws.iter().filter(below).count() as f64 / draws.len() as f64;
        assert!((exact - share).abs() < 0.01, "{exact} against {share}");
    }

    #[test]
    fn the_knee_is_where_the_front_bends() {
        let points = [
            vec![0.0, 10.0],
            vec![1.0, 1.0],
            vec![5.0, 0.5],
            vec![10.0, 0.0],
        ];
        assert_eq!(knee(&points), Some(1));
        assert_eq!(knee(&[]), None);
        assert_eq!(knee(&points[..1]), Some(0));
    }

    #[test]
    fn ends_of_a_front_are_least_crowded() {
        let points = [
            vec![0.0, 4.0],
            vec![1.0, 3.0],
            vec![1.1, 2.9],
            vec![4.0, 0.0],
        ];
        let distances = crowding(&points, &ranks(&points));
        assert!(distances[0].is_infinite() && distances[3].is_infinite());
        assert!(distances[1] < distances[2]);
    }
}
