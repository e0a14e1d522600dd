//! The page: one self-contained HTML file for a comparison or a run.
//!
//! It asks nothing of a network. Without scripts it says the same; with them, marks answer the pointer and plots
//! zoom. Text that comes from files is escaped.

mod figures;
mod plot;
mod sections;

use super::analysis::{Analysis, Arm, Role};
use super::contrast::{Contrast, Finding, Unit, effect};
use super::words::{escaped, grouped, p_value, plural, score, seconds, signed, word};
use crate::run::comparison::RecordedComparison;
use crate::run::{RecordedRun, RunError};
use plot::Axis;
use std::fmt::Write;

/// The style of the page, which the live page shares.
pub const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// A run with what the page calls it and how it is coloured.
pub(super) struct Named<'a> {
    /// The search, or the run if it stands alone.
    pub search: String,
    /// Which of a comparison's runs of the search it is, from 1.
    pub seed: Option<u32>,
    pub class: String,
    pub run: &'a RecordedRun,
}

impl Named<'_> {
    /// What it is called.
    pub fn label(&self) -> String {
        match self.seed {
            Some(seed) => format!("{}, seed {seed}", self.search),
            None => self.search.clone(),
        }
    }

    /// The validation score of its winner, below all others if there is none.
    pub fn winner_score(&self) -> f64 {
        let winner = self.run.state().winner.as_ref();
        winner.map_or(f64::NEG_INFINITY, |winner| winner.score)
    }
}

/// The page of a comparison.
///
/// # Errors
/// When a run's files can't be read or have changed.
pub fn comparison_page(
    comparison: &RecordedComparison,
    analysis: &Analysis,
) -> Result<String, RunError> {
    let runs = named(comparison, analysis);
    let text = comparison.experiment_text()?;
    let mut body = head(&analysis.name, "Comparison", &text);
    verdict(analysis, &mut body);
    contents(
        &[
            ("arms", "Arms"),
            ("tests", "Tests"),
            ("protocol", "Protocol"),
            ("progress", "Progress"),
            ("sizes", "Score and size"),
            ("networks", "Networks"),
            ("decisions", "Decisions"),
            ("lineage", "Lineage"),
            ("failures", "Failures"),
            ("reproduce", "Reproduce"),
        ],
        &mut body,
    );
    body.push_str("</header><main>");
    arms(analysis, &mut body);
    tests(analysis, &mut body);
    protocol(comparison, analysis, &mut body);
    body.push_str("<h2 id=\"progress\">Progress of the searches</h2>");
    body.push_str(&figures::progress(&runs, &analysis.score_name));
    body.push_str("<h2 id=\"sizes\">Score and size</h2>");
    body.push_str(&figures::sizes(analysis));
    sections::networks(&runs, &mut body)?;
    let plain: Vec<&RecordedRun> = runs.iter().map(|named| named.run).collect();
    sections::importance(&plain, &analysis.score_name, &mut body)?;
    if let Some(best) = best_run(&runs) {
        sections::lineage(best, &mut body)?;
    }
    sections::failures(&runs, &mut body);
    let quick = if analysis.quick { " --quick" } else { "" };
    let mut commands = Vec::new();
    if let Some(origin) = comparison.experiment_file() {
        let file = word(&origin.path);
        commands = vec![
            (format!("strata compare {file}{quick}"), "everything again"),
            (
                format!("strata compare {file}{quick} --check"),
                "and held against what is expected",
            ),
        ];
    }
    commands.push((
        "strata verify RUN".to_owned(),
        "trials of one run again, bit for bit",
    ));
    sections::reproduce(&runs, &commands, &text, &mut body)?;
    Ok(document(&format!("{}: comparison", analysis.name), &body))
}

/// The page of a run.
///
/// # Errors
/// When the run's files can't be read or have changed.
pub fn run_page(run: &RecordedRun) -> Result<String, RunError> {
    let summary = run.summary()?;
    let text = run.experiment_text()?;
    let named = [Named {
        search: summary.name.clone(),
        seed: None,
        class: "search".to_owned(),
        run,
    }];
    let mut body = head(&summary.name, "Run", &text);
    sections::result(&summary, &mut body);
    contents(
        &[
            ("progress", "Progress"),
            ("networks", "Networks"),
            ("decisions", "Decisions"),
            ("lineage", "Lineage"),
            ("failures", "Failures"),
            ("reproduce", "Reproduce"),
        ],
        &mut body,
    );
    body.push_str("</header><main>");
    sections::finals(&summary, &mut body);
    body.push_str("<h2 id=\"progress\">Progress of the search</h2>");
    body.push_str(&figures::progress(&named, summary.score_name));
    sections::networks(&named, &mut body)?;
    sections::importance(&[run], summary.score_name, &mut body)?;
    sections::lineage(&named[0], &mut body)?;
    sections::failures(&named, &mut body);
    let mut commands = Vec::new();
    // A run of a comparison has no file that asks for it by itself.
    if let Some(origin) = &run.started().host.experiment {
        let changes = run.started().changes(&text).into_iter();
        let options = changes.map(|(option, value)| format!(" --{option} {}", word(&value)));
        let options: String = options.collect();
        let file = word(&origin.path);
        commands.push((format!("strata search {file}{options}"), "the run again"));
    }
    commands.push((
        "strata verify RUN".to_owned(),
        "some of its trials again, bit for bit",
    ));
    sections::reproduce(&named, &commands, &text, &mut body)?;
    Ok(document(&format!("{}: run", summary.name), &body))
}

