//! Which figures are to be large.

use crate::proxies::PROXIES;
use crate::training::{Direction, Score};

/// Whether a figure of this name is better the larger it is: the score, the figures of a task that are no errors, and
/// proxies. Any other is a cost: what an architecture counts, errors, times, and figures with names of the user's.
pub fn is_gain(name: &str) -> bool {
    let counts = ["params", "macs"];
    let mut proxies = PROXIES.iter().map(|proxy| proxy.name);
    name == "score"
        || Score::named(name).is_some_and(|score| score.direction() == Direction::Maximise)
        || (!counts.contains(&name) && proxies.any(|proxy| proxy == name))
}

/// A figure as what is to be small.
pub fn as_cost(name: &str, figure: f64) -> f64 {
    if is_gain(name) { -figure } else { figure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_and_proxies_are_to_be_large_and_the_rest_small() {
        for name in ["score", "accuracy", "auroc", "R2", "r2", "mcc", "synflow"] {
            assert!(is_gain(name), "{name}");
            assert_eq!(as_cost(name, 0.5).to_bits(), (-0.5_f64).to_bits());
        }
        for name in [
            "params",
            "macs",
            "depth",
            "rmse",
            "mae",
            "log_loss",
            "latency_ms",
            "joules",
        ] {
            assert!(!is_gain(name), "{name}");
            assert_eq!(as_cost(name, 0.5).to_bits(), 0.5_f64.to_bits());
        }
    }
}
