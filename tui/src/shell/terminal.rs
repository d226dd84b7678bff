//! The real terminal: taken over at the start, given back however the console ends.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::sync::Once;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;

use super::Host;

/// A frame leaves in one write; a full one at 200x50 takes about a third of this.
const FRAME_BYTES: usize = 64 * 1024;

/// The exit code that Rust's own runtime gives a panic.
const PANICKED: i32 = 101;

pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Holds the terminal, and gives it back when dropped.
pub struct Taken;

/// Presses and the wheel, in cells of any number (xterm's modes 1000 and 1006). Not every motion, which crossterm's own
/// command asks for as well: it floods slow connections.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// Takes the terminal over. Bracketed paste is on, so that pasted text cannot pass for keys; unless it is asked for, the
/// mouse stays the terminal's own, so that text can be selected.
pub fn take(mouse: bool) -> io::Result<(Taken, Screen)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
            // In a task of its own a panic would leave a screen that looks alive and is not.
            std::process::exit(PANICKED);
        }));
    });
    let taken = Taken;
    enter(mouse)?;
    let writer = BufWriter::with_capacity(FRAME_BYTES, stdout());
    let screen = Terminal::new(CrosstermBackend::new(writer))?;
    Ok((taken, screen))
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse { execute!(stdout(), Print(MOUSE_ON)) } else { Ok(()) }
}

fn give_back() {
    // Each on its own: one that fails must not keep the others from being undone. There is nobody
    // left to tell.
    let _ = execute!(stdout(), Print(MOUSE_OFF));
    let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

pub struct TerminalHost {
    /// Whether the mouse was taken over, to take it again.
    pub mouse: bool,
}

impl Host for TerminalHost {
    fn begin_frame(&mut self) -> io::Result<()> {
        queue!(stdout(), BeginSynchronizedUpdate)
    }

    fn end_frame(&mut self, _frame: &Buffer) -> io::Result<()> {
        execute!(stdout(), EndSynchronizedUpdate)
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text))?;
        stdout().flush()
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Of itself only: the shell that started the console sees its job stopped. It goes on here.
        let stopped = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        enter(self.mouse)?;
        stopped.map_err(io::Error::from)
    }
}