/// The runs of a comparison with their colours.
fn named<'a>(comparison: &'a RecordedComparison, analysis: &Analysis) -> Vec<Named<'a>> {
    let plan = comparison.plan();
    let named = |(part, run): &'a (_, RecordedRun)| {
        let part: &crate::run::comparison::Part = part;
        let name = &plan.searches[part.search].name;
        Named {
            search: name.clone(),
            seed: Some(part.seed + 1),
            class: class_of(analysis, name),
            run,
        }
    };
    comparison.runs().iter().map(named).collect()
}

fn class_of(analysis: &Analysis, name: &str) -> String {
    let arm = analysis.arms.iter().find(|arm| arm.name == name);
    arm.map_or_else(|| "chance".to_owned(), |arm| class(analysis, arm))
}

/// The class that colours an arm.
pub(super) fn class(analysis: &Analysis, arm: &Arm) -> String {
    match arm.role {
        Role::RandomSearch => "chance".to_owned(),
        Role::RandomNetworks => "drawn".to_owned(),
        Role::HandDesigned | Role::Model => "hand".to_owned(),
        Role::Search => {
            let mut searches = analysis.arms_of(Role::Search);
            match searches.position(|other| other.name == arm.name) {
                Some(at @ (1 | 2)) => format!("search{}", at + 1),
                _ => "search".to_owned(),
            }
        }
    }
}

/// The run of a search that is not random with the best winner, or of any.
fn best_run<'a, 'b>(runs: &'b [Named<'a>]) -> Option<&'b Named<'a>> {
    let searches = runs.iter().filter(|named| named.class != "chance");
    let best = |runs: &mut dyn Iterator<Item = &'b Named<'a>>| {
        runs.reduce(|held, new| {
            if new.winner_score() > held.winner_score() {
                new
            } else {
                held
            }
        })
    };
    best(&mut searches.into_iter()).or_else(|| best(&mut runs.iter()))
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"strata {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</main>\n\
         <footer><p>Written by strata {}. This file is complete: it loads nothing.</p></footer>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(title),
        env!("CARGO_PKG_VERSION"),
    )
}

/// The name and the question: the comment that opens the experiment file.
fn head(name: &str, kind: &str, text: &str) -> String {
    let comment = text.lines().take_while(|line| line.starts_with('#'));
    let words: Vec<&str> = comment
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    let question = words.join(" ");
    let mut out = format!("<header><p class=\"kicker\">{kind} · {}</p>", escaped(name));
    if !question.is_empty() {
        let _ = write!(out, "<p class=\"question\">{}</p>", escaped(&question));
    }
    out
}

fn contents(sections: &[(&str, &str)], out: &mut String) {
    out.push_str("<nav aria-label=\"Sections\">");
    for (anchor, name) in sections {
        let _ = write!(out, "<a href=\"#{anchor}\">{name}</a>");
    }
    out.push_str("</nav>");
}

fn verdict(analysis: &Analysis, out: &mut String) {
    let verdict = &analysis.verdict;
    let class = if verdict.evidence { " is-evidence" } else { "" };
    let _ = write!(
        out,
        "<div class=\"verdict{class}\"><h1>{}</h1>",
        escaped(&curly(&verdict.headline))
    );
    for sentence in &verdict.sentences {
        let _ = write!(out, "<p>{}</p>", escaped(&curly(sentence)));
    }
    out.push_str("</div>");
}

/// Text with the apostrophes of print.
fn curly(text: &str) -> String {
    text.replace('\'', "’")
}

