//! The page: lines, indentation, comments, and whether something fits on the rest of a line.

use crate::diagnostics::Span;
use crate::language::syntax::Spanned;

/// Columns in a line.
const WIDTH: usize = 100;

/// Why something does not stand on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A part of it was written on several lines and stays so.
    Broken,
    /// It is too wide.
    Wide,
}

/// Writes a tree. Its methods in the sibling modules each print one form of the grammar.
pub struct Printer<'a> {
    out: String,
    line_start: usize,
    indent: usize,
    source: Option<&'a str>,
    comments: &'a [Spanned<String>],
    /// The first comment that is not written yet.
    next: usize,
    /// Whether what is written now is only tried.
    trial: bool,
    misfit: Option<Misfit>,
    /// How many values enclose this place: everything in a value stands on one line.
    values: usize,
    /// Whether nothing but a comment follows an opening bracket yet.
    opened: bool,
    /// Whether the line ends with a comment.
    commented: bool,
}

impl<'a> Printer<'a> {
    /// An empty page for a tree that was read from `source`, with its comments.
    pub fn new(source: Option<&'a str>, comments: &'a [Spanned<String>]) -> Self {
        Self {
            out: String::new(),
            line_start: 0,
            indent: 0,
            source,
            comments,
            next: 0,
            trial: false,
            misfit: None,
            values: 0,
            opened: false,
            commented: false,
        }
    }

    /// The text, after the comments that remain.
    pub fn finish(mut self) -> String {
        self.flush(usize::MAX);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    // Writing.

    /// Writes `text`, which has no newline.
    pub fn push(&mut self, text: &str) {
        if self.misfit.is_some() {
            return;
        }
        self.out.push_str(text);
        if self.trial && self.out.len() - self.line_start > WIDTH {
            self.misfit = Some(Misfit::Wide);
        }
    }

    /// Begins a line for what stands at `start`, after the comments before it; with a blank line if
    /// one was there.
    pub fn line(&mut self, start: usize) {
        self.flush(start);
        self.fresh_line(self.blank_before(start));
    }

    /// Begins a line for a part of something that stands at `start`.
    pub fn part(&mut self, start: usize) {
        self.flush(start);
        self.fresh_line(false);
    }

    /// Begins a line, and leaves a blank one before it if `blank`.
    pub fn fresh_line(&mut self, blank: bool) {
        if !self.out.is_empty() {
            self.out
                .push_str(if blank && !self.opened { "\n\n" } else { "\n" });
        }
        self.line_start = self.out.len();
        self.out.extend(std::iter::repeat_n(' ', 4 * self.indent));
        self.opened = false;
        self.commented = false;
    }

    /// Writes `bracket` and goes one level in.
    pub fn open(&mut self, bracket: &str) {
        self.push(bracket);
        self.indent += 1;
        self.opened = true;
    }

    /// Writes `bracket`, which stood at `at`, on a line of its own one level out.
    pub fn close(&mut self, at: usize, bracket: &str) {
        self.flush(at);
        self.indent -= 1;
        self.fresh_line(false);
        self.push(bracket);
    }

    /// Writes one level in, without a bracket.
    pub fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }

    /// Writes a value: all of it on one line.
    pub fn value(&mut self, write: impl FnOnce(&mut Self)) {
        self.values += 1;
        write(self);
        self.values -= 1;
    }

    // Fitting.

    /// Whether everything must stand on this line.
    pub fn is_flat(&self) -> bool {
        self.trial || self.values > 0
    }

    /// Notes in a trial that a part must be broken. Inside a value nothing is.
    pub fn must_break(&mut self) {
        if self.trial && self.values == 0 {
            self.misfit.get_or_insert(Misfit::Broken);
        }
    }

    /// Writes on this line if it fits, else writes nothing and says why.
    pub fn try_flat(&mut self, write: impl FnOnce(&mut Self)) -> Result<(), Misfit> {
        let (length, opened) = (self.out.len(), self.opened);
        self.trial = true;
        write(self);
        self.trial = false;
        let Some(misfit) = self.misfit.take() else {
            return Ok(());
        };
        self.out.truncate(length);
        self.opened = opened;
        Err(misfit)
    }

    // The source.

    /// Whether there is a source to follow.
    pub fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// Whether `span` was written on several lines.
    pub fn was_broken(&self, span: Span) -> bool {
        self.source
            .is_some_and(|text| text[span.start..span.end].contains('\n'))
    }

    /// Whether what stands at `start` opened a line.
    pub fn opened_line(&self, start: usize) -> bool {
        self.newlines_before(start) > 0
    }

    /// Whether a comment stands in `span`.
    pub fn has_comment(&self, span: Span) -> bool {
        let from = self
            .comments
            .partition_point(|comment| comment.span.start < span.start);
        self.source.is_some()
            && self
                .comments
                .get(from)
                .is_some_and(|comment| comment.span.start < span.end)
    }

    /// Where the word `word` begins that stands before `at`, with only blanks and comments between.
    pub fn word_before(&self, at: usize, word: &str) -> usize {
        let Some(text) = self.source else { return at };
        let mut end = at;
        loop {
            end = text[..end].trim_end().len();
            let ending = self
                .comments
                .binary_search_by_key(&end, |comment| comment.span.end);
            match ending {
                Ok(comment) => end = self.comments[comment].span.start,
                Err(_) => return end.saturating_sub(word.len()),
            }
        }
    }

    /// Where the bracket stands that closes a list whose last item ends at `at`.
    pub fn bracket_after(&self, at: usize) -> usize {
        let Some(text) = self.source else { return at };
        let mut start = at;
        loop {
            let blank = |c: char| c.is_whitespace() || c == ',';
            start = text.len() - text[start..].trim_start_matches(blank).len();
            let opening = self
                .comments
                .binary_search_by_key(&start, |comment| comment.span.start);
            match opening {
                Ok(comment) => start = self.comments[comment].span.end,
                Err(_) => return start,
            }
        }
    }

    fn newlines_before(&self, start: usize) -> usize {
        let Some(text) = self.source else { return 0 };
        let before = &text[..start];
        before[before.trim_end().len()..].matches('\n').count()
    }

    fn blank_before(&self, start: usize) -> bool {
        self.newlines_before(start) > 1
    }

    // Comments.

    /// Writes the comments that stand before `limit`.
    pub fn flush(&mut self, limit: usize) {
        while let Some(comment) = self.comments.get(self.next)
            && comment.span.start < limit
        {
            self.next += 1;
            if self.trails(comment.span.start) {
                self.out.push(' ');
            } else {
                self.fresh_line(self.blank_before(comment.span.start));
            }
            self.out.push_str("//");
            self.out.push_str(&comment.node);
            self.commented = true;
        }
    }

    /// Whether the comment at `start` followed something on its line, and still can.
    fn trails(&self, start: usize) -> bool {
        let Some(text) = self.source else {
            return false;
        };
        let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let follows = text[line..start].contains(|c: char| !c.is_whitespace() && c != '\u{feff}');
        follows && !self.commented && !self.out.is_empty()
    }
}
