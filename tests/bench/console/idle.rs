//! A console that nobody touches and that hears nothing.

use std::time::Duration;

use crate::desk::Desk;
use crate::process::Usage;
use crate::table::Table;

/// After which nothing that was begun is still under way.
const SETTLE: Duration = Duration::from_secs(3);
/// What a frame begins with: synchronized output.
const FRAME_BEGINS: &str = "\x1b[?2026h";

pub async fn measure(seconds: u64, table: &mut Table) {
    println!("idle for {seconds} s …");
    let desk = Desk::set_up(200, None).await;
    let console = desk.console(120, 40);
    console.sees(&["* live", "Load root"]);
    // Wallets and events of the tree, and what the open list hears: three streams.
    console.press("K");
    console.sees(&["of Load root", "* live"]);
    tokio::time::sleep(SETTLE).await;
    console.forget_written();
    let (begun, bytes) = (Usage::of(console.process_id()), console.seen().bytes);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let ended = Usage::of(console.process_id());
    let written = console.seen().bytes - bytes;
    let draws = console.written().matches(FRAME_BEGINS).count();
    let share = ended.cpu_share_since(&begun);
    console.sees(&["* live"]);
    table.add(
        format!("idle for {seconds} s with three quiet streams: draws, bytes to the terminal, CPU"),
        format!("{draws}, {written}, {share:.1} %"),
        "0, 0, 0.0 %",
        draws == 0 && written == 0 && share < 0.05,
    );
    drop(console);
    desk.gateway.stop().await;
}
