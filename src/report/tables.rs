//! A comparison or a run as Markdown and as CSV.

use super::analysis::Analysis;
use super::contrast::{ClaimScope, Contrast, Finding};
use super::words::{grouped, looks, p_value, plural, score, signed};
use super::worth::worth;
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
            arm.title(),
            arm.role.describe(),
            arm.scores.len(),
            range(|network| network.params),
            range(|network| network.macs),
            match arm.cost.trials {
                0 => "–".to_owned(),
                trials => grouped(trials),
            },
            arm.improvement
                .map_or_else(|| "–".to_owned(), |percent| format!("{percent:+.2}%")),
        );
    }
    tests(analysis, &mut out);
    out
}

fn tests(analysis: &Analysis, out: &mut String) {
    let these = match analysis.looked_up {
        true => "p in this table",
        false => "p on these examples alone",
    };
    let _ = write!(
        out,
        "\n| search | against | difference | 95% interval | p on new examples | {these} | searches above | finding |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
    );
    for contrast in &analysis.contrasts {
        let claim = contrast.claim();
        let interval = claim.interval().map_or_else(
            || "–".to_owned(),
            |(low, high)| format!("{} to {}", signed(low), signed(high)),
        );
        // Without evidence a p-value would be read as some.
        let is_evidence = contrast.finding != Finding::NotEvidence;
        let p = |p: Option<f64>| {
            let shown = p.filter(|_| is_evidence);
            shown.map_or_else(|| "–".to_owned(), p_value)
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {interval} | {} | {} | {} of {} | {} |",
            contrast.first,
            contrast.second,
            signed(contrast.difference),
            p(contrast.new_examples.and_then(|it| it.corrected)),
            p(contrast.these_examples.corrected),
            contrast.above.above,
            contrast.above.of,
            finding(analysis, contrast),
        );
    }
}

/// A finding and how far it holds, in few words.
pub(super) fn finding(analysis: &Analysis, contrast: &Contrast) -> &'static str {
    let is_table = analysis.looked_up;
    match (contrast.finding, contrast.scope) {
        (Finding::Same, _) => "the same by construction",
        (Finding::NotEvidence, _) => "not evidence",
        (Finding::Better, Some(ClaimScope::NewExamples)) => "better, on new examples",
        (Finding::Worse, Some(ClaimScope::NewExamples)) => "worse, on new examples",
        (Finding::Better, _) if is_table => "better, in this table",
        (Finding::Worse, _) if is_table => "worse, in this table",
        (Finding::Better, _) => "better, on these examples",
        (Finding::Worse, _) => "worse, on these examples",
        _ if contrast.is_equal(analysis.alpha) => "differ by less than the margin",
        _ => "no difference shown",
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
    if let Some(notice) = &summary.notice {
        let _ = writeln!(out, "\nNote: {notice}.");
    }
    if !summary.finals.is_empty() {
        let _ = write!(
            out,
            "\n| network | test {} | n | parameters | MACs |\n| --- | ---: | ---: | ---: | ---: |\n",
            summary.score_name
        );
    }
    for row in &summary.finals {
        let mean = row.mean.map_or_else(|| "–".to_owned(), score);
        // One figure has no spread.
        let spread = row.deviation.map(score);
        let spread = spread.map_or_else(String::new, |spread| format!(" ± {spread}"));
        let _ = writeln!(
            out,
            "| {} | {mean}{spread} | {} | {} | {} |",
            row.subject,
            row.scores.len(),
            grouped(row.params),
            row.macs.map_or_else(|| "–".to_owned(), grouped)
        );
    }
    for sentence in worth(&summary.finals) {
        let _ = write!(out, "\n{sentence}\n");
    }
    if let Some(look) = summary.look.filter(|look| *look > 1) {
        let _ = writeln!(out, "\nThis was look {look} at the test part.");
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
