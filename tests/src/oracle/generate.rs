//! Random commands for a world as it stands. Most can succeed; amounts like to be at the edge of what is allowed.

use entity::kind::{BillingMode, BucketOrigin, Delegation, Environment, FundingMode, Relation};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::oracle::command::{Act, Actor, Change, Command, Cost, Funding, Grant, Limits, Serial, Spend};
use crate::oracle::rules::{MOST, Oracle};

/// Offsets, half hours, summer time on either half of the year, and the ends of the world.
pub const ZONES: [&str; 8] = [
    "UTC",
    "America/Los_Angeles",
    "Africa/Lagos",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "Europe/Berlin",
];
/// Spans that meet each other: holds and buckets end exactly when the clock stops.
pub const SPANS: [i64; 7] = [1, 60, 900, 3_600, 86_400, 604_800, 2_592_000];
const METERS: [&str; 3] = ["call", "invoice.submit", "dear"];
/// Fields of one document.
const GROUP_MAX: usize = 6;
/// Requests under way at once: all their orders are tried.
const RACE_MAX: usize = 4;
/// Charges of one batch: all ways to cut it are tried.
const BATCH_MAX: usize = 6;
/// Levels of a world's tree.
const DEPTH_MAX: usize = 6;

/// How the next commands are sent.
pub enum Kind {
    /// As fields of one document, one after the other.
    Group,
    Race,
    Batch,
}

