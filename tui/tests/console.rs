//! A console without a terminal: keys in, frames out, the gateway at the other end of a function
//! call, and a clock that only moves when told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tui::act::Act;
use tui::effect::{Effect, SubscriptionId};
use tui::graphql::{Event, Failure, Follow, News, Outcome, Request, Topic, Wallet};
use tui::model::dialog::GUARD;
use tui::model::{Model, Settings};
use tui::msg::{Key, Live, Msg, Pasted};
use tui::record::Began;
use tui::update::update;
use tui::view;

use crate::gateway::Gateway;

const SEED: uuid::Uuid = uuid::Uuid::from_u128(7);

pub struct Console {
    pub model: Model,
    pub gateway: Gateway,
    pub now: Timestamp,
    /// Everything that was wanted and is not a question to the gateway.
    pub effects: Vec<Effect>,
    /// The open streams, each with the cursor it began behind.
    pub streams: Vec<(SubscriptionId, Follow, Option<String>)>,
    /// What the next acts come to instead of what the gateway says, though it did them.
    pub acts_lost: VecDeque<Failure>,
}

pub fn settings() -> Settings {
    Settings { gateway: "127.0.0.1:4000".to_owned(), has_key: true, ..Settings::default() }
}

/// A console on which everything has been loaded and is live.
pub fn console() -> Console {
    Console::with(settings(), Gateway::new())
}

impl Console {
    pub fn with(settings: Settings, gateway: Gateway) -> Self {
        let mut console = Self::disconnected(settings, gateway);
        console.tell(Msg::Start);
        console.tell(Msg::Live(Live::Ready));
        console.rest();
        console
    }

    pub fn disconnected(settings: Settings, gateway: Gateway) -> Self {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        Self {
            model: Model::new(settings, SEED, now),
            gateway,
            now,
            effects: Vec::new(),
            streams: Vec::new(),
            acts_lost: VecDeque::new(),
        }
    }

