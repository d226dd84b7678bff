//! A session as a file: how it began, and every message since, one a line. It can be played again.
//!
//! A recording holds no secret: minted secrets and pasted text redact themselves when they are
//! serialized. It does hold names, reasons, amounts and what was typed, so it is written only where
//! `--record` says.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Model, Settings};
use crate::msg::Msg;
use crate::update::update;

/// A recording ends at this size rather than fill a disk.
pub const RECORDING_BYTES_MAX: u64 = 64 << 20;

/// The first line: all that a session's model begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Began {
    /// The console's version, for whoever wonders why it plays differently.
    pub version: String,
    pub at: Timestamp,
    pub seed: uuid::Uuid,
    pub settings: Settings,
}

/// Every further line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    pub at: Timestamp,
    pub msg: Msg,
}

/// Writes as it goes, so that a session that dies leaves what led to it.
#[derive(Default)]
pub struct Recorder {
    out: Option<Box<dyn Write + Send>>,
    written: u64,
}

impl Recorder {
    pub fn to(out: impl Write + Send + 'static, began: &Began) -> io::Result<Self> {
        let mut recorder = Self { out: Some(Box::new(out)), written: 0 };
        recorder.write(began)?;
        Ok(recorder)
    }

    pub fn record(&mut self, at: Timestamp, msg: &Msg) {
        if self.out.is_none() {
            return;
        }
        let recorded = Recorded { at, msg: msg.clone() };
        if self.written >= RECORDING_BYTES_MAX {
            tracing::warn!("the recording is as large as it may be and ends here");
            self.out = None;
        } else if let Err(error) = self.write(&recorded) {
            tracing::warn!(%error, "the recording ends here");
            self.out = None;
        }
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.written += text.len() as u64;
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RecordingProblem {
    #[error("the recording is empty")]
    Empty,
    #[error("line {line} of the recording is not one of this console's")]
    Line { line: usize, source: serde_json::Error },
}

/// A recording, read.
pub struct Recording {
    pub began: Began,
    pub messages: Vec<Recorded>,
}

impl Recording {
    /// Reads a recording. A last line that was cut off is left out.
    pub fn read(text: &str) -> Result<Self, RecordingProblem> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let parse_problem = |line, source| RecordingProblem::Line { line: line + 1, source };
        let (number, first) = lines.next().ok_or(RecordingProblem::Empty)?;
        let began = serde_json::from_str(first).map_err(|source| parse_problem(number, source))?;
        let mut messages = Vec::new();
        let mut lines = lines.peekable();
        while let Some((number, line)) = lines.next() {
            match serde_json::from_str(line) {
                Ok(recorded) => messages.push(recorded),
                Err(source) if source.is_eof() && lines.peek().is_none() => {}
                Err(source) => return Err(parse_problem(number, source)),
            }
        }
        Ok(Self { began, messages })
    }

    /// The model after the first `count` messages.
    pub fn model_after(&self, count: usize) -> Model {
        let mut model = Model::new(self.began.settings.clone(), self.began.seed, self.began.at);
        for Recorded { at, msg } in self.messages.iter().take(count) {
            // What it would do has been done.
            let _effects = update(&mut model, msg.clone(), *at);
        }
        model
    }
}
