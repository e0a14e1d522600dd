//! The parts of a page that comparisons and runs share.

use super::Named;
use super::plot::short;
use crate::architecture::{self, Architecture};
use crate::report::words::{
    RETRAINING_RULE, date, escaped, grouped, looks, plural, score, seconds,
};
use crate::report::{Analysis, Expected, Importance, worth};
use crate::run::{Outcome, RecordedRun, RunError, Subject, Summary};
use crate::search::TrialId;
use crate::space::{Candidate, Decision};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many failures are listed one by one.
const MOST_FAILURES: usize = 40;

/// How many winners of a search are drawn.
const MOST_DRAWN: usize = 3;

/// How many decisions are shown with their options.
const MOST_DECISIONS: usize = 12;

/// What a run found, in a sentence.
pub fn result(summary: &Summary, looked_up: bool, out: &mut String) {
    let (test, validation) = match looked_up {
        true => ("by the table’s test figures", "by the table"),
        false => ("on the test examples", "on the validation examples"),
    };
    let headline = match (&summary.best, summary.finals.first()) {
        (_, Some(winner)) => match winner.mean {
            Some(mean) => format!("The winner scores {} {test}.", score(mean)),
            None if looked_up => "The winner has no test figure in the table.".to_owned(),
            None => "The winner could not be retrained.".to_owned(),
        },
        (Some(best), None) => format!(
            "The best of {} so far scores {} {validation}{}.",
            plural(summary.trials, "trial"),
            best.score.map_or_else(|| "nothing".to_owned(), score),
            best.best_of_epochs()
                .map_or_else(String::new, |epoch| format!(", after {epoch}"))
        ),
        (None, None) => "No trial has a score yet.".to_owned(),
    };
    let _ = write!(
        out,
        "<div class=\"verdict\"><h1>{headline}</h1><p>{}, {} failed, in {}. One run is one sample: whether a search \
         beats anything takes a comparison.</p></div>",
        plural(summary.trials, "trial"),
        grouped(summary.failed),
        seconds(summary.seconds)
    );
    if let Some(notice) = &summary.notice {
        let _ = write!(out, "<p class=\"note\">Note: {}.</p>", escaped(notice));
    }
}

/// The final evaluation of a run.
pub fn finals(summary: &Summary, out: &mut String) {
    if summary.finals.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2>Final evaluation</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Final evaluation\"><table><thead><tr><th>Network</th>\
         <th class=\"n\">Test {}</th><th class=\"n\">n</th><th class=\"n\">Epochs</th><th class=\"n\">Parameters</th><th class=\"n\">MACs</th><th class=\"n\">Time</th></tr></thead><tbody>",
        escaped(summary.finals[0].score_name)
    );
    for row in &summary.finals {
        let figure = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), score);
        // One figure has no spread.
        let spread = row.deviation.map_or_else(String::new, |deviation| {
            format!(" <small>± {}</small>", score(deviation))
        });
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\"><strong>{}</strong>{spread}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td></tr>",
            escaped(&row.subject.to_string()),
            figure(row.mean),
            row.scores.len(),
            match (row.epochs, row.recipe_epochs) {
                (Some(epochs), Some(all)) => format!("{epochs} of {all}"),
                _ => "–".to_owned(),
            },
            grouped(row.params),
            row.macs.map_or_else(|| "–".to_owned(), grouped),
            row.seconds.map_or_else(|| "–".to_owned(), seconds)
        );
    }
    out.push_str("</tbody></table></div>");
    for sentence in worth(&summary.finals) {
        let _ = write!(out, "<p>{}</p>", escaped(&sentence));
    }
    if summary.finals.iter().any(|row| row.epochs.is_some()) {
        let _ = write!(out, "<p class=\"note\">{RETRAINING_RULE}</p>");
    }
    if let Some(look) = summary.look.filter(|look| *look > 1) {
        let _ = write!(
            out,
            "<p class=\"note\">This was look {look} at the test part: what was tried before was chosen by it too.</p>"
        );
    }
    if let Some(said) = looks(&summary.test_looks) {
        let _ = write!(out, "<p>{}</p>", escaped(&said));
    }
}

