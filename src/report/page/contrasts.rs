//! The tests of a comparison, as a page shows them.

use crate::report::analysis::Analysis;
use crate::report::contrast::{ClaimEstimate, Contrast, Family, Finding};
use crate::report::tables::finding;
use crate::report::words::{escaped, p_value, plural, signed};
use std::fmt::Write;

/// The table of contrasts, and how to read it.
pub fn tests(analysis: &Analysis, out: &mut String) {
    out.push_str("<h2 id=\"tests\">Tests</h2>");
    if !analysis.verdict.evidence {
        out.push_str("<p class=\"note\">Too little was done to conclude anything; the figures are here to be looked at.</p>");
    }
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of tests\"><table><thead><tr><th>Search</th><th>Against</th>\
         <th class=\"n\">Difference</th><th>If this were done again with</th><th class=\"n\">95% interval</th><th class=\"n\">p</th>\
         <th class=\"n\">p, corrected</th><th class=\"n\">Searches above</th><th>Finding</th></tr></thead><tbody>",
    );
    for contrast in &analysis.contrasts {
        test_rows(analysis, contrast, out);
    }
    out.push_str("</tbody></table></div>");
    explained(analysis, out);
    if let Some(agreement) = analysis.agreement {
        let shown = |figure: Option<f64>| {
            figure.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
        };
        let _ = write!(
            out,
            "<p>Does the order by validation {} in the search hold {}? Over {}: Spearman’s correlation {}, Kendall’s \
             tau {}.</p>",
            escaped(&analysis.score_name),
            if analysis.looked_up {
                "by the table’s test figures"
            } else {
                "on the test examples"
            },
            plural(agreement.n as u64, "winner"),
            shown(agreement.spearman),
            shown(agreement.kendall)
        );
    }
}

/// The note under the table of tests.
fn explained(analysis: &Analysis, out: &mut String) {
    let what = match analysis.looked_up {
        true => {
            "One search is one observation: what its winner’s figure is in the table. <em>New searches</em>: if the \
                 search were run again with other seeds, in this same table."
        }
        false => {
            "One search is one observation: the mean over the retrainings of its winner. <em>New searches, new \
                  examples</em>: if the search were run again with other seeds and tested on other examples of this kind; only \
                  this supports a headline without further words. <em>New searches</em>: on these test examples alone. <em>These \
                  networks</em>: the networks that were found, trained anew; it says nothing of the search, so there is no p."
        }
    };
    let level = analysis.alpha;
    let _ = write!(
        out,
        "<p class=\"note\">{what} A difference is called shown where the corrected p is below {level:.4}. p: Student’s t, \
         with the variances of searches, of the other side’s trainings{} added, and Satterthwaite’s degrees of freedom; \
         corrected by Holm for the other rows of the same kind; “better than every hand-designed network” rests on the largest p, and needs no \
         correction. <em>Searches above</em>: how many searches are better than the \
         other side’s mean, with what share of new ones would be (95%, Clopper and Pearson). Everything but hand-designed \
         networks is secondary.</p>",
        if analysis.looked_up {
            ""
        } else {
            " and of test examples"
        }
    );
}

/// A contrast: a row for each claim, the strongest first.
fn test_rows(analysis: &Analysis, contrast: &Contrast, out: &mut String) {
    let searches = if analysis.looked_up {
        "new searches in this table"
    } else {
        "new searches"
    };
    let rows: [(&str, Option<&ClaimEstimate>); 3] = [
        ("new searches, new examples", contrast.new_examples.as_ref()),
        (searches, Some(&contrast.these_examples)),
        (
            "these networks",
            contrast
                .these_networks
                .as_ref()
                .filter(|_| !analysis.looked_up),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, claim)| Some((name, claim?)));
    for (index, (name, claim)) in rows.enumerate() {
        let interval = match claim.interval() {
            Some((low, high)) => format!("{} – {}", signed(low), signed(high)),
            None => "–".to_owned(),
        };
        // Without evidence a p-value would be read as some.
        let shown = |p: Option<f64>| match p.filter(|_| contrast.finding != Finding::NotEvidence) {
            Some(p) if name != "these networks" => escaped(&p_value(p)),
            _ => "–".to_owned(),
        };
        let (heading, end) = match index {
            0 => (heading(contrast), ending(analysis, contrast)),
            _ => (
                "<th></th><td></td><td></td>".to_owned(),
                "<td></td><td></td>".to_owned(),
            ),
        };
        let _ = write!(
            out,
            "<tr>{heading}<td>{name}</td><td class=\"n\">{interval}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>{end}</tr>",
            shown(claim.p),
            shown(claim.corrected),
        );
    }
}

fn heading(contrast: &Contrast) -> String {
    let secondary = match contrast.family {
        Family::Designs => "",
        _ => " <small>secondary</small>",
    };
    format!(
        "<th scope=\"row\">{}</th><td>{}{secondary}</td><td class=\"n\">{}</td>",
        escaped(&contrast.first),
        escaped(&contrast.second),
        signed(contrast.difference)
    )
}

fn ending(analysis: &Analysis, contrast: &Contrast) -> String {
    let class = match contrast.finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        _ => "",
    };
    let share = contrast.above;
    format!(
        "<td class=\"n\">{} of {} <small>{:.0}–{:.0}%</small></td><td class=\"word {class}\">{}</td>",
        share.above,
        share.of,
        100.0 * share.low,
        100.0 * share.high,
        finding(analysis, contrast)
    )
}