fn arms(analysis: &Analysis, out: &mut String) {
    // Networks that nobody chose may score anything; those beyond the others stand at the edge.
    let chosen = analysis
        .arms
        .iter()
        .filter(|arm| arm.role != Role::RandomNetworks);
    let values = chosen.flat_map(Arm::values);
    let axis = Axis::around("", values, false);
    let score_name = escaped(&analysis.score_name);
    let _ = write!(
        out,
        "<h2 id=\"arms\">Arms</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of arms\"><table>\
         <thead><tr><th>Arm</th><th class=\"n\">Test {score_name}</th><th class=\"n\">95% interval</th>\
         <th>Retrainings, mean, interval</th><th class=\"n\">Median</th><th class=\"n\">n</th>\
         <th class=\"n\">Parameters</th><th class=\"n\">MACs</th><th class=\"n\">vs. random</th></tr></thead><tbody>"
    );
    for arm in &analysis.arms {
        arm_row(analysis, arm, &axis, out);
    }
    let _ = write!(
        out,
        "</tbody><tfoot><tr><td colspan=\"3\"></td><td>{}</td><td colspan=\"5\"></td></tr></tfoot>\
         </table></div><p class=\"note\">Mean ± standard deviation over retrainings from scratch on training and validation examples. \
         Intervals are of the mean: BCa bootstrap from ten values on, Student’s below. A range is over the \
         networks of an arm. Rings at an edge lie beyond it. The last column is the mean over that of random networks.</p>",
        plot::strip_axis(&axis)
    );
    cost(analysis, out);
}

fn arm_row(analysis: &Analysis, arm: &Arm, axis: &Axis, out: &mut String) {
    let class = class(analysis, arm);
    let _ = write!(
        out,
        "<tr class=\"{class}\"><th scope=\"row\"><span class=\"swatch\"></span>{}<small>{}</small></th>",
        escaped(&arm.name),
        arm.role.describe()
    );
    let range = |of: fn(&super::Network) -> u64| match arm.range(of) {
        None => "–".to_owned(),
        Some((low, high)) if low == high => grouped(low),
        Some((low, high)) => format!("{} – {}", plot::short(low as f64), plot::short(high as f64)),
    };
    let (params, macs) = (
        range(|network| network.params),
        range(|network| network.macs),
    );
    let Some(sample) = arm.sample else {
        let _ = write!(
            out,
            "<td class=\"n\" colspan=\"5\">no score</td><td class=\"n\">{params}</td><td class=\"n\">{macs}</td><td></td></tr>"
        );
        return;
    };
    let deviation = sample.deviation.map_or_else(String::new, |deviation| {
        format!(" <small>± {}</small>", score(deviation))
    });
    let interval = sample.low.zip(sample.high);
    let shown = interval.map_or_else(
        || "–".to_owned(),
        |(low, high)| format!("{} – {}", score(low), score(high)),
    );
    let improvement = match arm.improvement {
        Some(percent) if arm.role != Role::RandomNetworks => {
            let sign = if percent < 0.0 { '−' } else { '+' };
            format!("{sign}{:.2}%", percent.abs())
        }
        _ => "–".to_owned(),
    };
    let strip = plot::strip(axis, &arm.values(), sample.mean, interval, &class);
    let _ = write!(
        out,
        "<td class=\"n\"><strong>{}</strong>{deviation}</td><td class=\"n\">{shown}</td><td>{strip}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{params}</td><td class=\"n\">{macs}</td>\
         <td class=\"n\">{improvement}</td></tr>",
        score(sample.mean),
        score(sample.median),
        sample.n,
    );
}

/// What each arm cost: nothing is left out.
fn cost(analysis: &Analysis, out: &mut String) {
    out.push_str(
        "<h3>What it took</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of costs\"><table><thead><tr><th>Arm</th>\
         <th class=\"n\">Searches</th><th class=\"n\">Trials</th><th class=\"n\">Failed</th><th class=\"n\">Epochs</th>\
         <th class=\"n\">Search time</th><th class=\"n\">Retrainings</th><th class=\"n\">Failed</th>\
         <th class=\"n\">Retraining time</th></tr></thead><tbody>",
    );
    for arm in &analysis.arms {
        let searches = match arm.role {
            Role::Search | Role::RandomSearch => arm.networks.len(),
            _ => 0,
        };
        let class = class(analysis, arm);
        let _ = write!(
            out,
            "<tr class=\"{class}\"><th scope=\"row\"><span class=\"swatch\"></span>{}</th><td class=\"n\">{searches}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&arm.name),
            grouped(arm.cost.trials),
            grouped(arm.cost.failed),
            grouped(arm.cost.epochs.round() as u64),
            seconds(arm.cost.seconds),
            arm.scores.len() as u64 + arm.failed,
            arm.failed,
            seconds(arm.cost.retraining_seconds),
        );
    }
    out.push_str(
        "</tbody></table></div><p class=\"note\">Failed trials count. Times are of one trial after the other. The hand-designed networks \
         are used as they are, so nothing was spent on tuning them here.</p>",
    );
}

