//! The last messages, kept so that what led to a fault can be looked at and replayed.
//!
//! A recording holds no secret: minted secrets and pasted text redact themselves when they are
//! serialized. It does hold names, reasons and amounts, so it is written only where `--record`
//! says.

use std::collections::VecDeque;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::msg::Msg;

/// Messages that are kept; older ones are forgotten.
pub const RECORDED_MAX: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
pub struct Recorded {
    pub at: Timestamp,
    pub msg: Msg,
}

#[derive(Debug, Default)]
pub struct Recorder {
    lines: VecDeque<String>,
}

impl Recorder {
    pub fn record(&mut self, at: Timestamp, msg: &Msg) {
        // As text at once: what is in memory then is what would be in the file, without secrets.
        let line = serde_json::to_string(&Recorded { at, msg: msg.clone() });
        if let Ok(line) = line {
            if self.lines.len() >= RECORDED_MAX {
                self.lines.pop_front();
            }
            self.lines.push_back(line);
        }
    }

    /// One message a line, oldest first.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}
