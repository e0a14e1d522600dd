//! Lists in parentheses: arguments, parameters, values.

use super::cursor::Parser;
use super::expressions::starts_value;
use crate::diagnostics::Span;
use crate::language::lexer::{Keyword, Kind};
use crate::language::syntax::{Argument, Name};

impl Parser<'_> {
    /// `(argument, name: argument)`.
    pub fn arguments(&mut self) -> Vec<Argument> {
        self.parenthesised(|parser| {
            let name = parser.argument_name();
            let value = parser.value_choice();
            Some(Argument { name, value })
        })
    }

    fn argument_name(&mut self) -> Option<Name> {
        let separator = self.look(1).kind;
        let is_word = matches!(self.kind(), Kind::Name | Kind::Keyword(_));
        if !is_word || !matches!(separator, Kind::Colon | Kind::Assign) {
            return None;
        }
        let name = self.any_word();
        if separator == Kind::Colon {
            self.advance();
        } else {
            self.instead("`=`", "an argument's value follows `:`");
        }
        name
    }

    /// `(item, item, …)`, with the parenthesis still to take.
    pub fn parenthesised<T>(&mut self, read: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let open = self.advance().span;
        self.with_newlines(false, |parser| {
            parser.nested(|parser| parser.items_until(open, read))
        })
    }

    fn items_until<T>(
        &mut self,
        open: Span,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        while !self.eat(Kind::CloseParen) {
            let start = self.peek().span.start;
            if !self.ends_list() {
                items.extend(read(self));
                if self.after_item() && self.peek().span.start > start {
                    continue;
                }
            }
            self.unclosed(open);
            break;
        }
        items
    }

    /// Goes on to the next item of a list; false if the list must have ended before.
    fn after_item(&mut self) -> bool {
        if self.take_lost() {
            self.skip_in_list();
            self.eat(Kind::Comma);
            return true;
        }
        if self.eat(Kind::Comma) || self.kind() == Kind::CloseParen {
            return true;
        }
        let next = self.look(1);
        let slip = self.kind() == Kind::Semicolon && starts_value(next.kind) && !next.opens_line;
        if slip {
            self.instead("`;`", "items of a list are separated by `,`");
            return true;
        }
        if self.ends_list() || self.peek().opens_line || self.kind() == Kind::OpenBrace {
            return false;
        }
        let comma_missing = starts_value(self.kind()) && self.kind() != Kind::Unknown;
        let hint = comma_missing.then(|| "put `,` before it".to_owned());
        self.expected_with("`,` or `)`", hint);
        if !(self.take_lost() && comma_missing) {
            self.skip_in_list();
            self.eat(Kind::Comma);
        }
        true
    }

    /// Whether the next token can't stand in any list.
    pub fn ends_list(&self) -> bool {
        let token = self.peek();
        let Kind::Keyword(keyword) = token.kind else {
            return matches!(token.kind, Kind::End | Kind::CloseBrace | Kind::Semicolon);
        };
        // An argument may have a name that opens an item elsewhere.
        let names = matches!(self.look(1).kind, Kind::Colon | Kind::Assign);
        token.opens_line && !names && (keyword.opens_item() || keyword == Keyword::Let)
    }

    /// Skips to `,`, `)` or a place where the list must have ended.
    pub fn skip_in_list(&mut self) {
        self.skip_until(|parser| {
            parser.ends_list() || matches!(parser.kind(), Kind::Comma | Kind::CloseParen)
        });
    }
}
