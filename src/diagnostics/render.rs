//! Diagnostics as text a person reads.

use super::{Diagnostic, Severity, SourceFile};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Renders every diagnostic against its source, in order of place, with `file:line:column`, the
/// underlined span and hints. `color` adds ANSI styles.
pub fn render(source: &SourceFile, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.severity));
    let blocks: Vec<String> = ordered
        .into_iter()
        .map(|diagnostic| renderer.render(&report(source, diagnostic)))
        .collect();
    blocks.join("\n\n")
}

fn report<'a>(source: &'a SourceFile, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let clip = |span: super::Span| {
        let end = source.text().len();
        span.start.min(end)..span.end.min(end).max(span.start.min(end))
    };
    let snippet = Snippet::source(source.text())
        .path(source.name())
        .annotation(AnnotationKind::Primary.span(clip(diagnostic.span)))
        .annotations(
            diagnostic
                .related
                .iter()
                .map(|(span, label)| AnnotationKind::Context.span(clip(*span)).label(label)),
        );
    let group = level.primary_title(&diagnostic.message).element(snippet);
    vec![
        group.elements(
            diagnostic
                .hints
                .iter()
                .map(|hint| Level::HELP.message(hint)),
        ),
    ]
}
