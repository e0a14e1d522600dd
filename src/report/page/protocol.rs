//! The rules of a comparison, as a page tells them.

use crate::report::analysis::Analysis;
use crate::report::words::{grouped, plural, seconds};
use crate::run::comparison::{Plan, RecordedComparison};
use std::fmt::Write;

/// By which rules the comparison was made.
pub fn protocol(comparison: &RecordedComparison, analysis: &Analysis, out: &mut String) {
    let plan = comparison.plan();
    let budget = plan.experiment.budget;
    let parts = [
        budget.trials.map(|trials| plural(trials, "trial")),
        budget.epochs.map(|epochs| plural(epochs, "epoch")),
        budget.seconds.map(seconds),
    ];
    let budget: Vec<String> = parts.into_iter().flatten().collect();
    let _ = write!(
        out,
        "<h2 id=\"protocol\">Protocol</h2><ul>\
         <li>Every arm has the same {} and, where it searches, the same budget: {} for each search, failed trials counted.</li>",
        match (analysis.looked_up, analysis.test_examples) {
            (true, Some(networks)) => format!("table of {} networks", grouped(networks)),
            (true, None) => "table".to_owned(),
            (false, _) => "division of the data, the same recipe".to_owned(),
        },
        budget.join(" or ")
    );
    match (plan.quick, analysis.looked_up) {
        (true, _) => out.push_str(QUICK),
        (_, true) => looked_up(plan, out),
        (_, false) => trained(plan, analysis, out),
    }
    out.push_str("</ul>");
    if plan.quick {
        out.push_str("<p class=\"note\"><strong>Not evidence.</strong> This was a quick look, and nothing can be claimed from it.</p>");
    }
}

/// The rules of a quick look, which reads no test example.
const QUICK: &str = "<li>Scores are of validation examples: of a search the best that it saw, which is too good, and of a \
                     hand-designed network one training on the training examples.</li><li>No test example was read.</li>";

/// The rules of a comparison over a table.
fn looked_up(plan: &Plan, out: &mut String) {
    let _ = write!(
        out,
        "<li>Nothing is trained. Each search was run with {}. A search sees the table’s validation figures; its winner and the hand-designed networks \
         have the table’s test figure, which is the same every time.</li>\
         <li>For each search seed, {} drawn from the space as fresh trials are, and looked up: they stand for no search at all.</li>\
         <li>Test figures were looked up after the last search had ended and the winners had been written down; nothing was chosen \
         afterwards.</li>",
        plural(u64::from(plan.search_seeds), "seed"),
        random_networks(plan),
    );
}

/// The rules of a comparison that trains.
fn trained(plan: &Plan, analysis: &Analysis, out: &mut String) {
    let examples = analysis.test_examples.map_or_else(String::new, |examples| {
        format!(
            " ({}; one of them is {:.4})",
            grouped(examples),
            1.0 / examples.max(1) as f64
        )
    });
    let _ = write!(
        out,
        "<li>Each search was run with {}; each winner and each hand-designed network was trained from scratch {} for each, on training and validation examples together, with fresh seeds.</li>\
         <li>For each search seed, {} drawn from the space as fresh trials are, and trained once: they stand for no search at all.</li>\
         <li>The test examples{examples} were read after the last search had ended and the winners had been written down; nothing was chosen afterwards. It is look {} at them, and a difference is called shown below {:.4}.</li>",
        plural(u64::from(plan.search_seeds), "seed"),
        if plan.retrain_seeds == 1 {
            "once".to_owned()
        } else {
            format!("{} times", plan.retrain_seeds)
        },
        random_networks(plan),
        analysis.look,
        analysis.alpha,
    );
}

/// `5 networks are`.
fn random_networks(plan: &Plan) -> String {
    let networks = plural(u64::from(plan.random_networks), "network");
    let verb = if plan.random_networks == 1 {
        "is"
    } else {
        "are"
    };
    format!("{networks} {verb}")
}
