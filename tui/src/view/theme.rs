//! Colours and signs. Nowhere else in the console is there a colour or a sign that ASCII lacks.
//!
//! Colour is never the only signal: a status has its own letter, a selection is reversed and has a
//! mark in the gutter. Only the sixteen colours every terminal has are used, and the background is
//! the terminal's own.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::{bar, border};

use crate::graphql::scalar::EffectiveStatus;
use crate::model::Settings;
use crate::resource::Tone;

#[derive(Clone, Copy, Debug)]
pub struct Theme {
    ascii: bool,
    mono: bool,
}

const ASCII_BORDER: border::Set = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const ASCII_BARS: bar::Set = bar::Set {
    full: "#",
    seven_eighths: "#",
    three_quarters: "+",
    five_eighths: "+",
    half: "=",
    three_eighths: "-",
    one_quarter: "-",
    one_eighth: "_",
    empty: " ",
};

impl Theme {
    pub fn of(settings: &Settings) -> Self {
        Self { ascii: settings.ascii, mono: settings.mono }
    }

    fn colour(self, colour: Color) -> Style {
        if self.mono { Style::new() } else { Style::new().fg(colour) }
    }

    pub fn plain(self) -> Style {
        Style::new()
    }

    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn heading(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub fn key(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub fn warning(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub fn border(self, focused: bool) -> Style {
        if focused { self.colour(Color::Cyan) } else { self.faint() }
    }

    pub fn border_set(self) -> border::Set<'static> {
        if self.ascii { ASCII_BORDER } else { border::ROUNDED }
    }

    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.plain(),
            Tone::Good => self.good(),
            Tone::Warning => self.warning(),
            Tone::Bad => self.bad(),
            Tone::Faint => self.faint(),
        }
    }

    /// The profile's own colour, on the band that says which one it is; production is never quiet.
    pub fn band(self, settings: &Settings) -> Style {
        let colour = settings.colour.as_deref().and_then(|name| name.parse::<Color>().ok());
        let colour = colour.filter(|colour| is_of_sixteen(*colour));
        match (colour, settings.production) {
            (Some(colour), _) => self.colour(colour).add_modifier(Modifier::BOLD | Modifier::REVERSED),
            (None, true) => self.bad().add_modifier(Modifier::REVERSED),
            (None, false) => self.heading(),
        }
    }

    pub fn status(self, status: &EffectiveStatus) -> (&'static str, Style) {
        match status {
            EffectiveStatus::Active => ("*", self.good()),
            EffectiveStatus::Suspended => ("!", self.warning()),
            EffectiveStatus::Archived => ("x", self.faint()),
            EffectiveStatus::Unknown(_) => ("?", self.plain()),
        }
    }

    fn sign(self, sign: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { sign }
    }

    /// In the gutter, before the selected line.
    pub fn mark(self) -> &'static str {
        self.sign("▌", ">")
    }

    pub fn open(self) -> &'static str {
        self.sign("▾", "-")
    }

    pub fn closed(self) -> &'static str {
        self.sign("▸", "+")
    }

    /// At the end of a text that was cut.
    pub fn cut(self) -> &'static str {
        self.sign("…", "~")
    }

    /// Before a record that is marked.
    pub fn marked(self) -> &'static str {
        self.sign("●", "*")
    }

    pub fn ascending(self) -> &'static str {
        self.sign("↑", "^")
    }

    pub fn descending(self) -> &'static str {
        self.sign("↓", "v")
    }

    pub fn crumb(self) -> &'static str {
        self.sign(" › ", " > ")
    }

    pub fn arrow(self) -> &'static str {
        self.sign("→", "->")
    }

    pub fn filled(self) -> &'static str {
        self.sign("█", "#")
    }

    pub fn unfilled(self) -> &'static str {
        self.sign("░", ".")
    }

    /// Bars of eight heights a line; in ASCII of fewer.
    pub fn bars(self) -> bar::Set<'static> {
        if self.ascii { ASCII_BARS } else { bar::NINE_LEVELS }
    }

    pub fn rule(self) -> &'static str {
        self.sign("─", "-")
    }
}

/// The colours every terminal has; an exact one may be unreadable on somebody's background.
fn is_of_sixteen(colour: Color) -> bool {
    !matches!(colour, Color::Rgb(..) | Color::Indexed(_))
}
