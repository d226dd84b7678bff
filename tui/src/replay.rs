//! `banyan-tui replay FILE`: a recorded session, step by step, without a gateway.

use std::io;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::{Backend, TestBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::model::Model;
use crate::msg::Msg;
use crate::record::{Recorded, Recording};
use crate::update::update;
use crate::{text, view};

/// Messages that a page key passes over.
const PAGE: usize = 25;

/// Where in a recording somebody is.
pub struct Player {
    recording: Recording,
    at: usize,
    model: Model,
}

impl Player {
    /// Begins at the end, where whatever went wrong is.
    pub fn new(recording: Recording) -> Self {
        let at = recording.messages.len();
        let model = recording.model_after(at);
        Self { recording, at, model }
    }

    pub fn go_to(&mut self, at: usize) {
        let at = at.min(self.recording.messages.len());
        if at < self.at {
            self.model = self.recording.model_after(at);
        } else {
            for Recorded { at, msg } in &self.recording.messages[self.at..at] {
                let _effects = update(&mut self.model, msg.clone(), *at);
            }
        }
        self.at = at;
    }

    pub fn len(&self) -> usize {
        self.recording.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.recording.messages.is_empty()
    }

    /// What happened last, on a line.
    pub fn caption(&self) -> String {
        let last = self.at.checked_sub(1).and_then(|at| self.recording.messages.get(at));
        let what = last.map_or_else(String::new, |recorded| {
            format!("{}  {}", recorded.at.strftime("%H:%M:%S%.3f"), name_of(&recorded.msg))
        });
        format!(" replay {} of {}  {what}", self.at, self.len())
    }

    /// The frame as text, for where there is no terminal.
    pub fn print(&self, columns: u16, rows: u16) -> Result<String, io::Error> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).map_err(io::Error::other)?;
        let drawn = terminal.draw(|frame| {
            view::draw(&self.model, frame);
        });
        drawn.map_err(io::Error::other)?;
        Ok(letters(terminal.backend().buffer()))
    }

    fn draw<B: Backend>(&self, terminal: &mut Terminal<B>) -> io::Result<()>
    where
        B::Error: Send + Sync + 'static,
    {
        let drawn = terminal.draw(|frame| {
            view::draw(&self.model, frame);
            let area = frame.area();
            let last = Rect { y: area.bottom().saturating_sub(1), height: 1.min(area.height), ..area };
            let keys = "left right pgup pgdn home end q";
            let caption = text::column(&self.caption(), usize::from(area.width).saturating_sub(keys.len() + 1), "~");
            let style = Style::new().add_modifier(Modifier::REVERSED);
            frame.render_widget(Line::styled(format!("{caption}{keys} "), style), last);
        });
        drawn.map(drop).map_err(io::Error::other)
    }

    /// Plays in the terminal until somebody leaves.
    pub fn play<B: Backend>(&mut self, terminal: &mut Terminal<B>) -> io::Result<()>
    where
        B::Error: Send + Sync + 'static,
    {
        loop {
            self.draw(terminal)?;
            let Event::Key(key) = event::read()? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Char('c') if control => return Ok(()),
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Right | KeyCode::Char('l' | ' ') => self.go_to(self.at + 1),
                KeyCode::Left | KeyCode::Char('h') => self.go_to(self.at.saturating_sub(1)),
                KeyCode::PageDown => self.go_to(self.at + PAGE),
                KeyCode::PageUp => self.go_to(self.at.saturating_sub(PAGE)),
                KeyCode::Home | KeyCode::Char('g') => self.go_to(0),
                KeyCode::End | KeyCode::Char('G') => self.go_to(usize::MAX),
                _ => {}
            }
        }
    }
}

/// A message by its kind; what is in it may be long, and is in the picture.
fn name_of(msg: &Msg) -> String {
    match msg {
        Msg::Key(key) => format!("key {key}"),
        Msg::Live(live) => {
            let debug = format!("{live:?}");
            let end = debug.find([' ', '(', '{']).unwrap_or(debug.len());
            format!("live {}", debug[..end].to_lowercase())
        }
        Msg::Answered { answer, .. } => if answer.is_ok() { "answer" } else { "no answer" }.to_owned(),
        Msg::Settled { outcome, .. } => if outcome.is_ok() { "act decided" } else { "act not answered" }.to_owned(),
        Msg::Start => "start".to_owned(),
        Msg::Paste(_) => "paste".to_owned(),
        Msg::Mouse(_) => "mouse".to_owned(),
        Msg::Resized => "resized".to_owned(),
        Msg::Woke => "time passed".to_owned(),
        Msg::Drawn(_) => "drawn".to_owned(),
        Msg::Terminate => "asked to end".to_owned(),
        Msg::Suspend => "asked to stop".to_owned(),
    }
}

fn letters(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
