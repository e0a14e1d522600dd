//! Source spans and diagnostics: what is wrong, where, and what to do about it.
//!
//! Owns the types every text front end reports with, and their rendering. Knows nothing of what the
//! text means, and never prints: rendering returns a `String`.

mod names;
mod render;
mod source;

pub use names::closest_name;
pub use render::render;
pub use source::{Position, SourceFile, Span};

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The text has no meaning until this is mended.
    Error,
    /// The text means something, probably not what its author wanted.
    Warning,
}

/// One finding about a source text: where it is, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the text can be used despite this.
    pub severity: Severity,
    /// The bytes it is about.
    pub span: Span,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// Other places that explain it, each with its own words.
    pub related: Vec<(Span, String)>,
    /// What the author can do.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message.into())
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message.into())
    }

    /// The same diagnostic with one more piece of advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same diagnostic pointing at one more place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    fn new(severity: Severity, span: Span, message: String) -> Self {
        Self {
            severity,
            span,
            message,
            related: Vec::new(),
            hints: Vec::new(),
        }
    }
}
