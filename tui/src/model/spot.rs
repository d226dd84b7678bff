//! What the last picture put where, for a mouse to point at.
//!
//! A row is remembered by what it showed, so that a click means what was seen, whatever has moved since.

use ratatui::layout::{Position, Rect};
use serde::{Deserialize, Serialize};

use super::tree::RowKey;
use crate::graphql::OrganizationId;

/// A part of the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    x: u16,
    y: u16,
    width: u16,
    height: u16,
    pub part: Part,
    /// What stood in its lines, from the first; lines of plain text have nothing to point at.
    lines: Vec<Pointed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Tree,
    Detail,
    List,
    Search,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pointed {
    Row(RowKey),
    Record(String),
    Result(OrganizationId),
}

impl Spot {
    pub fn new(part: Part, place: Rect, lines: Vec<Pointed>) -> Self {
        Self { x: place.x, y: place.y, width: place.width, height: place.height, part, lines }
    }

    pub fn has(&self, column: u16, row: u16) -> bool {
        let place = Rect { x: self.x, y: self.y, width: self.width, height: self.height };
        place.contains(Position { x: column, y: row })
    }

    /// What stood in a row of the screen.
    pub fn at(&self, row: u16) -> Option<&Pointed> {
        self.lines.get(usize::from(row.checked_sub(self.y)?))
    }
}
