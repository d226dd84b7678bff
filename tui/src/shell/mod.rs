//! The one place that waits: for keys, for the gateway, for deadlines.
//!
//! Shape: whatever happens becomes a message, the message goes through `update`, and its effects
//! are carried out. Nothing is drawn on a clock: a frame goes out when an effect asks for one, at
//! once after a key, and gathered over [`GATHER`] after news from the gateway.
//!
//! Not here: any decision.

mod clock;
pub mod keys;
pub mod terminal;

pub use clock::Clock;

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::effect::Effect;
use crate::model::Model;
use crate::msg::Msg;
use crate::record::Recorder;
use crate::update::update;
use crate::view;

/// News that arrives within this time shares a frame.
const GATHER: Duration = Duration::from_millis(16);
/// Frames of news are so far apart: nobody reads figures that change more often. A key has its frame at once.
const FRAMES_APART: Duration = Duration::from_millis(60);
/// Messages taken in at once before a key gets its turn again.
const BATCH_MAX: usize = 64;

/// The terminal as far as the shell needs more than a picture of it.
pub trait Host {
    /// Before and after a frame, so that a terminal which can shows it whole.
    fn begin_frame(&mut self) -> io::Result<()>;
    fn end_frame(&mut self, frame: &Buffer) -> io::Result<()>;
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Gives the terminal back, stops the process, and takes the terminal again when it goes on.
    fn suspend(&mut self) -> io::Result<()>;
}

/// Why the shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Quit,
    /// For another profile.
    Switch(String),
}

pub struct Shell<B: Backend, H> {
    pub model: Model,
    pub terminal: Terminal<B>,
    pub host: H,
    /// Absent when there is no key to connect with.
    pub connection: Option<Connection>,
    pub clock: Clock,
    pub recorder: Recorder,
    /// The profile to go on with, once one was asked for.
    pub switch_to: Option<String>,
}

impl<B, H> Shell<B, H>
where
    B: Backend,
    H: Host,
    B::Error: Send + Sync + 'static,
{
    /// Runs until an effect says to quit, or the input ends.
    pub async fn run(
        &mut self,
        input: impl Stream<Item = io::Result<Msg>>,
        mut messages: mpsc::Receiver<Msg>,
    ) -> io::Result<Ended> {
        let mut input = pin!(input);
        let mut drawn_at = Instant::now();
        let mut draw_at = match self.take(Msg::Start) {
            Next::Quit => return Ok(self.ended()),
            Next::Draw | Next::Nothing | Next::Suspend => Some(Instant::now()),
        };
        loop {
            if draw_at.is_some_and(|at| at <= Instant::now()) {
                draw_at = None;
                drawn_at = Instant::now();
                // What fits on the new frame may scroll the list, which takes one more frame.
                if let Next::Draw = self.draw()? {
                    self.draw()?;
                }
            }
            let deadline = self.model.next_deadline().map(|at| self.clock.instant_of(at));
            let wake_at = [deadline, draw_at].into_iter().flatten().min();
            let wake = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let next = tokio::select! {
                biased;
                msg = input.next() => match msg {
                    None => return Ok(self.ended()),
                    Some(msg) => {
                        let next = self.take(msg?);
                        if let Next::Draw = next {
                            draw_at = Some(Instant::now());
                        }
                        next
                    }
                },
                msg = messages.recv() => match msg {
                    None => return Ok(self.ended()),
                    Some(msg) => self.take_batch(msg, &mut messages),
                },
                () = wake => match deadline.is_some_and(|at| at <= Instant::now()) {
                    true => self.take(Msg::Woke),
                    false => Next::Nothing,
                },
            };
            match next {
                Next::Quit => return Ok(self.ended()),
                Next::Suspend => {
                    self.host.suspend()?;
                    // What stood on the screen is gone, and its size may be another. `Terminal::clear` would ask the
                    // terminal where its cursor is, and the answer would come among the keys.
                    self.terminal.backend_mut().clear().map_err(io::Error::other)?;
                    self.terminal.swap_buffers();
                    self.take(Msg::Resized);
                    draw_at = Some(Instant::now());
                }
                Next::Draw => {
                    draw_at.get_or_insert((Instant::now() + GATHER).max(drawn_at + FRAMES_APART));
                }
                Next::Nothing => {}
            }
        }
    }

    fn ended(&mut self) -> Ended {
        self.switch_to.take().map_or(Ended::Quit, Ended::Switch)
    }

    fn take_batch(&mut self, first: Msg, messages: &mut mpsc::Receiver<Msg>) -> Next {
        let mut next = self.take(first);
        for _ in 1..BATCH_MAX {
            let Ok(msg) = messages.try_recv() else { break };
            next = next.and(self.take(msg));
        }
        next
    }

    fn take(&mut self, msg: Msg) -> Next {
        let now = self.clock.now();
        self.recorder.record(now, &msg);
        let mut next = Next::Nothing;
        for effect in update(&mut self.model, msg, now) {
            match effect {
                Effect::Draw => next = next.and(Next::Draw),
                Effect::Quit => next = Next::Quit,
                Effect::Suspend => next = next.and(Next::Suspend),
                Effect::Switch(profile) => {
                    self.switch_to = Some(profile);
                    next = Next::Quit;
                }
                Effect::Copy(copied) => {
                    if let Err(error) = self.host.copy(copied.text()) {
                        tracing::warn!(%error, "the terminal took nothing for its clipboard");
                    }
                }
                effect => {
                    if let Some(connection) = &mut self.connection {
                        connection.perform(effect);
                    }
                }
            }
        }
        next
    }

    fn draw(&mut self) -> io::Result<Next> {
        self.host.begin_frame()?;
        let model = &self.model;
        let mut measured = None;
        let drawn = self.terminal.draw(|frame| measured = Some(view::draw(model, frame)));
        let frame = drawn.map_err(io::Error::other)?;
        self.host.end_frame(frame.buffer)?;
        Ok(match measured {
            Some(measured) if measured != self.model.measured => self.take(Msg::Drawn(measured)),
            _ => Next::Nothing,
        })
    }
}

/// What is to be done after messages were taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Nothing,
    Draw,
    Suspend,
    Quit,
}

impl Next {
    fn and(self, other: Self) -> Self {
        self.max(other)
    }
}
