//! A tree of a million organizations: how soon there is something to see, what it takes to go through it, and how long a
//! frame takes.

use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal as Drawn, TerminalOptions, Viewport};
use tokio::sync::{mpsc, watch};
use tui::connection::{Connection, Gateway as Address, MESSAGES_MAX, Patience};
use tui::graphql::Secret;
use tui::model::{Model, Settings};
use tui::msg::{Key, Msg};
use tui::record::Recorder;
use tui::shell::{Clock, Host, Shell};

use crate::desk::Desk;
use crate::process::Usage;
use crate::table::{Table, Times, ms};

const COLUMNS: u16 = 200;
const ROWS: u16 = 50;
const CONTENT_BAR: Duration = Duration::from_millis(150);
const MEMORY_BAR_MB: u64 = 40;
const FRAME_BAR: Duration = Duration::from_millis(2);
const STARTS: usize = 20;
/// Keys of the walk through list and tree.
const PAGES: usize = 400;
/// Between two keys of somebody who holds one down.
const PAUSE: Duration = Duration::from_millis(30);
const PAGE_DOWN: &str = "\x1b[6~";

pub async fn measure(organizations: u32, kept: Option<&Path>, short: bool, table: &mut Table) {
    println!("a tree of {organizations} organizations …");
    let begun = Instant::now();
    let desk = Desk::set_up(organizations, kept).await;
    println!("  it is there after {:.0} s", begun.elapsed().as_secs_f64());
    let (starts, pages) = if short { (2, 10) } else { (STARTS, PAGES) };

    let content: Vec<Duration> = (0..starts)
        .map(|_| {
            let begun = Instant::now();
            let console = desk.console(COLUMNS, ROWS);
            let shown = console.wait_until("saw the tree", |seen| seen.says(&["Load root"]));
            shown.saturating_duration_since(begun)
        })
        .collect();
    let content = Times::of(content);
    let of = format!("{organizations} organizations");
    table.add(
        format!("{of}: start of the program to first content, {starts} times: p50 / p99 / most"),
        content.p50_p99_most(),
        ms(CONTENT_BAR),
        content.at(0.99) <= CONTENT_BAR,
    );

    let console = desk.console(COLUMNS, ROWS);
    tokio::task::block_in_place(|| walk(&console, pages));
    let usage = Usage::of(console.process_id());
    table.add(
        format!("{of}: memory after {pages} pages of the list and {} branches of the tree: now / most", pages / 10),
        format!("{} / {} MB", usage.memory_mb, usage.memory_most_mb),
        format!("{MEMORY_BAR_MB} MB"),
        usage.memory_most_mb <= MEMORY_BAR_MB,
    );
    drop(console);

    let frames = frames(&desk, pages).await;
    table.add(
        format!("{of}: frame at {COLUMNS}x{ROWS}, {} of them: p50 / p99 / most", frames.count()),
        frames.p50_p99_most(),
        format!("p99 {}", ms(FRAME_BAR)),
        frames.at(0.99) <= FRAME_BAR,
    );
    desk.gateway.stop().await;
}

/// Through the list and into the tree, in a real terminal.
fn walk(console: &tests::terminal::Terminal, pages: usize) {
    console.sees(&["* live", "Load root"]);
    console.press("O");
    console.sees(&["Organization 00000"]);
    for _ in 0..pages {
        console.press(PAGE_DOWN);
        std::thread::sleep(PAUSE);
    }
    if pages > 100 {
        // Far from where it began: what was read first is forgotten by then.
        console.sees_no("Organization 00000");
    }
    console.press("T");
    console.sees(&["Load root", "* live"]);
    for _ in 0..pages / 10 {
        console.press("\r");
        console.press("\x1b[B");
        console.press("\x1b[B");
    }
    console.sees(&["* live"]);
}

/// The same in this process, each frame timed from before the drawing to after the last byte.
async fn frames(desk: &Desk, pages: usize) -> Times {
    let clock = Clock::starting_at("2026-11-20T10:00:00Z".parse().expect("an instant"));
    let (sender, messages) = mpsc::channel(MESSAGES_MAX);
    let gateway = Address {
        url: desk.url().parse().expect("an address"),
        key: Secret::new(&desk.key),
        read_only: true,
        patience: Patience::default(),
    };
    let connection = Connection::new(gateway, sender, clock.clone()).expect("a connection can be set up");
    let settings = Settings { gateway: "the benchmark's".to_owned(), has_key: true, ..Settings::default() };
    let nowhere = std::fs::File::options().write(true).open("/dev/null").expect("there is /dev/null");
    let viewport = Viewport::Fixed(Rect { x: 0, y: 0, width: COLUMNS, height: ROWS });
    let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, nowhere));
    let times = Arc::<Mutex<Vec<Duration>>>::default();
    let (newest, mut frames) = watch::channel(String::new());
    let mut shell = Shell {
        model: Model::new(settings, uuid::Uuid::from_u128(7), clock.now()),
        terminal: Drawn::with_options(backend, TerminalOptions { viewport }).expect("a terminal"),
        host: Stopwatch { begun: Instant::now(), times: Arc::clone(&times), newest },
        connection: Some(connection),
        clock,
        recorder: Recorder::default(),
        switch_to: None,
    };
    let (keys, pressed) = mpsc::unbounded_channel();
    let input = stream::unfold(pressed, |mut pressed: mpsc::UnboundedReceiver<Msg>| async move {
        pressed.recv().await.map(|msg| (Ok(msg), pressed))
    });
    let running = tokio::spawn(async move { shell.run(input, messages).await });
    let press = |key: Key| keys.send(Msg::Key(key)).expect("the console runs");
    let mut sees = async |word: &str| {
        let seen = frames.wait_for(|frame| frame.contains(word));
        tokio::time::timeout(Duration::from_secs(60), seen).await.expect("it is seen").expect("it runs");
    };
    sees("Load root").await;
    press(Key::Char('O'));
    sees("Organization 00000").await;
    for number in 0..pages * 5 {
        press(match number % 5 {
            0 => Key::PageDown,
            1 | 2 => Key::Down,
            3 => Key::Up,
            _ => Key::PageDown,
        });
        tokio::time::sleep(PAUSE / 4).await;
    }
    press(Key::Char('T'));
    sees("Load root").await;
    for number in 0..pages * 5 {
        press(match number % 5 {
            0 => Key::Enter,
            1..=3 => Key::Down,
            _ => Key::PageDown,
        });
        tokio::time::sleep(PAUSE / 4).await;
    }
    press(Key::Char('q'));
    running.await.expect("the console does not panic").expect("it ends well");
    let times = std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
    Times::of(times)
}

struct Stopwatch {
    begun: Instant,
    times: Arc<Mutex<Vec<Duration>>>,
    newest: watch::Sender<String>,
}

impl Host for Stopwatch {
    fn begin_frame(&mut self) -> io::Result<()> {
        self.begun = Instant::now();
        Ok(())
    }

    fn end_frame(&mut self, frame: &Buffer) -> io::Result<()> {
        let took = self.begun.elapsed();
        self.times.lock().unwrap_or_else(PoisonError::into_inner).push(took);
        self.newest.send_replace(crate::frame::letters(frame));
        Ok(())
    }

    fn copy(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}
