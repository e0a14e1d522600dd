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
        // The renderer cuts the text at these bytes, which must not lie inside a character.
        let start = source.text().floor_char_boundary(span.start);
        start..source.text().ceil_char_boundary(span.end).max(start)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Span;

    #[test]
    fn a_diagnostic_shows_its_place_its_line_and_its_hints() {
        let source = SourceFile::new("a.space", "space č\nnetwrok { relu }\n");
        let error = Diagnostic::error(Span::new(9, 16), "unknown item")
            .related(Span::new(6, 8), "after this")
            .hint("did you mean `network`?");
        let expected = "\
error: unknown item
 --> a.space:2:1
  |
1 | space č
  |       - after this
2 | netwrok { relu }
  | ^^^^^^^
  |
  = help: did you mean `network`?";
        assert_eq!(render(&source, &[error], false), expected);
    }

    #[test]
    fn any_span_of_any_text_renders() {
        for text in ["", "\n", "a", "čš\r\n\tž\u{0}\u{1b}[31m👩‍🔬", "a\n\n\nb\nc"] {
            let source = SourceFile::new("a", text);
            for start in 0..text.len() + 3 {
                for end in 0..text.len() + 3 {
                    let span = Span::new(start, end);
                    let error = Diagnostic::error(span, "m").related(Span::new(end, start), "r");
                    assert!(render(&source, &[error.hint("h")], start % 2 == 0).contains('m'));
                }
            }
        }
    }
}
