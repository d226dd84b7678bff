//! News by the thousand a second: what it costs, what keys feel of it, and whether the screen is right in the end.

use std::time::{Duration, Instant};

use rand::RngExt;
use tests::terminal::{Seen, Terminal};

use crate::desk;
use crate::faults;
use crate::process::Usage;
use crate::served::{Apart, Flood, KEY, Script, Served};
use crate::table::{Table, Times, ms};

const COLUMNS: u16 = 200;
const ROWS: u16 = 50;
const CPU_BAR_PERCENT: f64 = 6.0;
const KEY_BAR: Duration = Duration::from_millis(5);
/// Between two keys.
const PAUSE_MS: std::ops::Range<u64> = 60..140;
/// After which the last answer is there.
const SETTLE: Duration = Duration::from_secs(3);
const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";
const MARK: &str = "▌";

/// Where the console is while it hears the news.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A branch of which every row changes.
    Tree,
    /// The list of the events themselves.
    Events,
}

pub fn measure(per_second: u32, seconds: u64, table: &mut Table) {
    for place in [Place::Tree, Place::Events] {
        tokio::task::block_in_place(|| flood(place, per_second, seconds, table));
    }
}

fn flood(place: Place, per_second: u32, seconds: u64, table: &mut Table) {
    println!("{per_second} news a second for {seconds} s, {place:?} …");
    let served = Served::new();
    let gateway = Apart::start(&served);
    let url = format!("http://{}/graphql", gateway.address);
    let console = sit_down(place, &url);
    let count = u64::from(per_second) * seconds;
    let told = served.flooded.subscribe();
    let begun = (Usage::of(console.process_id()), Instant::now(), console.seen().bytes);
    served.play(Script::Flood(Flood { per_second, count, seed: rand::random() }));
    let mut keys = Vec::new();
    let mut direction = [DOWN, UP].into_iter().cycle();
    while *told.borrow() < count {
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(PAUSE_MS)));
        // In the list of events the cursor follows the newest, and has no row to go to.
        if matches!(place, Place::Tree) {
            let from = marked_row(&console.seen()).expect("a row is marked");
            let pressed = Instant::now();
            console.press(direction.next().expect("it goes on"));
            let shown =
                console.wait_until("saw the cursor move", |seen| marked_row(seen).is_some_and(|row| row != from));
            keys.push(shown.saturating_duration_since(pressed));
        }
    }
    let (ended, took) = (Usage::of(console.process_id()), begun.1.elapsed());
    let share = ended.cpu_share_since(&begun.0);
    let bytes = (console.seen().bytes - begun.2) as f64 / took.as_secs_f64() / 1_024.0;
    println!("  {count} in {:.1} s, {bytes:.1} KiB/s to the terminal", took.as_secs_f64());
    std::thread::sleep(SETTLE);
    let place_words = format!("{per_second} news/s for {seconds} s, {place:?}").to_lowercase();
    table.add(
        format!("{place_words}: share of a core"),
        format!("{share:.1} %, {} MB", ended.memory_most_mb),
        format!("{CPU_BAR_PERCENT} %"),
        share <= CPU_BAR_PERCENT,
    );
    if matches!(place, Place::Events) {
        return;
    }
    let keys = Times::of(keys);
    table.add(
        format!("{place_words}: key to screen, {} of them: p50 / p99 / most", keys.count()),
        keys.p50_p99_most(),
        format!("p99 {}", ms(KEY_BAR)),
        keys.at(0.99) <= KEY_BAR,
    );
    // Back to where it began, and where a fresh one is.
    if !keys.count().is_multiple_of(2) {
        console.press(UP);
    }
    let fresh = sit_down(place, &url);
    std::thread::sleep(SETTLE);
    let (view, fresh) = (faults::view(&console.seen().text()), faults::view(&fresh.seen().text()));
    let difference = faults::difference(&view, &fresh);
    let equal = difference.is_empty();
    if !equal {
        println!("  what differs, and as it is: {difference}");
    }
    table.add(
        format!("{place_words}: final view equal to a fresh one"),
        if equal { "yes" } else { "no" },
        "yes",
        equal,
    );
}

/// A console on the branch with the most rows, or on the events of its organization.
fn sit_down(place: Place, url: &str) -> Terminal {
    let console = desk::console(url, KEY, COLUMNS, ROWS);
    console.sees(&["* live", "Wallet"]);
    console.press(DOWN);
    console.press("\r");
    console.sees(&["▾", "* live"]);
    if let Place::Events = place {
        console.press("E");
        console.sees(&["Events of"]);
    }
    console
}

/// The row of the tree that the cursor is on.
fn marked_row(seen: &Seen) -> Option<u16> {
    (0..ROWS).find(|row| seen.screen().cell(*row, 1).is_some_and(|cell| cell.contents() == MARK))
}
