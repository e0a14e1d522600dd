//! The page: one self-contained HTML file for a comparison or a run.
//!
//! It asks nothing of a network. Without scripts it says the same; with them, marks answer the pointer and plots
//! zoom. Text that comes from files is escaped.

mod contrasts;
mod figures;
mod plot;
mod protocol;
mod sections;

use super::analysis::{Analysis, Arm, Role};
use super::expected::Expected;
use super::words::{RETRAINING_RULE, escaped, grouped, score, seconds, word};
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

    /// How good its winner's validation score is, the higher the better; below all others if there is none.
    pub fn winner_fitness(&self) -> f64 {
        let state = self.run.state();
        let fitness = |score| state.direction().fitness(score);
        let winner = state.winner.as_ref();
        winner.map_or(f64::NEG_INFINITY, |winner| fitness(winner.score))
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
    contrasts::tests(analysis, &mut body);
    protocol::protocol(comparison, analysis, &mut body);
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

/// The page of a comparison of which only `expected.json` is left: its scores, and what follows from them.
pub fn scores_page(expected: &Expected, analysis: &Analysis) -> String {
    let mut body = head(&analysis.name, "Comparison, from its scores", "");
    verdict(analysis, &mut body);
    contents(
        &[("arms", "Arms"), ("tests", "Tests"), ("scores", "Scores")],
        &mut body,
    );
    body.push_str("</header><main>");
    arms(analysis, &mut body);
    contrasts::tests(analysis, &mut body);
    sections::scores(expected, analysis, &mut body);
    document(&format!("{}: comparison", analysis.name), &body)
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
    let looks_up = run.started().experiment.evaluator.info().looks_up;
    sections::result(&summary, looks_up, &mut body);
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
            if new.winner_fitness() > held.winner_fitness() {
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
    let part = if analysis.quick { "Validation" } else { "Test" };
    let _ = write!(
        out,
        "<h2 id=\"arms\">Arms</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of arms\"><table>\
         <thead><tr><th>Arm</th><th class=\"n\">{part} {score_name}</th><th class=\"n\">95% interval</th>\
         <th>{}, mean, interval</th><th class=\"n\">Median</th><th class=\"n\">n</th>\
         <th class=\"n\">Parameters</th><th class=\"n\">MACs</th><th class=\"n\">vs. random</th></tr></thead><tbody>",
        if analysis.looked_up {
            "Figures"
        } else {
            "Retrainings"
        }
    );
    for arm in &analysis.arms {
        arm_row(analysis, arm, &axis, out);
    }
    let _ = write!(
        out,
        "</tbody><tfoot><tr><td colspan=\"3\"></td><td>{}</td><td colspan=\"5\"></td></tr></tfoot>\
         </table></div><p class=\"note\">{} A search’s interval is of its mean over new searches{}; another arm’s is of its mean over \
         new trainings. Student’s intervals. A range is over the networks of an arm. Rings at an edge lie beyond it. The last \
         column is the mean over that of random networks.</p>",
        plot::strip_axis(&axis),
        if analysis.looked_up {
            "Mean ± standard deviation of what the table says."
        } else {
            "Mean ± standard deviation over retrainings from scratch on training and validation examples."
        },
        if analysis.looked_up {
            ""
        } else {
            " on these test examples"
        },
    );
    // What only has scores has no trials either.
    if analysis.arms.iter().any(|arm| arm.cost.trials > 0) {
        cost(analysis, out);
    }
}

/// Whether the figures of networks are looked up in a table, so that none is trained.
fn is_looked_up(analysis: &Analysis) -> bool {
    analysis.arms.iter().any(|arm| arm.known)
}

/// What an arm has a score of.
fn observations(analysis: &Analysis) -> &'static str {
    match is_looked_up(analysis) {
        true => "Figures",
        false => "Retrainings",
    }
}

fn arm_row(analysis: &Analysis, arm: &Arm, axis: &Axis, out: &mut String) {
    let class = class(analysis, arm);
    let _ = write!(
        out,
        "<tr class=\"{class}\"><th scope=\"row\"><span class=\"swatch\"></span>{}<small>{}</small></th>",
        escaped(&arm.title()),
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
    let _ = write!(
        out,
        "<h3>What it took</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of costs\"><table><thead><tr><th>Arm</th>\
         <th class=\"n\">Searches</th><th class=\"n\">Trials</th><th class=\"n\">Failed</th><th class=\"n\">Epochs</th>\
         <th class=\"n\">Search time</th><th class=\"n\">{}</th><th class=\"n\">Failed</th>\
         <th class=\"n\">{} time</th></tr></thead><tbody>",
        observations(analysis),
        match is_looked_up(analysis) {
            true => "Reading",
            false => "Retraining",
        }
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
            seconds(arm.cost.selection_seconds + arm.cost.retraining_seconds),
        );
    }
    let selections: u64 = analysis.arms.iter().map(|arm| arm.cost.selections).sum();
    let rule = match selections {
        0 => String::new(),
        _ => format!(" {RETRAINING_RULE} Retraining time includes those trainings."),
    };
    let _ = write!(
        out,
        "</tbody></table></div><p class=\"note\">Failed trials count. Times are of one trial after the other. The hand-designed networks \
         are used as they are, so nothing was spent on tuning them here.{rule}</p>",
    );
}
