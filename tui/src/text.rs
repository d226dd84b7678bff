//! Text that a tenant wrote, made safe to put on a terminal.
//!
//! A name may hold escape sequences, right-to-left overrides or letters of no width, each able to
//! make one organization look like another or to move what stands beside it. Everything that comes
//! from the server goes through [`neutral`] on its way to a cell; the model keeps it as it came.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What is left of a text longer than this is never looked at: a cell is at most a screen wide.
const MEASURED_CHARS_MAX: usize = 1024;

/// Without control characters, without marks that reorder the line, without letters of no width.
/// A line break becomes a space.
pub fn neutral(text: &str) -> String {
    text.chars()
        .take(MEASURED_CHARS_MAX)
        .filter_map(|letter| match letter {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            letter if is_treacherous(letter) => None,
            letter => Some(letter),
        })
        .collect()
}

/// JSON on one line, in which letters that would deceive a reader of the terminal are escaped and nothing is lost.
pub fn json_line(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for letter in value.to_string().chars() {
        if is_treacherous(letter) || matches!(letter, '\u{2028}' | '\u{2029}') {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(letter);
        }
    }
    line
}

fn is_treacherous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Khmer fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{3164}' | '\u{ffa0}'
            // Mongolian selectors, zero-width and directional marks, invisible operators, isolates.
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            // Variation selectors: terminals disagree about the width they lend.
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            // Tags and the second block of variation selectors.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Columns that a neutral text takes on the screen.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// A neutral text in at most `columns`, its end cut and marked when it is longer.
pub fn fit(text: &str, columns: usize, mark: &str) -> String {
    let text = neutral(text);
    if width(&text) <= columns {
        return text;
    }
    let Some(room) = columns.checked_sub(width(mark)) else {
        return String::new();
    };
    let mut fitted = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += width(cluster);
        if used > room {
            break;
        }
        fitted.push_str(cluster);
    }
    fitted.push_str(mark);
    fitted
}

/// `fit`, then blanks up to exactly `columns`.
pub fn column(text: &str, columns: usize, mark: &str) -> String {
    let mut fitted = fit(text, columns, mark);
    let blanks = columns.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', blanks));
    fitted
}

/// Pieces that stay together where there is room: words with what is written onto them, and of one that is wider than a
/// line, its parts.
fn pieces(text: &str, columns: usize) -> impl Iterator<Item = &str> {
    let word_or_blanks = |a: char, b: char| a.is_whitespace() == b.is_whitespace();
    let mut rest = text;
    let words = std::iter::from_fn(move || {
        let mut letters = rest.char_indices().peekable();
        while let Some((_, letter)) = letters.next() {
            let Some((at, next)) = letters.peek().copied() else { break };
            if !word_or_blanks(letter, next) {
                let (word, behind) = rest.split_at(at);
                rest = behind;
                return Some(word);
            }
        }
        (!rest.is_empty()).then(|| std::mem::take(&mut rest))
    });
    words.flat_map(move |word| match width(word) > columns {
        true => word.split_word_bounds().collect(),
        false => vec![word],
    })
}

/// The text cut into lines of at most `columns`, between words where there are any.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in pieces(&neutral(text), columns) {
        let needed = width(word);
        if used > 0 && used + needed > columns {
            lines.push(String::new());
            used = 0;
        }
        if used == 0 && word.chars().all(char::is_whitespace) && lines.len() > 1 {
            continue;
        }
        for cluster in word.graphemes(true) {
            if used + width(cluster) > columns {
                lines.push(String::new());
                used = 0;
            }
            used += width(cluster);
            if let Some(line) = lines.last_mut() {
                line.push_str(cluster);
            }
        }
    }
    lines
}

/// A name spelled out when letters that only look familiar could hide in it; `None` when every
/// letter is plain. Shown beside the name where somebody is about to act on it.
pub fn spelled_out(name: &str) -> Option<String> {
    if name.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()) {
        return None;
    }
    let mut spelled = String::new();
    for letter in name.chars().take(MEASURED_CHARS_MAX) {
        if letter == ' ' || letter.is_ascii_graphic() {
            spelled.push(letter);
        } else {
            spelled.extend(letter.escape_unicode());
        }
    }
    Some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_hides_or_commands_is_dropped() {
        assert_eq!(neutral("Ac\u{202e}me\u{200b} Co\u{1b}[31mffee\u{7}"), "Acme Co[31mffee");
        assert_eq!(neutral("two\nlines\there"), "two lines here");
        assert_eq!(neutral("Café Zoë 株式会社"), "Café Zoë 株式会社");
    }

    #[test]
    fn json_tells_all_and_shows_nothing_that_deceives() {
        let hostile = serde_json::json!({ "name": "Ac\u{202e}me\u{200b}\u{9b}31m\u{e0041}\"\n株" });
        let line = json_line(&hostile);
        assert!(line.chars().all(|letter| !is_treacherous(letter)), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), hostile);
        assert!(line.contains("株"), "what is merely foreign is left as it is");
    }

    #[test]
    fn a_wide_letter_is_never_cut_in_half() {
        assert_eq!(fit("株式会社", 5, "~"), "株式~");
        assert_eq!(width(&column("株式会社", 4, "~")), 4);
        assert_eq!(fit("anything", 0, "~"), "");
    }

    #[test]
    fn a_line_is_never_wider_than_it_may_be() {
        for columns in 1..20 {
            let lines = wrap("unpaid since 2026-09: 株式会社 Supercalifragilistic\u{200b}", columns);
            let widest = lines.iter().map(|line| width(line)).max();
            assert!(widest <= Some(columns.max(2)), "{columns}: {lines:?}");
        }
    }

    #[test]
    fn a_line_begins_with_a_word_and_not_with_the_stop_behind_one() {
        assert_eq!(wrap("neither revoked nor expired. Ask", 27), ["neither revoked nor ", "expired. Ask"]);
        let id = "evt_01m87ngxq5f7vvp9zwwd3zq64b";
        assert_eq!(wrap(&format!("{{\"eventId\":\"{id}\"}}"), 32)[1], format!("{id}\"}}"), "an id stays whole");
    }

    #[test]
    fn a_look_alike_is_spelled_out() {
        assert_eq!(spelled_out("Quinn's Coffee"), None);
        assert_eq!(spelled_out("\u{410}cme").as_deref(), Some("\\u{410}cme"));
    }
}
