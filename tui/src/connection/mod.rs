//! From effects to the gateway, and from the gateway to messages.
//!
//! Shape: `http` asks and acts, one request at a time, each with a deadline; `live` keeps the one
//! WebSocket. Both report into one bounded channel and hold nothing that a screen shows.
//!
//! Not here: what to do when something fails. That is `update`'s.

pub mod http;
pub mod live;
pub mod protocol;

use std::time::Duration;

use tokio::sync::mpsc;
use url::Url;

use crate::effect::Effect;
use crate::graphql::Secret;
use crate::msg::Msg;

/// Messages that may wait to be taken in. A full channel makes the senders wait.
pub const MESSAGES_MAX: usize = 256;
/// Commands to the live connection that may wait.
const COMMANDS_MAX: usize = 64;

#[derive(Clone, Debug)]
pub struct Gateway {
    pub url: Url,
    pub key: Secret,
    /// A second lock beside the model's: the HTTP side of a read-only console refuses to act.
    pub read_only: bool,
    pub patience: Patience,
}

/// How long everything that waits may wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub connect: Duration,
    pub answer: Duration,
    pub acknowledge: Duration,
    pub ping_every: Duration,
    pub pong: Duration,
    pub retry_first: Duration,
    pub retry_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(15),
            acknowledge: Duration::from_secs(5),
            ping_every: Duration::from_secs(10),
            pong: Duration::from_secs(5),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(5),
        }
    }
}

impl Patience {
    /// The wait before attempt `attempt + 1`: doubling, capped, and drawn from its upper half so
    /// that consoles which lost the same gateway do not come back in step.
    pub fn retry(&self, attempt: u32, draw: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        let full = self.retry_first.saturating_mul(1 << doublings).min(self.retry_max);
        full / 2 + (full / 2).mul_f64(draw.clamp(0.0, 1.0))
    }
}

pub struct Connection {
    gateway: Gateway,
    http: http::Http,
    live: Option<mpsc::Sender<live::Command>>,
    messages: mpsc::Sender<Msg>,
    clock: crate::shell::Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectionProblem {
    #[error("the HTTP client could not be set up")]
    Http(#[from] reqwest::Error),
    #[error("this key cannot be sent in a header")]
    Key(#[from] reqwest::header::InvalidHeaderValue),
}

impl Connection {
    pub fn new(
        gateway: Gateway,
        messages: mpsc::Sender<Msg>,
        clock: crate::shell::Clock,
    ) -> Result<Self, ConnectionProblem> {
        let http = http::Http::new(&gateway)?;
        Ok(Self { gateway, http, live: None, messages, clock })
    }

    /// Starts what an effect wants and returns at once; what comes of it arrives as a message.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Ask { request, query } => {
                let (http, messages) = (self.http.clone(), self.messages.clone());
                tokio::spawn(async move {
                    let answer = http.exchange(&query.request()).await;
                    // The console has ended when nobody takes the message.
                    let _ended = messages.send(Msg::Answered { request, answer }).await;
                });
            }
            Effect::Act { request, act } => {
                let (http, messages) = (self.http.clone(), self.messages.clone());
                tokio::spawn(async move {
                    let outcome = http.act(&act.request).await;
                    let _ended = messages.send(Msg::Settled { request, outcome }).await;
                });
            }
            Effect::Connect => {
                // One that was refused has ended by itself and may be tried again.
                if self.live.as_ref().is_none_or(mpsc::Sender::is_closed) {
                    let (sender, commands) = mpsc::channel(COMMANDS_MAX);
                    self.live = Some(sender);
                    let jitter = rand::random::<f64>;
                    let live = live::LiveConnection::new(
                        self.gateway.clone(),
                        self.messages.clone(),
                        self.clock.clone(),
                        jitter,
                    );
                    tokio::spawn(live.run(commands));
                } else {
                    self.tell_live(live::Command::Hurry);
                }
            }
            Effect::Subscribe { subscription, follow, after } => {
                self.tell_live(live::Command::Subscribe { subscription, follow, after });
            }
            Effect::Unsubscribe { subscription } => {
                self.tell_live(live::Command::Unsubscribe { subscription });
            }
            Effect::Draw | Effect::Copy(_) | Effect::Switch(_) | Effect::Suspend | Effect::Quit => {}
        }
    }

    fn tell_live(&self, command: live::Command) {
        if let Some(live) = &self.live
            && let Err(error) = live.try_send(command)
        {
            // A connection that does not take commands is stuck in a write and about to be given
            // up; the model subscribes again when the next one is ready.
            tracing::warn!(%error, "the live connection took no command");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_waits_longer_each_time_up_to_a_limit_and_never_in_step() {
        let patience = Patience::default();
        assert_eq!(patience.retry(1, 0.0), Duration::from_millis(250));
        assert_eq!(patience.retry(1, 1.0), Duration::from_millis(500));
        assert_eq!(patience.retry(3, 1.0), Duration::from_secs(2));
        assert_eq!(patience.retry(u32::MAX, 1.0), patience.retry_max);
    }
}
