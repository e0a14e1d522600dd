//! A comparison or a run as Markdown and as CSV.

use super::analysis::Analysis;
use super::contrast::Finding;
use super::words::{grouped, looks, p_value, plural, score, signed};
use crate::run::{RecordedRun, RunError};
use std::fmt::Write;

/// A comparison as a page of Markdown.
pub fn comparison_markdown(analysis: &Analysis) -> String {
    let verdict = &analysis.verdict;
    let mut out = format!("# {}\n\n**{}**\n", analysis.name, verdict.headline);
    for sentence in &verdict.sentences {
        let _ = write!(out, "\n{sentence}\n");
    }
    let _ = write!(
        out,
        "\n| arm | kind | test {} | 95% interval | n | parameters | MACs | trials | over random networks |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        analysis.score_name
    );
    for arm in &analysis.arms {
        let range = |of: fn(&super::Network) -> u64| match arm.range(of) {
            None => "–".to_owned(),
            Some((low, high)) if low == high => grouped(low),
            Some((low, high)) => format!("{} – {}", grouped(low), grouped(high)),
        };
        let (mean, interval) = match arm.sample {
            None => ("–".to_owned(), "–".to_owned()),
            Some(sample) => (
                sample.deviation.map_or_else(
                    || score(sample.mean),
                    |deviation| format!("{} ± {}", score(sample.mean), score(deviation)),
                ),
                sample.low.zip(sample.high).map_or_else(
                    || "–".to_owned(),
                    |(low, high)| format!("{} – {}", score(low), score(high)),
                ),
            ),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {mean} | {interval} | {} | {} | {} | {} | {} |",
            arm.name,
            arm.role.describe(),
            arm.scores.len(),
            range(|network| network.params),
            range(|network| network.macs),
            grouped(arm.cost.trials),
            arm.improvement
                .map_or_else(|| "–".to_owned(), |percent| format!("{percent:+.2}%")),
        );
    }
    tests(analysis, &mut out);
    out
}

fn tests(analysis: &Analysis, out: &mut String) {
    out.push_str(
        "\n| test | difference | A12 | p | p, corrected | finding |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
    );
    for contrast in analysis.designs.iter().chain(&analysis.methods) {
        let finding = match (analysis.verdict.evidence, contrast.finding) {
            (false, _) => "not evidence",
            (_, Finding::Better) => "better",
            (_, Finding::Worse) => "worse",
            (_, Finding::NotShown) => "no difference shown",
        };
        let _ = writeln!(
            out,
            "| {} and {} ({} and {}) | {} | {:.2} | {} | {} | {finding} |",
            contrast.first,
            contrast.second,
            contrast.sizes.0,
            contrast.sizes.1,
            signed(contrast.difference),
            contrast.a12,
            p_value(contrast.p),
            p_value(contrast.corrected),
        );
    }
}

/// Every test score of a comparison, a line each.
pub fn comparison_csv(analysis: &Analysis) -> String {
    let mut out = format!(
        "arm,kind,search_seed,retraining,test_{}\n",
        analysis.score_name.to_lowercase()
    );
    for arm in &analysis.arms {
        for score in &arm.scores {
            let _ = writeln!(
                out,
                "{},{},{},{},{}",
                arm.name,
                arm.role.describe(),
                score.search_seed,
                score.retraining,
                score.value
            );
        }
    }
    out
}

/// A run as a page of Markdown.
///
/// # Errors
/// When the run's spaces have changed.
pub fn run_markdown(run: &RecordedRun) -> Result<String, RunError> {
    let summary = run.summary()?;
    let mut out = format!(
        "# {}\n\n{}, {} failed. One run is one sample: whether a search beats anything takes a comparison.\n",
        summary.name,
        plural(summary.trials, "trial"),
        grouped(summary.failed)
    );
    if let Some(best) = &summary.best {
        let _ = write!(
            out,
            "\nBest: trial {}, validation {} {}, {} parameters, {} MACs.\n",
            best.trial,
            summary.score_name,
            best.score.map_or_else(|| "–".to_owned(), score),
            grouped(best.params),
            grouped(best.macs)
        );
    }
    if !summary.finals.is_empty() {
        let _ = write!(
            out,
            "\n| network | test {} | n | parameters | MACs |\n| --- | ---: | ---: | ---: | ---: |\n",
            summary.score_name
        );
    }
    for row in &summary.finals {
        let figure = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), score);
        let _ = writeln!(
            out,
            "| {} | {} ± {} | {} | {} | {} |",
            row.subject,
            figure(row.mean),
            figure(row.deviation),
            row.scores.len(),
            grouped(row.params),
            grouped(row.macs)
        );
    }
    if let Some(said) = looks(&summary.test_looks) {
        let _ = write!(out, "\n{said}\n");
    }
    Ok(out)
}

/// Every trial of a run, a line each.
pub fn run_csv(run: &RecordedRun) -> String {
    let mut out = String::from("trial,score,loss,failure,params,macs,epochs,seconds,parents,key\n");
    for row in run.trials() {
        let cell =
            |figure: Option<f64>| figure.map_or_else(String::new, |figure| figure.to_string());
        let parents: Vec<String> = row.parents.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{}",
            row.trial,
            cell(row.score),
            cell(row.loss),
            row.failure.map_or("", |failure| failure.name()),
            row.params,
            row.macs,
            row.epochs.len(),
            cell(row.seconds),
            parents.join(" "),
            row.key
        );
    }
    out
}