/// The winners drawn beside the hand-designed networks: of each search the best few by the score it chose them by,
/// one that several seeds found once.
pub fn networks(runs: &[Named<'_>], out: &mut String) -> Result<(), RunError> {
    let (mut winners, mut designed): (Vec<Found<'_>>, Vec<(String, Candidate)>) =
        Default::default();
    for named in runs {
        for (subject, candidate) in named.run.finalists()? {
            match subject {
                Subject::Winner | Subject::Within(_) => Found::add(&mut winners, named, candidate),
                Subject::Baseline(name) => {
                    if !designed.iter().any(|(known, _)| *known == name) {
                        designed.push((name, candidate));
                    }
                }
                Subject::Random(_) | Subject::Model(_) => {}
            }
        }
    }
    let (shown, left) = Found::best(winners);
    let _ = write!(
        out,
        "<h2 id=\"networks\">Networks</h2><p>What was found, beside what people designed.{}</p>\
         <div class=\"drawings\" tabindex=\"0\" role=\"region\" aria-label=\"Drawings of networks\">",
        match left {
            0 => String::new(),
            left => format!(
                " Of each search the {MOST_DRAWN} networks with the best validation scores are drawn; {} in the runs’ own reports.",
                match left {
                    1 => "one more is".to_owned(),
                    left => format!("{} more are", grouped(left as u64)),
                }
            ),
        }
    );
    for found in &shown {
        drawing(
            &found.title(),
            found.class,
            &found.candidate.architecture,
            out,
        );
    }
    for (name, candidate) in &designed {
        drawing(name, "hand", &candidate.architecture, out);
    }
    out.push_str("</div>");
    Ok(())
}

/// A network that won one run of a search or several.
struct Found<'a> {
    search: &'a str,
    class: &'a str,
    seeds: Vec<u32>,
    /// How good its validation score was, the higher the better.
    score: f64,
    key: [u8; 32],
    candidate: Candidate,
}

impl<'a> Found<'a> {
    fn add(found: &mut Vec<Self>, named: &'a Named<'_>, candidate: Candidate) {
        let (search, score, key) = (&named.search, named.winner_fitness(), candidate.key());
        let known = found
            .iter_mut()
            .find(|known| known.search == search && known.key == key);
        match known {
            Some(known) => {
                known.seeds.extend(named.seed);
                known.score = known.score.max(score);
            }
            None => found.push(Self {
                search,
                class: &named.class,
                seeds: Vec::from_iter(named.seed),
                score,
                key,
                candidate,
            }),
        }
    }

    /// The best of each search, and how many are left.
    fn best(mut found: Vec<Self>) -> (Vec<Self>, usize) {
        let total = found.len();
        let searches: Vec<&str> = found.iter().map(|found| found.search).collect();
        let place = |search: &str| searches.iter().position(|known| *known == search);
        found.sort_by(|a, b| {
            place(a.search)
                .cmp(&place(b.search))
                .then(b.score.total_cmp(&a.score))
        });
        let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
        found.retain(|found| {
            let drawn = drawn.entry(found.search).or_default();
            *drawn += 1;
            *drawn <= MOST_DRAWN
        });
        let left = total - found.len();
        (found, left)
    }

    fn title(&self) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(u32::to_string).collect();
        let (search, seeds) = (self.search, seeds.join(", "));
        match self.seeds.len() {
            0 => format!("winner of {search}"),
            1 => format!("winner of {search}, seed {seeds}"),
            _ => format!("winner of {search}, seeds {seeds}"),
        }
    }
}

fn drawing(title: &str, class: &str, drawn: &Architecture, out: &mut String) {
    let svg = architecture::svg(drawn);
    let attribute = |name: &str| {
        let at = svg
            .split_once(&format!(" {name}=\""))
            .map_or("", |(_, rest)| rest);
        at.split('"').next().unwrap_or_default().to_owned()
    };
    let metrics = drawn.metrics();
    let _ = write!(
        out,
        "<figure class=\"{class}\"><figcaption><strong><span class=\"swatch\"></span>{}</strong><br>{} layers, {} parameters, {} MACs</figcaption>\
         <div class=\"sheet\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><img alt=\"{}\" width=\"{}\" height=\"{}\" src=\"data:image/svg+xml,{}\"></div></figure>",
        escaped(title),
        drawn.nodes().len().saturating_sub(1),
        grouped(metrics.params),
        short(metrics.macs as f64),
        escaped(title),
        escaped(&architecture::text(drawn)),
        attribute("width"),
        attribute("height"),
        percent(&svg)
    );
}

/// Text inside a data address inside a quoted attribute.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b' '
            | b':'
            | b';'
            | b'='
            | b','
            | b'/'
            | b'('
            | b')'
            | b'@' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// Which decisions mattered.