    /// Gives a message, answers every question it leads to, and says what else it led to.
    pub fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        let mut queue = VecDeque::from([msg]);
        let mut wanted = Vec::new();
        while let Some(msg) = queue.pop_front() {
            for effect in update(&mut self.model, msg, self.now) {
                match effect {
                    Effect::Ask { request, query } => {
                        let answer = self.exchange(&query.request());
                        queue.push_back(Msg::Answered { request, answer });
                    }
                    Effect::Act { request, ref act } => {
                        let outcome = self.act(&act.request);
                        queue.push_back(Msg::Settled { request, outcome });
                        wanted.push(effect);
                    }
                    Effect::Subscribe { subscription, ref follow, ref after } => {
                        self.streams.push((subscription, follow.clone(), after.clone()));
                        wanted.push(effect);
                    }
                    Effect::Unsubscribe { subscription } => {
                        self.streams.retain(|(id, _, _)| *id != subscription);
                        wanted.push(effect);
                    }
                    effect => wanted.push(effect),
                }
            }
        }
        self.effects.extend(wanted.iter().cloned());
        wanted
    }

    fn act(&mut self, request: &Request<Outcome>) -> Result<Outcome, Failure> {
        match self.acts_lost.pop_front() {
            Some(failure @ Failure::Unreachable(_)) => Err(failure),
            Some(failure) => {
                let _happened = self.exchange(request);
                Err(failure)
            }
            None => self.exchange(request),
        }
    }

    fn exchange<T>(&mut self, request: &Request<T>) -> Result<T, Failure> {
        let operation = request.body["operationName"].as_str().expect("operations are named");
        let answer = self.gateway.respond(operation, &request.body["variables"]);
        request.read(answer.to_string().as_bytes())
    }

    /// Lets time pass, deadline by deadline, as the shell would.
    pub fn wait(&mut self, duration: SignedDuration) {
        let until = self.now + duration;
        while let Some(deadline) = self.model.next_deadline().filter(|deadline| *deadline <= until) {
            assert!(deadline > self.now, "a deadline that has passed was kept: {deadline}");
            self.now = deadline;
            self.tell(Msg::Woke);
        }
        self.now = until;
    }

    /// Time enough for everything planned shortly, and for a question to be answered.
    pub fn rest(&mut self) {
        self.wait(SignedDuration::from_millis(700));
    }

    pub fn press(&mut self, keys: &[Key]) -> Vec<Effect> {
        keys.iter().flat_map(|key| self.tell(Msg::Key(*key))).collect()
    }

    pub fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.tell(Msg::Key(Key::Char(letter)));
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.tell(Msg::Paste(Pasted(text.to_owned())));
    }

    /// The newest stream of wallets, or of events.
    pub fn stream(&self, of_wallets: bool) -> &(SubscriptionId, Follow, Option<String>) {
        let matches = |follow: &Follow| match follow.topic {
            Topic::Wallets { .. } => of_wallets,
            Topic::Events => !of_wallets,
            Topic::List { .. } => false,
        };
        self.streams.iter().rfind(|(_, follow, _)| matches(follow)).expect("a stream")
    }

    pub fn wallet(&self, id: &str) -> Wallet {
        let payload = serde_json::json!({ "data": { "walletChanges": self.gateway.wallet(id) } });
        match self.stream(true).1.request(None).read(payload.to_string().as_bytes()) {
            Ok(News::Wallet(wallet)) => wallet,
            other => panic!("no wallet but {other:?}"),
        }
    }

    /// Tells what happened to an organization, as every stream of events that is about it would.
    pub fn happens(&mut self, kind: &str, id: &str) -> Vec<Effect> {
        let streams: Vec<_> = self.streams.iter().filter(|(_, follow, _)| hears(follow, kind)).cloned().collect();
        assert!(!streams.is_empty(), "a stream of {kind}");
        streams.into_iter().flat_map(|(subscription, follow, _)| self.tells(subscription, &follow, kind, id)).collect()
    }

    fn tells(&mut self, subscription: SubscriptionId, follow: &Follow, kind: &str, id: &str) -> Vec<Effect> {
        let payload = serde_json::json!({ "data": { "events": self.gateway.event(kind, id) } });
        let event: Event = match follow.request(None).read(payload.to_string().as_bytes()) {
            Ok(News::Event(event)) => event,
            other => panic!("no event but {other:?}"),
        };
        self.tell(Msg::Live(Live::Events { subscription, events: vec![event] }))
    }

    /// What a recording of this console begins with.
    pub fn began(&self) -> Began {
        let settings = self.model.settings.clone();
        Began { version: "test".to_owned(), at: self.model.now, seed: SEED, settings }
    }

    /// Draws, and answers whatever the new frame makes the console ask.
    pub fn look(&mut self, columns: u16, rows: u16) {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut measured = None;
        terminal.draw(|frame| measured = Some(view::draw(&self.model, frame))).unwrap();
        self.tell(Msg::Drawn(measured.unwrap()));
    }

    pub fn buffer(&mut self, columns: u16, rows: u16) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        // A second frame, as after a resize: the first one only then tells what fits.
        for _ in 0..2 {
            let mut measured = None;
            terminal.draw(|frame| measured = Some(view::draw(&self.model, frame))).unwrap();
            let effects = update(&mut self.model, Msg::Drawn(measured.unwrap()), self.now);
            assert!(effects.iter().all(|effect| *effect == Effect::Draw), "{effects:?}");
        }
        terminal.backend().buffer().clone()
    }

    pub fn screen(&mut self) -> String {
        crate::frame::letters(&self.buffer(120, 40))
    }

    pub fn chosen(&self) -> Option<&str> {
        self.model.tree.chosen().map(tui::graphql::OrganizationId::as_str)
    }

    /// Every act that was sent, in order.
    pub fn acts(&self) -> Vec<&Act> {
        let acts = self.effects.iter().map(|effect| match effect {
            Effect::Act { act, .. } => Some(act.as_ref()),
            _ => None,
        });
        acts.flatten().collect()
    }

    /// Marks the answer that acts, and takes it.
    pub fn say_yes(&mut self) -> Vec<Effect> {
        self.wait(GUARD);
        self.press(&[Key::Tab, Key::Enter])
    }

    /// What was last sent to the clipboard.
    pub fn copied(&self) -> Option<&str> {
        self.effects
            .iter()
            .rev()
            .find_map(|effect| if let Effect::Copy(copied) = effect { Some(copied.text()) } else { None })
    }
}

fn hears(follow: &Follow, kind: &str) -> bool {
    let area = kind.split('.').next().unwrap_or_default();
    match &follow.topic {
        Topic::Wallets { .. } => false,
        Topic::Events => matches!(area, "organization" | "api_key"),
        Topic::List { types } => types.iter().any(|wanted| wanted == "*" || *wanted == format!("{area}.*")),
    }
}

/// A file in memory, and a look at what is in it.
pub fn memory() -> (impl std::io::Write + Send + 'static, Arc<Mutex<Vec<u8>>>) {
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let memory = Memory::default();
    (memory.clone(), memory.0)
}
