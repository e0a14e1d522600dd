//! Requirements of evidence.

use super::analysis::{Analysis, Arm, Role};
use super::words::plural;

/// The fewest searches of which anything is concluded. Below 6 no test without an assumption of normality
/// could ever reach .05, whatever the searches found.
pub const FEWEST_SEARCHES: usize = 6;
/// The fewest retrainings of a winner: of one, nobody knows how much is luck.
pub const FEWEST_RETRAININGS: usize = 2;
/// The fewest trainings of what searches are held against.
pub const FEWEST_OF_DESIGN: usize = 10;
/// The fewest test examples; a convention.
pub const FEWEST_EXAMPLES: u64 = 100;

/// Requirements that are not met for a conclusion about two arms, each in a few words.
pub(super) fn lacking(analysis: &Analysis, first: &Arm, second: &Arm) -> Vec<String> {
    let mut lacking = of_search(analysis, first);
    match second.role {
        Role::Search | Role::RandomSearch => {
            for reason in of_search(analysis, second) {
                if !lacking.contains(&reason) {
                    lacking.push(reason);
                }
            }
        }
        _ if second.known => {}
        _ if second.scores.len() < FEWEST_OF_DESIGN => lacking.push(format!(
            "{} of {}, and at least {FEWEST_OF_DESIGN} are needed",
            plural(second.scores.len() as u64, "training"),
            second.name
        )),
        _ => {}
    }
    if let Some(examples) = analysis.test_examples.filter(|_| !analysis.looked_up)
        && examples < FEWEST_EXAMPLES
    {
        lacking.push(format!(
            "{}, and at least {FEWEST_EXAMPLES} are needed",
            plural(examples, "test example")
        ));
    }
    lacking
}

fn of_search(analysis: &Analysis, arm: &Arm) -> Vec<String> {
    let mut lacking = Vec::new();
    let searches = arm.by_search();
    if searches.len() < FEWEST_SEARCHES {
        let count = searches.len() as u64;
        lacking.push(format!(
            "{}, and at least {FEWEST_SEARCHES} are needed",
            plural(count, "search").replace("searchs", "searches")
        ));
    }
    let retrainings = searches.iter().map(|(_, scores)| scores.len()).min();
    let retrainings = retrainings.unwrap_or(0);
    if !arm.known && retrainings < FEWEST_RETRAININGS {
        lacking.push(format!(
            "{} of a winner, and at least {FEWEST_RETRAININGS} are needed",
            plural(retrainings as u64, "retraining")
        ));
    }
    let planned = analysis.retrain_seeds as usize;
    let few = searches
        .iter()
        .filter(|(_, scores)| 2 * scores.len() < planned);
    let failed = few.count() + (analysis.search_seeds as usize).saturating_sub(searches.len());
    if analysis.complete && failed > 0 {
        lacking.push(format!(
            "{} of {} without a score in half of its retrainings",
            plural(failed as u64, "winner"),
            arm.name
        ));
    }
    lacking
}
