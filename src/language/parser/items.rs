//! Files and their items.

use super::cursor::{MAX_BYTES, Parser};
use crate::diagnostics::{Diagnostic, Span};
use crate::language::lexer::{Keyword, Kind, lex};
use crate::language::syntax::{
    Block, Call, Definition, File, IgnoredSpan, Item, Let, Name, Parameter, RecipeEntry, Spanned,
};

/// What [`parse`] made of a text.
#[derive(Clone, Debug)]
pub struct Parse {
    /// The tree, with [`Term::Error`](crate::language::syntax::Term::Error) and holes where the text
    /// could not be understood.
    pub file: File,
    /// What is wrong with the text, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a `.space` file. Never fails: mistakes are in [`Parse::diagnostics`], and the tree holds
/// what could be understood despite them.
pub fn parse(text: &str) -> Parse {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        return Parse {
            file: File::default(),
            diagnostics: vec![Diagnostic::error(Span::default(), message)],
        };
    }
    let lexed = lex(text);
    let mut parser = Parser::new(text, lexed.tokens);
    let mut file = parser.file();
    file.comments = lexed.comments;
    let mut diagnostics = lexed.diagnostics;
    diagnostics.extend(parser.into_diagnostics());
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    Parse { file, diagnostics }
}

/// The words that open an item, for advice.
const ITEMS: [&str; 9] = [
    "space", "input", "output", "let", "block", "network", "recipe", "require", "limit",
];

