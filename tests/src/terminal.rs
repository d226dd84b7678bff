//! A program in a pseudo-terminal, and the screen that its user sees.
//!
//! One thread reads what the program writes into a parsed screen, another waits for the program itself; whoever waits is
//! woken by either. Nothing sleeps, and every wait has a deadline.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::Pty;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::termios::{LocalModes, tcgetattr};

/// The longest a test waits for what it expects to see.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of what the program wrote, so much is kept as bytes: more than any test writes.
const WRITTEN_BYTES_MAX: usize = 1 << 20;

pub struct Terminal {
    pty: Arc<Pty>,
    process: Pid,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the terminal has been told, and what became of the program.
pub struct Seen {
    parser: vt100::Parser,
    written: Vec<u8>,
    /// Bytes since the beginning.
    pub bytes: u64,
    /// When the last of them were read.
    pub read_at: Instant,
    pub life: Life,
    /// Nobody writes to the terminal any more, and all that was written has been read.
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Running,
    Stopped,
    /// With this exit status, or none when a signal ended it.
    Ended(Option<i32>),
}

impl Seen {
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    pub fn says(&self, words: &[&str]) -> bool {
        let text = self.text();
        words.iter().all(|word| text.contains(word))
    }
}

impl Terminal {
    /// Starts a program with a terminal of its own.
    #[expect(clippy::zombie_processes, reason = "a thread waits for it, to see it stop as well as end")]
    pub fn open(command: Command, columns: u16, rows: u16) -> Self {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal is there");
        pty.resize(Size::new(rows, columns)).expect("a pseudo-terminal has a size");
        let child = pty_process::blocking::Command::from(command)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .env_remove("COLORTERM")
            .spawn(pts)
            .expect("the program starts");
        let process = Pid::from_child(&child);
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                parser: parser(columns, rows),
                written: Vec::new(),
                bytes: 0,
                read_at: Instant::now(),
                life: Life::Running,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let pty = Arc::new(pty);
        let reader = {
            let (pty, shared) = (Arc::clone(&pty), Arc::clone(&shared));
            std::thread::spawn(move || shared.read(&pty))
        };
        let waiter = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.watch(process))
        };
        Self { pty, process, shared, threads: vec![reader, waiter] }
    }

    pub fn process_id(&self) -> u32 {
        self.process.as_raw_nonzero().get().cast_unsigned()
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.lock()
    }

    /// Keys, as a terminal sends them.
    pub fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("the program's terminal takes keys");
    }

    /// Text from the clipboard, marked as such when the program asked for it.
    pub fn paste(&self, text: &str) {
        match self.seen().screen().bracketed_paste() {
            true => self.press(&format!("\x1b[200~{text}\x1b[201~")),
            false => self.press(text),
        }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        // First the screen, so that the frame of the new size meets one of that size.
        self.seen().parser.set_size(cells(rows), cells(columns));
        self.pty.resize(Size::new(rows, columns)).expect("a pseudo-terminal has a size");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process, signal).expect("the program is there to be told");
    }

    /// Waits until this is so, and says when the bytes that made it so were read.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) -> Instant {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen();
        while !is_so(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("never {what} but {:?}:\n{}", seen.life, framed(&seen));
            }
            seen = self.shared.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        seen.read_at
    }

    /// Waits for all of these words to stand on the screen at once, and gives the screen back.
    pub fn sees(&self, words: &[&str]) -> String {
        self.wait_until(&format!("saw {words:?}"), |seen| seen.says(words));
        self.seen().text()
    }

    /// Waits for a word to be gone.
    pub fn sees_no(&self, word: &str) {
        self.wait_until(&format!("without {word:?}"), |seen| !seen.text().contains(word));
    }

    /// Waits for the program to end, and for its last words.
    pub fn ends(&self) -> Option<i32> {
        self.wait_until("ended", |seen| matches!(seen.life, Life::Ended(_)) && seen.closed);
        match self.seen().life {
            Life::Ended(status) => status,
            Life::Running | Life::Stopped => None,
        }
    }

    /// True when keys are echoed and gathered into lines, as a shell wants them.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&*self.pty).expect("a terminal has modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The last that was written, as it came.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen().written).into_owned()
    }

    /// Forgets what was written before.
    pub fn forget_written(&self) {
        self.seen().written.clear();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !matches!(self.seen().life, Life::Ended(_)) {
            // Ended in between, perhaps.
            let _ = kill_process(self.process, Signal::KILL);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut pty: &Pty) {
        let mut bytes = [0; 1 << 16];
        // When the last program lets go of the terminal, reading fails.
        while let Ok(count @ 1..) = pty.read(&mut bytes) {
            let read_at = Instant::now();
            let mut seen = self.lock();
            seen.parser.process(&bytes[..count]);
            seen.bytes += count as u64;
            seen.read_at = read_at;
            let over = (seen.written.len() + count).saturating_sub(WRITTEN_BYTES_MAX).min(seen.written.len());
            seen.written.drain(..over);
            seen.written.extend_from_slice(&bytes[..count]);
            self.changed.notify_all();
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn watch(&self, process: Pid) {
        while let Ok(Some((_, status))) = waitpid(Some(process), WaitOptions::UNTRACED | WaitOptions::CONTINUED) {
            let life = match status {
                status if status.stopped() => Life::Stopped,
                status if status.continued() => Life::Running,
                status => Life::Ended(status.exit_status()),
            };
            self.lock().life = life;
            self.changed.notify_all();
            if matches!(life, Life::Ended(_)) {
                return;
            }
        }
    }
}

fn parser(columns: u16, rows: u16) -> vt100::Parser {
    vt100::Parser::new(cells(rows), cells(columns), 0)
}

fn cells(count: u16) -> NonZeroU16 {
    count.try_into().expect("a screen has cells")
}

/// The screen as a failure shows it.
fn framed(seen: &Seen) -> String {
    let (_, columns) = seen.screen().size();
    let mut text = String::new();
    for row in seen.screen().rows(0, columns.get()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "|{row}");
    }
    text
}