/// Where a world's commands come from.
pub struct Generator {
    random: StdRng,
    next: Serial,
    sent: Vec<Command>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), next: 0, sent: Vec::new() }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.random).expect("something to choose from").clone()
    }

    fn maybe<T>(&mut self, percent: u32, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(percent) { Some(value(self)) } else { None }
    }

    fn command(&mut self, actor: Actor, act: Act) -> Command {
        self.next += 1;
        Command { serial: self.next, actor, act, repeats: None }
    }

    /// The commands that make a world: one document each.
    pub fn beginning(&mut self) -> Vec<Command> {
        let root = self.create(None);
        let root = self.command(Actor::Operator, root);
        let mut organizations = vec![root.serial];
        let mut parents = vec![(root.serial, 1)];
        let mut commands = vec![root];
        for _ in 0..self.random.random_range(2..8) {
            let (parent, depth) = self.one(&parents);
            let act = self.create(Some(parent));
            let child = self.command(Actor::Operator, act);
            organizations.push(child.serial);
            if depth + 1 < DEPTH_MAX {
                // Chains show more than fans.
                parents.extend([(child.serial, depth + 1), (child.serial, depth + 1)]);
            }
            commands.push(child);
        }
        for (organization, percent) in organizations.iter().flat_map(|id| [(*id, 100), (*id, 40)]) {
            if self.chance(percent) {
                let act = self.mint(organization, percent < 100);
                commands.push(self.command(Actor::Operator, act));
            }
        }
        for (key, credits) in METERS.into_iter().zip([1, 7, MOST / 3]) {
            let act = Act::Meter { organization: organizations[0], key: key.to_owned(), credits };
            commands.push(self.command(Actor::Operator, act));
        }
        commands
    }

    fn create(&mut self, parent: Option<Serial>) -> Act {
        Act::Create {
            parent,
            zone: self.maybe(60, |this| this.one(&ZONES)),
            billing_mode: self.maybe(15, |this| this.one(&[BillingMode::Prepaid, BillingMode::Payg])),
            relation: self.maybe(30, |this| this.one(&[Relation::Owned, Relation::Linked])),
        }
    }

    fn mint(&mut self, organization: Serial, limited: bool) -> Act {
        Act::Mint {
            organization,
            environment: if limited && self.chance(40) { Environment::Test } else { Environment::Live },
            all: !limited || self.chance(30),
            spend_limit: self.maybe(if limited { 60 } else { 10 }, |this| this.random.random_range(1..400)),
        }
    }

    /// Commands of one actor, to be sent as one document. Each is given to `foretell`, which makes it part of the world,
    /// before the next is thought of.
    pub fn group(
        &mut self,
        oracle: &mut Oracle,
        most: usize,
        mut foretell: impl FnMut(&mut Oracle, &Command),
    ) -> Vec<Command> {
        let actor = self.actor(oracle);
        let admitted = oracle.admit(actor).is_ok();
        let wanted = if admitted && self.chance(60) { self.random.random_range(1..=GROUP_MAX) } else { 1 };
        let known = self.next;
        let mut commands: Vec<Command> = Vec::new();
        while commands.len() < wanted.min(most) {
            let command = self.next_command(oracle, actor, known);
            if alone(&command.act) && !commands.is_empty() {
                self.next -= 1;
                break;
            }
            foretell(oracle, &command);
            self.sent.push(command.clone());
            let last = alone(&command.act);
            commands.push(command);
            if last {
                break;
            }
        }
        commands
    }

    /// How to go on.
    pub fn kind(&mut self) -> Kind {
        match self.random.random_range(0..100) {
            0..3 => Kind::Race,
            3..5 => Kind::Batch,
            _ => Kind::Group,
        }
    }

    /// Movements that may get into each other's way.
    pub fn race(&mut self, oracle: &Oracle) -> Vec<Command> {
        let known = self.next;
        let wanted = self.random.random_range(2..=RACE_MAX);
        let mut commands: Vec<Command> = Vec::new();
        while commands.len() < wanted {
            if let Some(first) = commands.first().cloned()
                && self.chance(25)
            {
                // The same once more, or another end of the same hold.
                let act = match first.act.clone() {
                    Act::Capture { hold, .. } if self.chance(50) => Act::Void { hold },
                    act => act,
                };
                let again = self.chance(60) && act.field() == first.act.field();
                let repeats = again.then_some(first.repeats.unwrap_or(first.serial));
                commands.push(Command { repeats, ..self.command(first.actor, act) });
                continue;
            }
            let actor = self.actor(oracle);
            let act = self.act(oracle, actor, known);
            if act.moves_credits() && !alone(&act) && oracle.admit(actor).is_ok() {
                commands.push(self.command(actor, act));
            }
        }
        commands
    }

    /// Charges of one actor.
    pub fn batch(&mut self, oracle: &Oracle) -> Vec<Command> {
        let actor = loop {
            let actor = self.actor(oracle);
            if oracle.admit(actor).is_ok() {
                break actor;
            }
        };
        let wanted = self.random.random_range(1..=BATCH_MAX);
        let mut commands: Vec<Command> = Vec::new();
        while commands.len() < wanted {
            let act = Act::Charge(self.spend(oracle, actor));
            if !alone(&act) {
                let again = self.chance(10).then(|| commands.first().cloned()).flatten();
                commands.push(match again {
                    Some(first) => Command { repeats: Some(first.serial), ..self.command(actor, first.act) },
                    None => self.command(actor, act),
                });
            }
        }
        commands
    }

    fn actor(&mut self, oracle: &Oracle) -> Actor {
        let keys: Vec<Serial> = oracle.keys.keys().copied().collect();
        let live: Vec<Serial> = keys.iter().copied().filter(|key| oracle.admit(Actor::Key(*key)).is_ok()).collect();
        match self.random.random_range(0..100) {
            0..35 => Actor::Operator,
            35..97 if !live.is_empty() => Actor::Key(self.one(&live)),
            _ if !keys.is_empty() => Actor::Key(self.one(&keys)),
            _ => Actor::Operator,
        }
    }

    fn next_command(&mut self, oracle: &Oracle, actor: Actor, known: Serial) -> Command {
        if self.chance(6)
            && let Some(old) = self.earlier(actor, known)
        {
            let mut act = old.act.clone();
            if self.chance(20) {
                change(&mut act);
            }
            let repeats = Some(old.repeats.unwrap_or(old.serial));
            return Command { repeats, ..self.command(actor, act) };
        }
        let act = self.act(oracle, actor, known);
        self.command(actor, act)
    }

    /// A command of the actor that is worth repeating.
    fn earlier(&mut self, actor: Actor, known: Serial) -> Option<Command> {
        let recent = self.sent.len().saturating_sub(60);
        let repeatable =
            |c: &&Command| c.actor == actor && c.serial <= known && c.act.moves_credits() && !alone(&c.act);
        let found: Vec<Command> = self.sent[recent..].iter().filter(repeatable).cloned().collect();
        found.choose(&mut self.random).cloned()
    }

    fn act(&mut self, oracle: &Oracle, actor: Actor, known: Serial) -> Act {
        let organization = self.organization(oracle, actor);
        match self.random.random_range(0..1_000) {
            0..290 => Act::Charge(self.spend(oracle, actor)),
            290..440 => {
                let seconds = self.maybe(80, |this| this.seconds());
                Act::Hold { spend: self.spend(oracle, actor), seconds }
            }
            440..640 => self.settlement(oracle, actor, known),
            640..740 if actor == Actor::Operator => self.grant(oracle, organization),
            640..650 => self.grant(oracle, organization),
            650..740 => self.transfer(oracle, actor),
            740..800 => self.transfer(oracle, actor),
            800..860 => self.limits(organization),
            860..900 => self.funding(organization),
            900..920 => Act::Quote(self.spend(oracle, actor)),
            920..932 => Act::Suspend { organization },
            932..952 => Act::Resume { organization: self.suspended(oracle).unwrap_or(organization) },
            952..958 => Act::Archive { organization: self.leaf(oracle, organization), cascade: self.chance(30) },
            958..968 => Act::Update {
                organization,
                zone: self.maybe(60, |this| this.one(&ZONES)),
                billing_mode: self
                    .maybe(30, |this| this.one(&[BillingMode::Prepaid, BillingMode::Payg, BillingMode::Hybrid])),
                stale: self.chance(10),
            },
            968..976 => Act::Delegate { organization, delegation: self.delegation() },
            976..982 if actor == Actor::Operator => {
                let limited = self.chance(60);
                self.mint(organization, limited)
            }
            982..986 if actor == Actor::Operator => {
                let keys: Vec<Serial> = oracle.keys.keys().copied().collect();
                Act::Rotate { key: self.one(&keys) }
            }
            986..992 if oracle.organizations.len() < 14 && oracle.path(organization).len() < DEPTH_MAX => {
                self.create(Some(organization))
            }
            992..996 => Act::Meter {
                organization: *oracle.organizations.keys().next().expect("a root"),
                key: self.one(&METERS).to_owned(),
                credits: self.random.random_range(0..12),
            },
            996..999 => {
                let parent = self.organization(oracle, actor);
                Act::Move { organization: self.leaf(oracle, organization), parent }
            }
            _ => Act::Detach { organization: self.leaf(oracle, organization) },
        }
    }

    /// Mostly one that the actor may see: its own, or one below.
    fn organization(&mut self, oracle: &Oracle, actor: Actor) -> Serial {
        let all: Vec<Serial> = oracle.organizations.keys().copied().collect();
        let Actor::Key(key) = actor else { return self.one(&all) };
        let own = oracle.keys[&key].organization;
        if self.chance(4) {
            return self.one(&all);
        }
        let below: Vec<Serial> = all.into_iter().filter(|id| oracle.path(*id).contains(&own)).collect();
        self.one(&below)
    }

    /// Archiving takes a lot away: mostly of something small.
    fn leaf(&mut self, oracle: &Oracle, organization: Serial) -> Serial {
        let below: Vec<Serial> =
            oracle.organizations.keys().copied().filter(|id| oracle.path(*id).contains(&organization)).collect();
        if self.chance(90) { below[below.len() - 1] } else { organization }
    }

    fn suspended(&mut self, oracle: &Oracle) -> Option<Serial> {
        let suspended = |id: &Serial| !oracle.organization(*id).suspended_by.is_empty();
        let found: Vec<Serial> = oracle.organizations.keys().copied().filter(suspended).collect();
        found.choose(&mut self.random).copied()
    }

    fn environment(&mut self, oracle: &Oracle, actor: Actor) -> Option<Environment> {
        match actor {
            Actor::Operator => self.maybe(20, |_| Environment::Test),
            Actor::Key(key) if self.chance(10) => Some(oracle.keys[&key].environment),
            Actor::Key(_) => self.maybe(2, |this| this.one(&[Environment::Live, Environment::Test])),
        }
    }

    fn spend(&mut self, oracle: &Oracle, actor: Actor) -> Spend {
        let target = self.organization(oracle, actor);
        let environment = self.environment(oracle, actor);
        let own = matches!(actor, Actor::Key(key) if oracle.keys[&key].organization == target);
        let unnamed = (own && self.chance(50)) || self.chance(1);
        let cost = if self.chance(20) {
            Cost::Meter {
                key: if self.chance(4) { "unheard.of".to_owned() } else { self.one(&METERS[..2]).to_owned() },
                quantity: self.maybe(70, |this| this.one(&[1, 2, 3, 5, 9, 0, -1, i32::MAX])),
            }
        } else if self.chance(1) {
            Cost::Meter {
                key: METERS[2].to_owned(),
                quantity: self.maybe(90, |this| this.one(&[1, 2, 3, 4, i32::MAX])),
            }
        } else {
            let room = oracle.spendable(target, environment.unwrap_or(Environment::Live));
            Cost::Amount(self.amount(room))
        };
        Spend { organization: if unnamed { None } else { Some(target) }, cost, environment }
    }

    /// Small, or at the edge of what there is, or nonsense.
    fn amount(&mut self, room: i64) -> i64 {
        match self.random.random_range(0..1_000) {
            0..600 => self.random.random_range(1..40),
            600..700 => self.random.random_range(40..400),
            700..950 => room.saturating_add(self.random.random_range(-1..=1)).clamp(1, MOST),
            950..960 => 0,
            960..970 => -self.random.random_range(1..40),
            970..985 => (room / 2).max(1),
            985..990 => MOST,
            990..993 => MOST + 1,
            _ => self.random.random_range(400..100_000),
        }
    }

    fn seconds(&mut self) -> i32 {
        let span = match self.random.random_range(0..100) {
            0..90 => self.one(&SPANS[1..6]),
            90..94 => 0,
            94..96 => -1,
            96..98 => 604_801,
            _ => self.random.random_range(1..100_000),
        };
        i32::try_from(span).expect("a span of seconds")
    }

    fn settlement(&mut self, oracle: &Oracle, actor: Actor, known: Serial) -> Act {
        let recent = |open: bool| {
            let all = oracle.holds.iter().rev().filter(|(id, _)| **id <= known);
            let found = all.filter(|(_, hold)| (hold.status == entity::kind::HoldStatus::Open) == open);
            found.map(|(id, _)| *id).take(12).collect::<Vec<Serial>>()
        };
        let roll = self.random.random_range(0..100);
        let open = if roll < 62 { self.chance(90) } else { self.chance(10) };
        let Some(hold) = recent(open).choose(&mut self.random).copied() else {
            return Act::Charge(self.spend(oracle, actor));
        };
        let of = &oracle.holds[&hold];
        match roll {
            0..42 => Act::Capture { hold, amount: self.maybe(60, |this| this.part(of.amount)) },
            42..62 => Act::Void { hold },
            _ => Act::Refund { hold, amount: self.maybe(60, |this| this.part(of.captured - of.refunded)) },
        }
    }

    fn part(&mut self, most: i64) -> i64 {
        match self.random.random_range(0..100) {
            0..70 if most > 1 => self.random.random_range(1..=most),
            0..85 => most,
            85..92 => most + 1,
            92..95 => 0,
            95..98 => -1,
            _ => MOST,
        }
    }

    fn grant(&mut self, oracle: &Oracle, organization: Serial) -> Act {
        let amount = match self.random.random_range(0..1_000) {
            0..900 => self.random.random_range(1..500),
            900..960 => self.random.random_range(500..5_000),
            960..997 => self.amount(100),
            // All that the realm can still hold, and one more.
            _ => MOST - oracle.issued + self.random.random_range(0..=1),
        };
        Act::Grant(Grant {
            organization,
            amount,
            origin: self.one(&[BucketOrigin::Prepaid, BucketOrigin::Promotional, BucketOrigin::Included]),
            priority: self.maybe(40, |this| this.one(&[1, 50, 100, 100, -3])),
            expires_at: self.maybe(40, |this| oracle.now + this.one(&[0, 60, 900, 3_600, 86_400, 604_800, 2_592_000])),
            environment: if self.chance(8) { Environment::Test } else { Environment::Live },
        })
    }

    fn transfer(&mut self, oracle: &Oracle, actor: Actor) -> Act {
        let source = self.organization(oracle, actor);
        let target = self.organization(oracle, actor);
        let environment = match actor {
            Actor::Key(key) => oracle.keys[&key].environment,
            Actor::Operator => Environment::Live,
        };
        let own = matches!(actor, Actor::Key(key) if oracle.keys[&key].organization == source);
        let amount = self.amount(oracle.available(source, environment));
        Act::Transfer { source: if own && self.chance(50) { None } else { Some(source) }, target, amount }
    }

    fn limits(&mut self, organization: Serial) -> Act {
        let mut change = |percent: u32, most: i64| match self.random.random_range(0..100_u32) {
            roll if roll < percent => Change::Set(self.random.random_range(0..most)),
            roll if roll < percent + 15 => Change::Clear,
            99 => Change::Set(-1),
            _ => Change::Keep,
        };
        let (own_cap, subtree_cap, ceiling) = (change(20, 600), change(20, 1_500), change(15, 400));
        let (threshold, amount) = match self.random.random_range(0..100) {
            0..45 => {
                (Change::Set(self.one(&[0, 1, 10, 50, 200, 1_000])), Change::Set(self.one(&[1, 3, 7, 20, 100, 500])))
            }
            45..60 => (Change::Clear, Change::Clear),
            60..63 => (Change::Set(self.random.random_range(0..100)), Change::Keep),
            63..65 => (Change::Keep, Change::Set(self.one(&[0, 5, -1]))),
            65..66 => (Change::Set(MOST), Change::Set(self.one(&[1, MOST]))),
            _ => (Change::Keep, Change::Keep),
        };
        Act::Limit(Limits { organization, own_cap, subtree_cap, threshold, amount, ceiling })
    }

    fn funding(&mut self, organization: Serial) -> Act {
        let mode = match self.random.random_range(0..100) {
            0..40 => Change::Set(self.one(&[FundingMode::Fallback, FundingMode::Pooled, FundingMode::Isolated])),
            40..55 => Change::Clear,
            _ => Change::Keep,
        };
        Act::Fund(Funding {
            organization,
            mode,
            covers: self.maybe(35, |this| this.chance(40)),
            falls_back: self.maybe(45, |this| this.chance(60)),
            reserve: self.maybe(40, |this| this.one(&[0, 0, 5, 50, 300, -1])),
        })
    }

    fn delegation(&mut self) -> Vec<Delegation> {
        let all = [Delegation::Billing, Delegation::DataRead, Delegation::DataWrite];
        all.into_iter().filter(|_| self.chance(75)).collect()
    }
}

/// What must be the only field of its document: what later fields would have to name, what the scalar does not read, and
/// queries.
pub fn alone(act: &Act) -> bool {
    matches!(act, Act::Create { .. } | Act::Mint { .. } | Act::Rotate { .. } | Act::Quote(_)) || act.is_unreadable()
}

/// Makes another command of it, for an idempotency key that was used.
fn change(act: &mut Act) {
    match act {
        Act::Grant(Grant { amount, .. })
        | Act::Charge(Spend { cost: Cost::Amount(amount), .. })
        | Act::Hold { spend: Spend { cost: Cost::Amount(amount), .. }, .. }
        | Act::Transfer { amount, .. } => *amount += if *amount < MOST { 1 } else { -1 },
        Act::Capture { amount, .. } | Act::Refund { amount, .. } => {
            *amount = if amount.is_some() { None } else { Some(1) };
        }
        _ => {}
    }
}