pub fn importance(
    runs: &[&RecordedRun],
    score_name: &str,
    out: &mut String,
) -> Result<(), RunError> {
    out.push_str("<h2 id=\"decisions\">Which decisions mattered</h2>");
    let Some(found) = Importance::of(runs)? else {
        out.push_str("<p>Too few trials have a score, or all have the same.</p>");
        return Ok(());
    };
    let _ = write!(
        out,
        "<p>A random forest over {} explains {:.0}% of the variance of the validation {} in trials that it was not \
         fitted to. Each decision’s share is what it explains by itself (functional analysis of variance); the rest is \
         in how decisions act together{}.</p>",
        plural(found.trials as u64, "trial"),
        100.0 * found.explained.max(0.0),
        escaped(score_name),
        if found.explained < 0.1 {
            ", and with so little explained the shares mean little"
        } else {
            ""
        }
    );
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of decisions\"><table><thead><tr><th>Decision</th><th>Share</th>\
         <th>Options by mean score</th></tr></thead><tbody>",
    );
    for effect in found.decisions.iter().take(MOST_DECISIONS) {
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td class=\"n\"><span class=\"bar\" style=\"width:{:.2}rem\"></span> {:.1}%</td><td>",
            escaped(&effect.address),
            6.0 * effect.share.clamp(0.0, 1.0),
            100.0 * effect.share
        );
        for (index, option) in effect.options.iter().enumerate() {
            let name = option.name.as_deref().unwrap_or("not decided");
            let join = if index > 0 { ", " } else { "" };
            let _ = write!(
                out,
                "{join}<code>{}</code> {} <small>({})</small>",
                escaped(name),
                score(option.mean),
                option.trials
            );
        }
        out.push_str("</td></tr>");
    }
    let left = found.decisions.len().saturating_sub(MOST_DECISIONS);
    let rest = match left {
        0 => String::new(),
        left => format!(" {} more explain less.", plural(left as u64, "decision")),
    };
    let _ = write!(
        out,
        "</tbody></table></div><p class=\"note\">Behind each option: the mean score of the trials with it, and how many there are. Trials of a \
         search are no fair sample of a space: it tries more of what did well.{rest}</p>"
    );
    Ok(())
}

/// Every score of a comparison.
pub fn scores(expected: &Expected, analysis: &Analysis, out: &mut String) {
    out.push_str(
        "<h2 id=\"scores\">Scores</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of scores\"><table><thead>\
         <tr><th>Arm</th><th class=\"n\">Search seed</th><th>Scores</th></tr></thead><tbody>",
    );
    for arm in &analysis.arms {
        for (seed, scores) in arm.by_search() {
            let scores: Vec<String> = scores.iter().map(|value| score(*value)).collect();
            let _ = write!(
                out,
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{seed}</td><td>{}</td></tr>",
                escaped(&arm.name),
                scores.join(", ")
            );
        }
    }
    let _ = write!(
        out,
        "</tbody></table></div><p class=\"note\">This page was made from the scores in expected.json alone, by strata {}. They were \
         measured by strata {}; of trials and networks nothing else is kept.</p>",
        env!("CARGO_PKG_VERSION"),
        escaped(&expected.strata)
    );
}

/// From the winner back to a fresh draw.
pub fn lineage(named: &Named<'_>, out: &mut String) -> Result<(), RunError> {
    out.push_str("<h2 id=\"lineage\">Lineage of the winner</h2>");
    let state = named.run.state();
    let Some(winner) = state
        .winner
        .as_ref()
        .map(|winner| winner.trial)
        .or_else(|| named.run.best().map(|row| row.trial))
    else {
        out.push_str("<p>There is no winner yet.</p>");
        return Ok(());
    };
    let mut line = vec![winner];
    let parents = |trial: TrialId| &state.proposals[trial.0 as usize].parents;
    while let Some(&parent) = line.last().and_then(|&trial| parents(trial).first()) {
        line.push(parent);
    }
    line.reverse();
    let space = named.run.space()?;
    let decisions = |trial: TrialId| {
        let genome = &state.proposals[trial.0 as usize].genome;
        space.decisions(genome).unwrap_or_default()
    };
    let _ = write!(
        out,
        "<p>How {} came to trial {winner}: {}.</p><ol class=\"lineage {}\">",
        escaped(&named.label()),
        match line.len() {
            1 => "it was drawn fresh".to_owned(),
            length => plural(length as u64 - 1, "step"),
        },
        named.class
    );
    let mut before: Option<Vec<Decision>> = None;
    for &trial in &line {
        let now = decisions(trial);
        let told = state
            .outcomes
            .get(trial.0 as usize)
            .and_then(Outcome::score);
        let _ = write!(
            out,
            "<li>trial {trial}, {}<small>{}</small></li>",
            told.map_or_else(|| "failed".to_owned(), score),
            match (&before, parents(trial).len()) {
                (None, _) => "drawn fresh".to_owned(),
                (Some(before), count) => change(before, &now, count),
            }
        );
        before = Some(now);
    }
    out.push_str("</ol>");
    Ok(())
}

