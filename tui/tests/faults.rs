//! Faults of the connection, one after the other, under a console that stays open: it ends of none, and after each it
//! shows what a console shows that has just been started.
//!
//! A fault ends with the gateway whole again. The console finds its way back alone, except from 4401 and 4403: those say
//! that the key is not accepted, so it says so, keeps what it had, asks for nothing more, and goes on when `r` asks again.
//!
//! What is wrong about a view: that the first frame which calls itself live again differs from a fresh console's in
//! anything but the last change (which only a stream tells) and the footer. A new organization may come a frame later: it
//! is told by the stream that goes on behind the last event.
//!
//! In `cargo test` a run is short; `console-bench` does the long one. `BANYAN_SEED` repeats one.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tui::connection::Patience;
use tui::msg::Key;

use crate::console::settings;
use crate::gateway::{ACME, BEANHOUSE, QUINN, ZOE, organization};
use crate::seat::{Seat, patience, sit_down, sit_down_with};
use crate::served::{Apart, Flood, PATIENCE, Script, Served};

/// Faults of one run of `cargo test`.
#[cfg(test)]
const SHORT: u64 = 27;
/// More than the console keeps while it is not drawn.
const BURST: u64 = 3_000;
/// Children that come and go.
const GUESTS_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The connection is gone without a word.
    Kill,
    /// It is open at the console's end only.
    HalfOpen,
    /// The gateway ends the streams of a console that reads too slowly.
    SlowConsumer,
    /// More at once than the console takes.
    Burst,
    /// A restart of the gateway, of a proxy, and an overload, each refused a while when it is tried again.
    Close(u16),
    Unauthorized,
    Forbidden,
    /// The process is killed and started again on its port.
    Restart,
    /// The connection is killed, and the first question after it fails.
    KillAndFail,
}

const FAULTS: [Fault; 8] = [
    Fault::Kill,
    Fault::HalfOpen,
    Fault::SlowConsumer,
    Fault::Burst,
    Fault::Close(1001),
    Fault::Unauthorized,
    Fault::Forbidden,
    Fault::Restart,
];
/// One of so many fails the questions of the recovery as well, which are asked again only after five seconds.
const FAILING_EVERY: u64 = 27;

struct Run {
    served: Served,
    gateway: Apart,
    seat: Seat,
    random: SmallRng,
    guests: Vec<String>,
    made: usize,
}

impl Run {
    async fn begin(seed: u64) -> Self {
        let served = Served::new();
        let gateway = Apart::start(&served);
        let impatient = Patience { pong: Duration::from_millis(300), ..patience() };
        let mut seat = sit_down_with(impatient, gateway.address, settings());
        go_to_acme(&mut seat).await;
        served.subscribed(1).await;
        Self { served, gateway, seat, random: SmallRng::seed_from_u64(seed), guests: Vec::new(), made: 0 }
    }

    /// What happens while nobody can tell the console.
    fn change_world(&mut self) {
        let mut gateway = self.served.gateway.lock().unwrap();
        for _ in 0..self.random.random_range(1..4) {
            let id = [QUINN, ACME, BEANHOUSE, ZOE][self.random.random_range(0..4)];
            match self.random.random_range(0..5) {
                0 | 1 => gateway.charge(id, self.random.random_range(1..50), "invoice.submit"),
                2 => {
                    let suspended = &mut gateway.find_mut(id).suspended;
                    *suspended = suspended.is_none().then(|| format!("reason {}", self.random.random_range(0..99)));
                    gateway.event("organization.suspended", id);
                }
                3 if id != QUINN && id != ACME => {
                    gateway.find_mut(id).name = format!("Renamed {}", self.random.random_range(0..999));
                    gateway.event("organization.updated", id);
                }
                _ if self.guests.len() < GUESTS_MAX => {
                    self.made += 1;
                    let guest = format!("org_guest{}", self.made);
                    gateway.organizations.push(organization(&guest, &format!("Guest {}", self.made), Some(QUINN), 5));
                    gateway.event("organization.created", &guest);
                    self.guests.push(guest);
                }
                _ => {
                    let gone = self.guests.remove(0);
                    gateway.organizations.retain(|organization| organization.id != gone);
                }
            }
        }
    }

    async fn happen(&mut self, fault: Fault) {
        let streams = *self.served.subscribed.borrow();
        match fault {
            Fault::Kill => {
                self.refuse_meanwhile(Script::Drop).await;
            }
            Fault::Close(code) => {
                self.refuse_meanwhile(Script::Close(code)).await;
            }
            Fault::KillAndFail => {
                let fault = serde_json::json!({ "errors": [{ "message": "Slow down." }] });
                let operation = ["RowsQuery", "DetailQuery"][self.random.random_range(0..2)];
                self.served.gateway.lock().unwrap().instead.insert(operation.to_owned(), fault);
                self.refuse_meanwhile(Script::Drop).await;
            }
            Fault::HalfOpen => {
                self.served.play(Script::Silence);
                self.change_world();
            }
            Fault::SlowConsumer => {
                self.change_world();
                self.served.play(Script::SlowConsumer);
            }
            Fault::Burst => {
                let seed = self.random.random();
                let told = *self.served.flooded.borrow();
                self.served.play(Script::Flood(Flood { per_second: u32::MAX, count: BURST, seed }));
                let mut flooded = self.served.flooded.subscribe();
                // It may be too much for the connection, whose end is the end of the burst.
                tokio::select! {
                    all = flooded.wait_for(|count| *count >= told + BURST) => drop(all.unwrap()),
                    () = self.served.subscribed(streams + 1) => {}
                }
                return;
            }
            Fault::Unauthorized | Fault::Forbidden => {
                let code = if fault == Fault::Forbidden { 4403 } else { 4401 };
                self.served.play(Script::Close(code));
                let frame = self.seat.sees(&[&format!("REFUSED {code}"), "r asks again"]).await;
                assert!(frame.contains(ACME), "what was known stays:\n{frame}");
                self.change_world();
                assert_eq!(*self.served.subscribed.borrow(), streams, "{code} was not taken for an answer");
                self.seat.press(&[Key::Char('r')]);
            }
            Fault::Restart => {
                self.gateway.kill();
                self.seat.sees(&["STALE"]).await;
                self.change_world();
                self.gateway.start_again(&self.served);
            }
        }
        self.served.subscribed(streams + 1).await;
    }

