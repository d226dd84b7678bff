//! One cut and the requests that race it, on every gateway.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::sync::watch;

use crate::ask::{Connection, Operator, Verdict, charge, who_am_i};
use crate::gateway::Gateway;

/// Connections to each gateway.
const CONNECTIONS: usize = 8;
/// Connections to the stopped gateway that ask for the first time between the answer and its waking up.
const LATE: usize = 4;
/// What the stopped gateway is given to find in its sockets when it wakes.
const BEFORE_WAKING: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_secs(60);

/// What ends the key that is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    RevokeKey,
    SuspendAbove,
    Archive,
}

pub const CUTS: [Cut; 3] = [Cut::RevokeKey, Cut::SuspendAbove, Cut::Archive];

impl Cut {
    pub const fn field(self) -> &'static str {
        match self {
            Self::RevokeKey => "apiKeyRevoke",
            Self::SuspendAbove => "organizationSuspend",
            Self::Archive => "organizationArchive",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: usize,
    /// Sent before the cut was answered.
    pub accepted_before: usize,
    /// Sent after the cut was answered.
    pub refused_after: usize,
    pub unknown_after: usize,
    /// Whenever it was sent.
    pub failed: usize,
    pub accepted_after: usize,
    /// Sent to the stopped gateway while it was, after the cut was answered.
    pub while_stopped: usize,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.accepted_before += other.accepted_before;
        self.refused_after += other.refused_after;
        self.unknown_after += other.unknown_after;
        self.failed += other.failed;
        self.accepted_after += other.accepted_after;
        self.while_stopped += other.while_stopped;
    }
}

pub struct Round {
    pub cut: Cut,
    /// Whether every other request moves a credit.
    pub charges: bool,
    /// The gateway that is stopped while the cut is made, and the one that makes it.
    pub stopped: usize,
    pub by: usize,
    /// Requests of each connection after the cut.
    pub after: usize,
}

/// What one connection saw: when each request was sent, and what became of it.
type Seen = Vec<(Instant, Verdict)>;

struct Race {
    authorization: String,
    charges: bool,
    after: usize,
    /// When the answer of the cut had arrived.
    answered: OnceLock<Instant>,
    accepted_once: AtomicUsize,
}

impl Race {
    async fn run(self: Arc<Self>, address: SocketAddr, start: Option<watch::Receiver<bool>>) -> Seen {
        let mut connection = Connection::open(address).await;
        let is_late = start.is_some();
        if let Some(mut start) = start {
            start.wait_for(|begun| *begun).await.expect("the race begins");
        }
        let mut seen = Seen::new();
        let mut left = self.after;
        while left > 0 {
            let body = if self.charges && seen.len() % 2 == 1 { charge() } else { who_am_i() };
            let sent = Instant::now();
            let verdict = connection.ask(&self.authorization, body).await;
            if seen.is_empty() && !is_late {
                assert_eq!(verdict, Verdict::Accepted, "the key is good before the cut");
                self.accepted_once.fetch_add(1, Ordering::Relaxed);
            }
            seen.push((sent, verdict));
            if self.answered.get().is_some_and(|answered| sent > *answered) {
                left -= 1;
            }
        }
        seen
    }
}

/// Makes something to cut off, races, and answers what came of it and how long the cut took.
pub async fn run(gateways: &[Gateway], operator: &str, root: &str, number: usize, round: &Round) -> (Tally, Duration) {
    let mut hand = Operator::at(gateways[round.by].address, operator).await;
    let above = hand.create(json!({ "name": format!("Above {number}"), "parentId": root })).await;
    let organization = hand.create(json!({ "name": format!("Victim {number}"), "parentId": above })).await;
    let (key, secret) = hand.mint(&organization).await;
    let race = Arc::new(Race {
        authorization: format!("Bearer {secret}"),
        charges: round.charges,
        after: round.after,
        answered: OnceLock::new(),
        accepted_once: AtomicUsize::new(0),
    });
    let (begin, late) = watch::channel(false);
    let mut racers = Vec::new();
    for gateway in gateways {
        racers.extend((0..CONNECTIONS).map(|_| tokio::spawn(Arc::clone(&race).run(gateway.address, None))));
    }
    let stopped = &gateways[round.stopped];
    let late: Vec<_> =
        (0..LATE).map(|_| tokio::spawn(Arc::clone(&race).run(stopped.address, Some(late.clone())))).collect();
    let all_run = async {
        while race.accepted_once.load(Ordering::Relaxed) < gateways.len() * CONNECTIONS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(DEADLINE, all_run).await.expect("every connection is accepted before the cut");
    signal(stopped, Signal::STOP);
    let input = match round.cut {
        Cut::RevokeKey => json!({ "apiKeyId": key }),
        Cut::SuspendAbove => json!({ "organizationId": above }),
        Cut::Archive => json!({ "organizationId": organization }),
    };
    let asked = Instant::now();
    hand.run(round.cut.field(), input, "__typename").await;
    let answered = Instant::now();
    race.answered.set(answered).expect("there is one cut");
    begin.send(true).expect("the late ones wait");
    tokio::time::sleep(BEFORE_WAKING).await;
    let woken = Instant::now();
    signal(stopped, Signal::CONT);
    let mut tally = Tally::default();
    for racer in racers {
        let seen = racer.await.expect("a connection does its work");
        tally.add(&count(&seen, answered, None));
    }
    for racer in late {
        let seen = racer.await.expect("a connection does its work");
        tally.add(&count(&seen, answered, Some(woken)));
    }
    (tally, answered - asked)
}

/// Judged when all is over: what a connection thought at the time may have been too early.
fn count(seen: &Seen, answered: Instant, woken: Option<Instant>) -> Tally {
    let mut tally = Tally { requests: seen.len(), ..Tally::default() };
    for (sent, verdict) in seen {
        tally.failed += usize::from(*verdict == Verdict::Failed);
        if *sent <= answered {
            tally.accepted_before += usize::from(*verdict == Verdict::Accepted);
            continue;
        }
        tally.while_stopped += usize::from(woken.is_some_and(|woken| *sent < woken));
        match verdict {
            Verdict::Accepted => tally.accepted_after += 1,
            Verdict::Refused => tally.refused_after += 1,
            Verdict::Unknown => tally.unknown_after += 1,
            Verdict::Failed => {}
        }
    }
    tally
}

fn signal(gateway: &Gateway, signal: Signal) {
    let id = i32::try_from(gateway.process_id()).ok().and_then(Pid::from_raw).expect("a process has an id");
    kill_process(id, signal).expect("the gateway runs");
}