fn tests(analysis: &Analysis, out: &mut String) {
    out.push_str("<h2 id=\"tests\">Tests</h2>");
    if !analysis.verdict.evidence {
        out.push_str("<p class=\"note\">Too little was done to conclude anything; the figures are here to be looked at.</p>");
    }
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of tests\"><table><thead><tr><th>Is</th><th>different from</th><th class=\"n\">Difference</th>\
         <th class=\"n\">95% interval</th><th class=\"n\">A12</th><th class=\"n\">p</th><th class=\"n\">p, corrected</th><th>Finding</th>\
         <th>One observation is</th></tr></thead><tbody>",
    );
    for contrast in analysis.designs.iter().chain(&analysis.methods) {
        test_row(contrast, analysis.verdict.evidence, out);
    }
    out.push_str(
        "</tbody></table></div><p class=\"note\">Mann and Whitney’s test, two-sided: exact for samples of at most eight without ties, else by the \
         normal approximation with corrections for ties and continuity; Holm’s correction over the tests with the same \
         observations. A figure that is looked up has no spread: against it, Wilcoxon’s signed ranks over search seeds. A12 is the \
         probability that one of the first scores above one of the second.</p>",
    );
    out.push_str("<p>Tests over retrainings are about the networks that were found, and hold for these networks on these test examples. \
         Tests over search seeds are about the search: would it, started anew, find networks as good?</p>");
    if let Some(agreement) = analysis.agreement {
        let shown = |figure: Option<f64>| {
            figure.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
        };
        let _ = write!(
            out,
            "<p>Does the order by validation {} in the search hold on the test examples? Over {}: Spearman’s \
             correlation {}, Kendall’s tau {}.</p>",
            escaped(&analysis.score_name),
            plural(agreement.n as u64, "winner"),
            shown(agreement.spearman),
            shown(agreement.kendall)
        );
    }
}

fn test_row(contrast: &Contrast, evidence: bool, out: &mut String) {
    let interval = match contrast.low.zip(contrast.high) {
        Some((low, high)) => format!("{} – {}", signed(low), signed(high)),
        None => "–".to_owned(),
    };
    let (class, finding) = match (evidence, contrast.finding) {
        (false, _) => ("", "not evidence"),
        (_, Finding::Better) => ("better", "better"),
        (_, Finding::Worse) => ("worse", "worse"),
        (_, Finding::NotShown) => ("", "no difference shown"),
    };
    let unit = match contrast.unit {
        Unit::Retraining => "a retraining",
        Unit::SearchSeed => "a search",
    };
    let _ = write!(
        out,
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{interval}</td>\
         <td class=\"n\">{:.2} <small>{}</small></td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td class=\"word {class}\">{finding}</td><td>{unit} <small>({} and {}; {})</small></td></tr>",
        escaped(&contrast.first),
        escaped(&contrast.second),
        signed(contrast.difference),
        contrast.a12,
        effect(contrast.a12),
        p_value(contrast.p),
        p_value(contrast.corrected),
        contrast.sizes.0,
        contrast.sizes.1,
        if contrast.exact { "exact" } else { "normal" },
    );
}

fn protocol(comparison: &RecordedComparison, analysis: &Analysis, out: &mut String) {
    let plan = comparison.plan();
    let budget = plan.experiment.budget;
    let parts = [
        budget.trials.map(|trials| plural(trials, "trial")),
        budget.epochs.map(|epochs| plural(epochs, "epoch")),
        budget.seconds.map(seconds),
    ];
    let budget: Vec<String> = parts.into_iter().flatten().collect();
    let examples = analysis.test_examples.map_or_else(String::new, |examples| {
        format!(
            " ({}; one of them is {:.4})",
            grouped(examples),
            1.0 / examples.max(1) as f64
        )
    });
    let _ = write!(
        out,
        "<h2 id=\"protocol\">Protocol</h2><ul>\
         <li>Every arm has the same division of the data, the same recipe and, where it searches, the same budget: {} for each search, failed trials counted.</li>\
         <li>Each search was run with {}; each winner and each hand-designed network was trained from scratch {} for each, on training and validation examples together, with fresh seeds.</li>\
         <li>For each search seed, {} drawn from the space as fresh trials are, and trained once: they stand for no search at all.</li>\
         <li>The test examples{examples} were read after the last search had ended and the winners had been written down; nothing was chosen afterwards.</li></ul>",
        budget.join(" or "),
        plural(u64::from(plan.search_seeds), "seed"),
        if plan.retrain_seeds == 1 {
            "once".to_owned()
        } else {
            format!("{} times", plan.retrain_seeds)
        },
        {
            let networks = plural(u64::from(plan.random_networks), "network");
            let verb = if plan.random_networks == 1 {
                "is"
            } else {
                "are"
            };
            format!("{networks} {verb}")
        },
    );
    if plan.quick {
        out.push_str("<p class=\"note\"><strong>Not evidence.</strong> This was a quick look: fewer seeds and a smaller budget than a comparison needs.</p>");
    }
}
