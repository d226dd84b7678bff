//! One pass over the bytes of a document that has not been parsed.
//!
//! It must see the same strings as the parser does: a difference would let brackets hide. So a string
//! without its end is refused here, because the parser would go back and read it in another way.

use async_graphql::Pos;

use super::{Limit, Limits, Refusal};

pub(super) fn scan(document: &str, limits: &Limits) -> Result<(), Refusal> {
    limits.check(Limit::Bytes, u64::try_from(document.len()).unwrap_or(u64::MAX))?;
    let bytes = document.as_bytes();
    let mut at = 0;
    let mut tokens = 0_u64;
    let mut open = Open::default();
    let mut selected = Selected::default();
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at = skip_while(bytes, at, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => end_of_string(bytes, at).ok_or_else(|| unterminated(document, start))?,
            b'{' | b'[' | b'(' | b'}' | b']' | b')' => {
                open.bracket(byte);
                limits.check(Limit::Nesting, open.all)?;
                at + 1
            }
            b'.' => skip_while(bytes, at, |byte| byte == b'.'),
            byte if is_word(byte) => skip_while(bytes, at, is_word),
            _ => at + 1,
        };
        tokens += 1;
        // Counting on would be cheap, but the exact figure of a document that is ten times too long helps nobody.
        limits.check(Limit::Tokens, tokens)?;
        selected.token(&bytes[start..at], open.parentheses == 0 && open.all > 0);
        // What is in the text is at least once in the operations; unused fragments are refused by the engine.
        limits.check(Limit::Fields, selected.fields.saturating_sub(limits.aliases))?;
        limits.check(Limit::FragmentSpreads, selected.spreads)?;
    }
    Ok(())
}

#[derive(Default)]
struct Open {
    all: u64,
    parentheses: u64,
}

impl Open {
    fn bracket(&mut self, byte: u8) {
        match byte {
            b'(' => self.parentheses += 1,
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'{' | b'[' | b'(' => self.all += 1,
            _ => self.all = self.all.saturating_sub(1),
        }
    }
}

/// Counts what selection sets name: spread fragments, and fields with their aliases, which are the names that
/// belong to no directive, fragment or type condition.
#[derive(Default)]
struct Selected {
    fields: u64,
    spreads: u64,
    is_skipping: bool,
    is_after_spread: bool,
}

impl Selected {
    fn token(&mut self, token: &[u8], is_selecting: bool) {
        let is_name = token.first().is_some_and(|&byte| is_word(byte));
        if is_name && is_selecting && !self.is_skipping {
            self.fields += 1;
        }
        if is_name && self.is_after_spread && token != b"on" {
            self.spreads += 1;
        }
        let is_spread = token.starts_with(b".");
        self.is_skipping = is_spread || token == b"@" || (self.is_after_spread && token == b"on");
        self.is_after_spread = is_spread;
    }
}

/// Names and numbers. A sign or a decimal point splits a number in two, which only counts higher.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip_while(bytes: &[u8], from: usize, matches: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&byte| !matches(byte)).map_or(bytes.len(), |length| from + length)
}

/// The index after the string that opens at `start`; none if it never ends.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes[start..].starts_with(b"\"\"\"") {
        let mut at = start + 3;
        loop {
            let rest = bytes.get(at..)?;
            if rest.is_empty() {
                return None;
            }
            if rest.starts_with(b"\\\"\"\"") {
                at += 4;
            } else if rest.starts_with(b"\"\"\"") {
                return Some(at + 3);
            } else {
                at += 1;
            }
        }
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
}

fn unterminated(document: &str, at: usize) -> Refusal {
    let before = document.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Refusal::Syntax {
        message: "The document cannot be parsed: a string has no end.".to_owned(),
        position: Some(Pos { line, column }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_limit(document: &str) -> Option<Limit> {
        match scan(document, &Limits::default()) {
            Err(Refusal::Limit { limit, .. }) => Some(limit),
            _ => None,
        }
    }

    #[test]
    fn brackets_inside_strings_and_comments_do_not_count() {
        let brackets = "[".repeat(100);
        for document in [
            format!("{{ a(b: \"{brackets}\") }}"),
            format!("{{ a(b: \"\\\"{brackets}\") }}"),
            format!("{{ a(b: \"\"\"\n{brackets} \\\"\"\" {brackets}\"\"\") }}"),
            format!("{{ a }} # {brackets}\n"),
        ] {
            assert_eq!(scan(&document, &Limits::default()), Ok(()), "{document}");
        }
    }

    #[test]
    fn sixty_four_levels_pass_and_sixty_five_are_refused() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(scan(&nested(64), &Limits::default()), Ok(()));
        assert_eq!(refused_limit(&nested(65)), Some(Limit::Nesting));
    }

    #[test]
    fn brackets_after_a_string_without_end_cannot_hide() {
        // The parser would read `""` and then `"x"` here, and recurse into the brackets.
        let document = format!("{{ a(b: [\"\"\"x\" {}]) }}", "[".repeat(2_000));
        assert!(matches!(scan(&document, &Limits::default()), Err(Refusal::Syntax { .. })));
    }

    #[test]
    fn a_comment_ends_at_a_carriage_return() {
        let document = format!("# note\r{}", "{".repeat(65));
        assert_eq!(refused_limit(&document), Some(Limit::Nesting));
    }

    #[test]
    fn ten_thousand_tokens_pass_and_one_more_is_refused() {
        assert_eq!(scan(&"$ ".repeat(10_000), &Limits::default()), Ok(()));
        assert_eq!(refused_limit(&"$ ".repeat(10_001)), Some(Limit::Tokens));
    }

    #[test]
    fn two_thousand_fields_with_a_hundred_aliases_pass_and_one_more_name_is_refused() {
        let fields = |count: usize| {
            let rest = "... on T @include(if: $yes) { ...Fragment } ".repeat(10);
            format!("query Q($yes: Boolean) {{ {} {rest} }}", "a ".repeat(count))
        };
        assert_eq!(scan(&fields(2_100), &Limits::default()), Ok(()));
        assert_eq!(refused_limit(&fields(2_101)), Some(Limit::Fields));
    }

    #[test]
    fn names_in_arguments_are_not_fields() {
        let document = format!("{{ a(b: {{ c: [{}] }}) }}", "D ".repeat(5_000));
        assert_eq!(scan(&document, &Limits::default()), Ok(()));
    }

    #[test]
    fn a_document_over_64_kib_is_refused_whatever_it_holds() {
        assert_eq!(scan(&" ".repeat(64 * 1024), &Limits::default()), Ok(()));
        assert_eq!(refused_limit(&" ".repeat(64 * 1024 + 1)), Some(Limit::Bytes));
    }

    #[test]
    fn a_spread_is_one_token() {
        let document = "...on ".repeat(5_000);
        assert_eq!(scan(&document, &Limits::default()), Ok(()));
    }

    #[test]
    fn five_hundred_spreads_pass_and_one_more_is_refused() {
        assert_eq!(scan(&format!("{{ {} }}", "...F ".repeat(500)), &Limits::default()), Ok(()));
        assert_eq!(refused_limit(&format!("{{ {} }}", "...F ".repeat(501))), Some(Limit::FragmentSpreads));
    }
}