/// What a child decided differently from its first parent.
fn change(before: &[Decision], now: &[Decision], parents: usize) -> String {
    let by_address = |decisions: &[Decision]| -> BTreeMap<String, String> {
        let pairs = decisions.iter();
        pairs
            .map(|decision| (decision.address.clone(), decision.name.clone()))
            .collect()
    };
    let (old, new) = (by_address(before), by_address(now));
    let mut parts = Vec::new();
    for (address, name) in &new {
        if old.get(address) != Some(name) {
            let from = old
                .get(address)
                .map_or_else(|| "–".to_owned(), |name| escaped(name));
            parts.push(format!(
                "<code>{}</code> {from} → {}",
                escaped(address),
                escaped(name)
            ));
        }
    }
    let gone = old
        .keys()
        .filter(|address| !new.contains_key(*address))
        .count();
    let more = parts.len().saturating_sub(5);
    parts.truncate(5);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    if gone > 0 {
        parts.push(format!("{} dropped", plural(gone as u64, "decision")));
    }
    let how = if parents > 1 {
        "from two parents: "
    } else {
        ""
    };
    format!("{how}{}", parts.join("<br>"))
}

/// The trials and retrainings that failed.
pub fn failures(runs: &[Named<'_>], out: &mut String) {
    out.push_str("<h2 id=\"failures\">Failures</h2>");
    let mut rows = Vec::new();
    for named in runs {
        for outcome in &named.run.state().outcomes {
            if let Outcome::Failed(failed) = outcome {
                let what = format!("{}, trial {}", named.label(), failed.trial);
                rows.push((what, failed.kind.name(), failed.message.clone()));
            }
        }
        for ((subject, index), retrained) in &named.run.state().retrained {
            if let crate::run::record::RetrainedResult::Failed { kind, message } = &retrained.result
            {
                let what = format!("{}, {subject}, retraining {}", named.label(), index + 1);
                rows.push((what, kind.name(), message.clone()));
            }
        }
    }
    if rows.is_empty() {
        out.push_str("<p>None: every trial and every retraining has a score.</p>");
        return;
    }
    let total = rows.len();
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of failures\"><table><thead><tr><th>What</th><th>How</th><th>Why</th></tr></thead><tbody>"
    );
    for (what, kind, message) in rows.iter().take(MOST_FAILURES) {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(what),
            escaped(kind),
            escaped(message)
        );
    }
    let _ = write!(
        out,
        "</tbody></table></div><p class=\"note\">{} of {total}. A failed trial uses its budget up like any other.</p>",
        total.min(MOST_FAILURES)
    );
}

/// What the figures were made with, and how to make them again.
pub fn reproduce(
    runs: &[Named<'_>],
    commands: &[(String, &str)],
    experiment: &str,
    out: &mut String,
) -> Result<(), RunError> {
    out.push_str("<h2 id=\"reproduce\">Reproduce</h2><pre tabindex=\"0\">");
    let width = commands
        .iter()
        .map(|(command, _)| command.len())
        .max()
        .unwrap_or(0);
    for (command, what) in commands {
        let _ = writeln!(out, "{:width$}   # {what}", escaped(command));
    }
    out.push_str("</pre>");
    let Some(first) = runs.first().map(|named| named.run) else {
        return Ok(());
    };
    let started = first.started();
    let at = first.started_at();
    let code = |hash: &str| format!("<code>{}</code>", escaped(hash));
    let facts = [
        ("strata", escaped(&started.strata)),
        ("burn", escaped(&started.burn)),
        ("processor", escaped(&started.host.cpu)),
        (
            "threads a trial",
            started.experiment.trial.threads.to_string(),
        ),
        ("begun", date(at)),
        ("SHA-256 of the space", code(&started.space_hash)),
        ("of the data", code(&started.data_hash)),
        ("of its division", code(&started.split_hash)),
    ];
    out.push_str("<dl>");
    for (name, fact) in facts {
        let _ = write!(out, "<dt>{name}</dt><dd>{fact}</dd>");
    }
    out.push_str("</dl><h3>Runs</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of runs\"><table><thead><tr><th>Run</th><th class=\"n\">Seed</th><th class=\"n\">Trials</th><th>Digest of everything that happened</th></tr></thead><tbody>");
    for named in runs {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escaped(&named.label()),
            named.run.started().experiment.seed.0,
            named.run.state().trials(),
            code(&named.run.digest())
        );
    }
    out.push_str("</tbody></table></div><p class=\"note\">The same experiment gives the same digests with any number of workers, interrupted or not.</p>");
    for (name, text) in [
        ("The experiment", experiment.to_owned()),
        ("The search space", first.space_text()?),
    ] {
        let _ = write!(
            out,
            "<details><summary>{name}</summary><pre tabindex=\"0\">{}</pre></details>",
            escaped(&text)
        );
    }
    Ok(())
}
