//! The learning rate as a pure function of the step.

use super::recipe::{Recipe, ScheduleKind};

/// The learning rate of step number `step` (from 0), where an epoch has `steps_per_epoch` steps.
///
/// Warm-up rises linearly over its steps and reaches the full rate at its last. A cosine starts
/// after it and would reach zero one step after the last.
pub fn learning_rate(recipe: &Recipe, step: u64, steps_per_epoch: u64) -> f64 {
    let epoch = steps_per_epoch.max(1) as f64;
    let warmup = libm::round(recipe.warmup_epochs * epoch) as u64;
    if step < warmup {
        return recipe.learning_rate * (step + 1) as f64 / warmup as f64;
    }
    let total = recipe.epochs as u64 * steps_per_epoch;
    recipe.learning_rate
        * match recipe.schedule {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Cosine => half_cosine(step - warmup, total.saturating_sub(warmup)),
            ScheduleKind::Step => {
                let changes = step / steps_per_epoch.max(1) / recipe.step_every as u64;
                libm::pow(recipe.step_factor, changes as f64)
            }
        }
}

fn half_cosine(step: u64, total: u64) -> f64 {
    let progress = (step as f64 / total.max(1) as f64).min(1.0);
    0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(schedule: ScheduleKind, warmup_epochs: f64) -> Recipe {
        Recipe {
            schedule,
            warmup_epochs,
            epochs: 4,
            learning_rate: 1.0,
            ..Recipe::default()
        }
    }

    #[test]
    fn a_cosine_starts_full_and_is_half_in_the_middle() {
        let recipe = recipe(ScheduleKind::Cosine, 0.0);
        assert_eq!(learning_rate(&recipe, 0, 10), 1.0);
        assert!((learning_rate(&recipe, 20, 10) - 0.5).abs() < 1e-15);
        assert!(learning_rate(&recipe, 39, 10) > 0.0);
    }

    #[test]
    fn warm_up_ends_at_the_full_rate() {
        let recipe = recipe(ScheduleKind::Constant, 0.5);
        let rates: Vec<f64> = (0..6)
            .map(|step| learning_rate(&recipe, step, 10))
            .collect();
        assert_eq!(rates, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]);
    }

    #[test]
    fn steps_change_the_rate_between_epochs() {
        let recipe = Recipe {
            step_every: 2,
            ..recipe(ScheduleKind::Step, 0.0)
        };
        let rates = [19, 20, 39].map(|step| learning_rate(&recipe, step, 10));
        assert_eq!(rates, [1.0, 0.1, 0.1]);
    }
}
