//! A running console on a real socket, seen from its user's chair: keys from a channel, frames from a test backend. Every
//! wait is for something to appear.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tokio::sync::{mpsc, watch};
use tui::connection::{Connection, Gateway as Address, MESSAGES_MAX, Patience};
use tui::graphql::Secret;
use tui::model::{Model, Settings};
use tui::msg::{Key, Msg};
use tui::record::Recorder;
use tui::shell::{Clock, Ended, Host, Shell};

use crate::gateway::ACME;
use crate::served::{KEY, PATIENCE};

/// High enough for all that there is to say about an organization.
const COLUMNS: u16 = 120;
const ROWS: u16 = 80;
/// The frames of which a test may want to know the order.
const FRAMES_MAX: usize = 10_000;

/// Where frames and copied text go.
struct Frames {
    newest: watch::Sender<String>,
    all: Arc<Mutex<Vec<String>>>,
    copied: Arc<Mutex<Vec<String>>>,
}

impl Host for Frames {
    fn begin_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_frame(&mut self, frame: &Buffer) -> io::Result<()> {
        let frame = crate::frame::letters(frame);
        let mut all = self.all.lock().unwrap();
        if all.len() < FRAMES_MAX {
            all.push(frame.clone());
        }
        drop(all);
        self.newest.send_replace(frame);
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A running console, seen from its user's chair.
pub struct Seat {
    pub keys: mpsc::UnboundedSender<Msg>,
    pub frames: watch::Receiver<String>,
    all: Arc<Mutex<Vec<String>>>,
    pub copied: Arc<Mutex<Vec<String>>>,
    pub running: tokio::task::JoinHandle<io::Result<Ended>>,
}

pub fn patience() -> Patience {
    Patience {
        ping_every: Duration::from_millis(50),
        retry_first: Duration::from_millis(10),
        retry_max: Duration::from_millis(50),
        ..Patience::default()
    }
}

pub fn sit_down(address: SocketAddr, settings: Settings) -> Seat {
    sit_down_with(patience(), address, settings)
}

pub fn sit_down_with(patience: Patience, address: SocketAddr, settings: Settings) -> Seat {
    let clock = Clock::starting_at("2026-11-20T10:00:00Z".parse().unwrap());
    let (sender, messages) = mpsc::channel(MESSAGES_MAX);
    let gateway = Address {
        url: format!("http://{address}/graphql").parse().unwrap(),
        key: Secret::new(KEY),
        read_only: settings.read_only,
        patience,
    };
    let connection = Connection::new(gateway, sender, clock.clone()).unwrap();
    let (frame_sender, frames) = watch::channel(String::new());
    let (all, copied) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
    let mut shell = Shell {
        model: Model::new(settings, uuid::Uuid::from_u128(7), clock.now()),
        terminal: Terminal::new(TestBackend::new(COLUMNS, ROWS)).unwrap(),
        host: Frames { newest: frame_sender, all: all.clone(), copied: copied.clone() },
        connection: Some(connection),
        clock,
        recorder: Recorder::default(),
        switch_to: None,
    };
    let (keys, pressed) = mpsc::unbounded_channel();
    let input =
        stream::unfold(pressed, |mut pressed| async move { pressed.recv().await.map(|msg| (Ok(msg), pressed)) });
    let running = tokio::spawn(async move { shell.run(input, messages).await });
    Seat { keys, frames, all, copied, running }
}

impl Seat {
    pub fn press(&self, keys: &[Key]) {
        for key in keys {
            self.keys.send(Msg::Key(*key)).unwrap();
        }
    }

    /// Every frame since this was asked last.
    pub fn forget_frames(&self) -> Vec<String> {
        std::mem::take(&mut *self.all.lock().unwrap())
    }

    /// Waits for a frame that says all of this, and gives it back.
    pub async fn sees(&mut self, words: &[&str]) -> String {
        let seen = {
            let says = |frame: &String| words.iter().all(|word| frame.contains(word));
            let wait = self.frames.wait_for(says);
            tokio::time::timeout(PATIENCE, wait).await.map(|frame| frame.unwrap().clone())
        };
        match seen {
            Ok(frame) => frame,
            Err(_) => panic!("never saw {words:?} but\n{}", *self.frames.borrow()),
        }
    }

    /// Presses again and again, because a dialog that has just opened takes no key. For keys that
    /// may be pressed twice.
    pub async fn presses_until(&mut self, keys: &[Key], word: &str) {
        let mut frames = self.frames.clone();
        let mut seen = std::pin::pin!(frames.wait_for(|frame| frame.contains(word)));
        let mut again = tokio::time::interval(Duration::from_millis(20));
        let pressed_and_seen = async {
            loop {
                tokio::select! {
                    frame = &mut seen => return drop(frame.unwrap()),
                    _ = again.tick() => self.press(keys),
                }
            }
        };
        tokio::time::timeout(PATIENCE, pressed_and_seen).await.expect("keys to be taken");
    }

    /// Waits for a frame that no longer says this.
    pub async fn sees_no(&mut self, word: &str) {
        let wait = self.frames.wait_for(|frame| !frame.contains(word));
        tokio::time::timeout(PATIENCE, wait).await.expect("it to go away").unwrap();
    }

    /// Opens the first root and goes to Acme.
    pub async fn goes_to_acme(&mut self) {
        self.sees(&["Quinn's Coffee CRM", "live"]).await;
        self.press(&[Key::Enter]);
        self.sees(&["Acme Coffee"]).await;
        self.press(&[Key::Down]);
        self.sees(&[ACME, "12,450"]).await;
    }
}