impl Parser<'_> {
    fn file(&mut self) -> File {
        let mut file = File::default();
        loop {
            while self.eat(Kind::Semicolon) {}
            let Some(keyword) = self.item_keyword() else {
                break;
            };
            let start = self.last_start();
            if keyword == Keyword::Space {
                self.space(&mut file);
            } else if let Some(item) = self.item(keyword) {
                file.items.push(Spanned::new(item, self.span_from(start)));
            }
            if self.take_lost() && !self.peek().opens_line {
                self.skip_item();
            }
        }
        file
    }

    /// Takes the word that opens the next item, passing over what opens none. `None` at the end.
    fn item_keyword(&mut self) -> Option<Keyword> {
        loop {
            self.begin();
            let text = self.token_text();
            match self.kind() {
                Kind::End => return None,
                Kind::Keyword(keyword) if keyword.opens_item() || keyword == Keyword::Let => {
                    self.advance();
                    return Some(keyword);
                }
                Kind::Name => {
                    let meant = Self::did_you_mean(text, &ITEMS);
                    self.no_item(meant);
                    if let Some(keyword) = meant.and_then(Keyword::from_text) {
                        self.advance();
                        self.take_lost();
                        return Some(keyword);
                    }
                }
                Kind::CloseBrace => {
                    let error = Diagnostic::error(self.peek().span, "`}` closes nothing");
                    self.report(error.hint("remove it, or open a `{` before it"));
                    self.advance();
                    self.take_lost();
                    continue;
                }
                _ => self.no_item(None),
            }
            self.advance();
            self.skip_item();
        }
    }

    fn no_item(&mut self, meant: Option<&str>) {
        let hint = match meant {
            Some(word) => format!("did you mean `{word}`?"),
            None => "operations stand inside `network { … }` or a `block`".to_owned(),
        };
        self.expected_with(
            "an item (`let`, `block`, `network`, `require`, …)",
            Some(hint),
        );
    }

    fn space(&mut self, file: &mut File) {
        let word = self.span_from(self.last_start());
        let Some(name) = self.name("the space") else {
            return;
        };
        if let Some(first) = &file.name {
            let error = Diagnostic::error(word, "a second `space`");
            self.report(error.related(first.span, "the first").hint("remove one"));
        } else if file.items.is_empty() {
            file.name = Some(name);
        } else {
            let error = Diagnostic::error(word, "`space` is not the first item");
            self.report(error.hint("move it to the top of the file"));
        }
    }

    fn item(&mut self, keyword: Keyword) -> Option<Item> {
        match keyword {
            Keyword::Input => self
                .item_call("the input's kind, as in `input image(…)`")
                .map(Item::Input),
            Keyword::Output => self
                .item_call("the output's kind, as in `output classes(10)`")
                .map(Item::Output),
            Keyword::Let => self.let_().map(Item::Let),
            Keyword::Block => self.block().map(Item::Block),
            Keyword::Network => self.body("`network`").map(Item::Network),
            Keyword::Recipe => self.recipe(),
            Keyword::Require => Some(Item::Require(self.expression())),
            Keyword::Limit => {
                let what = self.kind_name("what to limit, as in `limit depth 4`")?;
                Some(Item::Limit {
                    what,
                    value: self.expression(),
                })
            }
            _ => None,
        }
    }

    fn item_call(&mut self, role: &str) -> Option<Call> {
        let name = self.kind_name(role)?;
        Some(self.call_after(name))
    }

    /// Takes a name that the language gives; `what` says of what.
    pub fn kind_name(&mut self, what: &str) -> Option<Name> {
        if self.at_inline(Kind::Name) {
            return self.any_word();
        }
        self.expected(what);
        None
    }

    /// The rest of a call whose name was read.
    pub fn call_after(&mut self, name: Name) -> Call {
        let arguments = if self.at_inline(Kind::OpenParen) {
            self.arguments()
        } else {
            Vec::new()
        };
        let span = IgnoredSpan(self.span_from(name.span.start));
        Call {
            name,
            arguments,
            span,
        }
    }

    /// The rest of a `let`.
    pub fn let_(&mut self) -> Option<Let> {
        let name = self.name("the `let`")?;
        if self.at_inline(Kind::OpenParen) {
            let parameters = self.parameters();
            return self.let_body(name, parameters);
        }
        let definition = match self.kind() {
            Kind::OpenBrace => Definition::Body(self.body("`let`")?),
            Kind::Assign => {
                self.advance();
                Definition::Choice(self.value_choice())
            }
            Kind::Colon => {
                self.instead("`:`", "a `let` takes `=`");
                Definition::Choice(self.value_choice())
            }
            _ => {
                self.expected(&format!("`=` and a value for `{}`, or a body", name.node));
                return None;
            }
        };
        Some(Let {
            name,
            parameters: Vec::new(),
            definition,
        })
    }

    fn let_body(&mut self, name: Name, parameters: Vec<Parameter>) -> Option<Let> {
        if self.kind() == Kind::Assign {
            let message = "a `let` with parameters takes a body, not `=`";
            self.report(Diagnostic::error(self.peek().span, message).hint("write `{ … }`"));
            return None;
        }
        let definition = Definition::Body(self.body("`let`")?);
        Some(Let {
            name,
            parameters,
            definition,
        })
    }

    fn block(&mut self) -> Option<Block> {
        let name = self.name("the block")?;
        let parameters = if self.at_inline(Kind::OpenParen) {
            self.parameters()
        } else {
            Vec::new()
        };
        if self.kind() == Kind::Assign {
            let error = Diagnostic::error(self.peek().span, "a `block` takes a body, not `=`");
            self.report(error.hint("write `{ … }`, or `let` for what is decided once"));
            return None;
        }
        Some(Block {
            name,
            parameters,
            body: self.body("`block`")?,
        })
    }

    /// `(name, name = default)`.
    fn parameters(&mut self) -> Vec<Parameter> {
        self.parenthesised(|parser| {
            let name = parser.name("a parameter")?;
            if parser.kind() == Kind::Colon {
                parser.instead("`:`", "a default takes `=`");
            } else if !parser.eat(Kind::Assign) {
                return Some(Parameter {
                    name,
                    default: None,
                });
            }
            Some(Parameter {
                name,
                default: Some(parser.expression()),
            })
        })
    }

    fn recipe(&mut self) -> Option<Item> {
        let open = self.open_brace("`recipe`")?;
        let mut entries = Vec::new();
        self.with_newlines(true, |parser| {
            while parser.in_braces(open) {
                parser.begin();
                if let Some(entry) = parser.recipe_entry() {
                    entries.push(entry);
                    parser.end_of_entry();
                }
                if parser.take_lost() {
                    parser.skip_until(|p| {
                        p.peek().opens_line || matches!(p.kind(), Kind::Comma | Kind::CloseBrace)
                    });
                }
                while parser.eat(Kind::Comma) {}
            }
        });
        Some(Item::Recipe(entries))
    }

    fn end_of_entry(&mut self) {
        let ended = matches!(
            self.kind(),
            Kind::Comma | Kind::Semicolon | Kind::CloseBrace | Kind::End
        );
        if !ended && !self.at_line_break() {
            self.expected("`,` or a new line");
            // A setting is most likely what comes next, as if the comma were there.
            if self.kind() == Kind::Name {
                self.take_lost();
            }
        }
    }

    fn recipe_entry(&mut self) -> Option<RecipeEntry> {
        if self.kind() != Kind::Name {
            self.expected("a setting, as in `learning_rate: 0.1`");
            self.advance();
            return None;
        }
        let name = self.any_word()?;
        match self.kind() {
            Kind::Colon => drop(self.advance()),
            Kind::Assign => self.instead("`=`", "a setting takes `:`"),
            _ => {
                self.expected(&format!("`:` and a value for `{}`", name.node));
                return None;
            }
        }
        Some(RecipeEntry {
            name,
            value: self.value_choice(),
        })
    }

    /// Takes a sign that stands where another belongs, reports it, and goes on as if it were right.
    pub fn instead(&mut self, sign: &str, right: &str) {
        let error = Diagnostic::error(self.peek().span, format!("{sign} can't stand here"));
        self.report(error.hint(right));
        self.take_lost();
        self.advance();
    }
}