    /// Nobody is let in again until the world has changed.
    async fn refuse_meanwhile(&mut self, script: Script) {
        *self.served.refuse.lock().unwrap() = Some(1013);
        self.served.play(script);
        self.seat.sees(&["STALE"]).await;
        self.change_world();
        *self.served.refuse.lock().unwrap() = None;
    }

    /// What a console shows that starts now.
    async fn fresh_view(&self) -> Vec<String> {
        let mut fresh = sit_down(self.gateway.address, settings());
        let frame = go_to_acme(&mut fresh).await;
        fresh.press(&[Key::Char('q')]);
        fresh.running.await.unwrap().unwrap();
        view(&frame)
    }
}

async fn go_to_acme(seat: &mut Seat) -> String {
    seat.sees(&[QUINN, "* live"]).await;
    seat.press(&[Key::Enter]);
    seat.sees(&["▾"]).await;
    seat.press(&[Key::Down]);
    seat.sees(&[ACME, "* live", "Keys  "]).await
}

/// A frame, side by side, without what differs rightly: the last change moves the lines below it.
pub fn view(frame: &str) -> Vec<String> {
    let lines: Vec<&str> = frame.lines().collect();
    let (_footer, shown) = lines.split_last().expect("a frame has lines");
    let (left, right): (Vec<_>, Vec<_>) = shown.iter().map(|line| line.split_once("││").unwrap_or((line, ""))).unzip();
    let right =
        right.into_iter().filter(|line| !line.contains("last change") && !line.trim_end_matches('│').trim().is_empty());
    left.into_iter().chain(right).map(|line| line.trim_end().to_owned()).collect()
}

/// The lines that differ, the console's before the fresh one's.
pub fn difference(view: &[String], fresh: &[String]) -> String {
    let lines = view.len().max(fresh.len());
    let pairs = (0..lines).map(|at| (view.get(at), fresh.get(at))).filter(|(a, b)| a != b);
    pairs.map(|(a, b)| format!("\n{}\n{}", a.map_or("", |line| line), b.map_or("", |line| line))).collect()
}

fn is_live(frame: &str) -> bool {
    frame.contains("* live")
}

/// Runs so many, and panics at the first that the console does not survive as it was. Answers how many there were of each.
pub async fn run(wanted: u64, seed: u64) -> BTreeMap<Fault, u64> {
    let mut run = Run::begin(seed).await;
    let mut done = BTreeMap::<Fault, u64>::new();
    for number in 0..wanted {
        let fault = match (number + 1).is_multiple_of(FAILING_EVERY) {
            true => Fault::KillAndFail,
            false => FAULTS[usize::try_from(number).unwrap() % FAULTS.len()],
        };
        let guests = run.guests.clone();
        run.seat.forget_frames();
        run.happen(fault).await;
        assert!(!run.seat.running.is_finished(), "seed {seed}: it ended of fault {number}, {fault:?}");
        let fresh = run.fresh_view().await;
        let equal = run.seat.frames.wait_for(|frame| is_live(frame) && view(frame) == fresh);
        if tokio::time::timeout(PATIENCE, equal).await.is_err() {
            let frame = run.seat.frames.borrow().clone();
            let difference = difference(&view(&frame), &fresh);
            panic!("seed {seed}, fault {number}, {fault:?}: wrong after recovery: {difference}\n{frame}");
        }
        // The same of the first that called itself live again, when nothing but the stream could tell it more.
        let frames = run.seat.forget_frames();
        let stale = frames.iter().rposition(|frame| frame.contains("STALE") || frame.contains("REFUSED"));
        let first = stale.and_then(|at| frames[at..].iter().find(|frame| is_live(frame)));
        if let Some(first) = first.filter(|_| run.guests == guests && fault != Fault::Burst) {
            let difference = difference(&view(first), &fresh);
            assert!(
                difference.is_empty(),
                "seed {seed}, fault {number}, {fault:?}: it called itself live too soon: {difference}"
            );
        }
        *done.entry(fault).or_default() += 1;
    }
    run.seat.press(&[Key::Char('q')]);
    assert!(run.seat.running.await.unwrap().is_ok());
    done
}

#[tokio::test]
async fn after_any_faults_of_the_connection_it_runs_and_shows_what_a_fresh_console_shows() {
    let number = |name: &str| std::env::var(name).ok().and_then(|count| count.parse().ok());
    let seed = number("BANYAN_SEED").unwrap_or_else(rand::random);
    println!("BANYAN_SEED={seed}");
    println!("{:?}", run(number("BANYAN_FAULTS").unwrap_or(SHORT), seed).await);
}
