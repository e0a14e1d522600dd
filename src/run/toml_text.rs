//! TOML with errors that point at their place.

use super::error::RunError;
use crate::diagnostics::{Diagnostic, SourceFile, Span, closest_name};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// Reads a text as a value.
///
/// # Errors
/// When it is not TOML or does not fit, with the place and the closest known name of an unknown key.
pub(super) fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, RunError> {
    toml::from_str(text).map_err(|error| {
        let span = error
            .span()
            .map_or(Span::default(), |at| Span::new(at.start, at.end));
        let diagnostic = describe(sharpened(text, span, error.message()), error.message());
        at_text(name, text, diagnostic)
    })
}

/// An error about the setting whose keys from the top are `path`, or what there is of it.
pub(super) fn error_at(name: &str, text: &str, path: &[&str], message: String) -> RunError {
    at_text(name, text, Diagnostic::error(span_of(text, path), message))
}

fn at_text(name: &str, text: &str, diagnostic: Diagnostic) -> RunError {
    RunError::Text {
        file: SourceFile::new(name, text),
        diagnostics: vec![diagnostic],
    }
}

/// The key or value that an error about a whole table is about, where its message names one. A
/// table whose settings depend on its `kind` is read as a whole before they are looked at.
fn sharpened(text: &str, span: Span, message: &str) -> Span {
    let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let (Some(name), true) = (message.split('`').nth(1), unknown) else {
        return span;
    };
    let Ok(document) = DeTable::parse(text) else {
        return span;
    };
    let tables = document.get_ref().iter();
    let mut tables =
        tables.filter_map(|(_, value)| Some((value.span(), value.get_ref().as_table()?)));
    let Some((_, table)) = tables.find(|(at, _)| at.start == span.start) else {
        return span;
    };
    let named = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let is_value = value.get_ref().as_str() == Some(name);
        let at = if is_value { value.span() } else { key.span() };
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (is_value || key == name).then(|| Span::new(at.start, at.end))
    };
    table.iter().find_map(named).unwrap_or(span)
}

/// serde's message in this project's words. Its list of the names it knows becomes a hint.
fn describe(span: Span, message: &str) -> Diagnostic {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return Diagnostic::error(span, in_words(message.trim_end()).replace('\n', "; "));
    }
    let what = if message.starts_with("unknown field") {
        "key"
    } else {
        "value"
    };
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let diagnostic = Diagnostic::error(span, format!("unknown {what} `{unknown}`"));
    match closest_name(unknown, known.iter().copied()) {
        Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
        None => diagnostic.hint(format!("known here: {}", known.join(", "))),
    }
}

/// A message without the names of Rust's types.
fn in_words(message: &str) -> String {
    let Some((found, wanted)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let wanted = match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list, such as `[1, 2]`",
        "a map" => "a table",
        other => other,
    };
    format!("{found}, expected {wanted}")
}

fn span_of(text: &str, path: &[&str]) -> Span {
    let Ok(document) = DeTable::parse(text) else {
        return Span::default();
    };
    let mut span = Span::default();
    let mut table = Some(document.get_ref());
    for key in path {
        let Some((name, value)) = table.and_then(|table| table.get_key_value(*key)) else {
            break;
        };
        span = Span::new(name.span().start, name.span().end);
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            span = span.to(Span::new(value.span().start, value.span().end));
        }
        table = value.get_ref().as_table();
    }
    span
}
