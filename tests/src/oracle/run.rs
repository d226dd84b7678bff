//! Many worlds at once on one gateway.
//!
//! They share its clock, so they live in rounds: in each, every world is given some commands at one instant; then the
//! clock moves for all, and the workers may come. The seed alone decides all of it, so one world can be lived again without
//! the others.

use std::fmt;

use entity::timestamp::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use crate::TestApp;
use crate::oracle::generate::{Generator, SPANS};
use crate::oracle::shrink;
use crate::oracle::world::{Step, World};

/// How often a picture is taken, in rounds.
const ROUNDS_PER_PICTURE: usize = 3;

/// What is to be lived through.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub worlds: usize,
    /// For each world, after its tree was made.
    pub commands: usize,
    /// This world alone.
    pub only: Option<usize>,
    /// Whether the harness compares the audit trail with what was sent.
    pub audited: bool,
}

/// A world in which the gateway does not do what the rules say.
#[derive(Debug)]
pub struct Difference {
    pub plan: Plan,
    pub world: usize,
    pub commands: usize,
    pub text: String,
    /// The fewest steps found that still show a difference, and that difference.
    pub shortest: Option<(Vec<Step>, String)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, world, commands, text, shortest } = self;
        writeln!(f, "world {world} differs after {commands} commands: {text}")?;
        writeln!(
            f,
            "BANYAN_ORACLE_SEED={} BANYAN_ORACLE_WORLD={world} BANYAN_ORACLE_COMMANDS={} cargo test -p tests --test it -- oracle",
            plan.seed, plan.commands
        )?;
        if let Some((steps, text)) = shortest {
            writeln!(f, "{} steps are enough: {text}", steps.len())?;
            for step in steps {
                writeln!(f, "  {step:?}")?;
            }
        }
        Ok(())
    }
}

impl Plan {
    /// What the environment asks for instead: the line that a difference prints.
    pub fn from_environment(self) -> Self {
        let number = |name: &str| {
            std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
        };
        let seed = number("BANYAN_ORACLE_SEED").unwrap_or(self.seed);
        let commands = number("BANYAN_ORACLE_COMMANDS").and_then(|n| usize::try_from(n).ok()).unwrap_or(self.commands);
        let only = number("BANYAN_ORACLE_WORLD").and_then(|n| usize::try_from(n).ok());
        Self { seed, commands, only: only.or(self.only), ..self }
    }

    /// Lives it. Gives how many commands were compared.
    ///
    /// # Errors
    /// The first difference.
    pub async fn run(&self, app: &TestApp) -> Result<usize, Box<Difference>> {
        let start = app.now();
        let mut schedule = StdRng::seed_from_u64(self.seed);
        let indexes = (0..self.worlds).filter(|index| self.only.is_none_or(|only| only == *index));
        let mut lives: Vec<Life> = indexes.map(|index| Life::new(index, self, start)).collect();
        let mut round = 0;
        while lives.iter().any(|life| life.left > 0) {
            let (count, seconds, work) =
                (schedule.random_range(4..16), span(&mut schedule, round), schedule.random_bool(0.6));
            round += 1;
            crate::postgres::touch();
            self.everywhere(app, &mut lives, start, move |life, app| Box::pin(life.commands(app, count))).await?;
            app.advance(seconds);
            if work {
                app.run_workers_until_idle().await;
            }
            let picture = round % ROUNDS_PER_PICTURE == 0;
            self.everywhere(app, &mut lives, start, move |life, app| Box::pin(life.later(app, seconds, work, picture)))
                .await?;
        }
        self.everywhere(app, &mut lives, start, |life, app| Box::pin(async move { life.world.look(&app, true).await }))
            .await?;
        Ok(lives.iter().map(|life| life.world.commands).sum())
    }

    /// Does something in all worlds at once.
    async fn everywhere(
        &self,
        app: &TestApp,
        lives: &mut Vec<Life>,
        start: Timestamp,
        act: impl for<'a> Fn(&'a mut Life, TestApp) -> futures_util::future::BoxFuture<'a, Result<(), String>>
        + Copy
        + Send
        + 'static,
    ) -> Result<(), Box<Difference>> {
        let mut tasks = JoinSet::new();
        for mut life in std::mem::take(lives) {
            let app = app.clone();
            tasks.spawn(async move {
                let done = act(&mut life, app).await;
                (life, done)
            });
        }
        let mut first: Option<Box<Difference>> = None;
        for (life, done) in tasks.join_all().await {
            if let Err(text) = done
                && first.as_ref().is_none_or(|first| life.index < first.world)
            {
                let (world, commands) = (life.index, life.world.commands);
                let mut difference = Difference { plan: self.clone(), world, commands, text, shortest: None };
                difference.shortest = Some((life.world.steps.clone(), String::new()));
                first = Some(Box::new(difference));
            }
            lives.push(life);
        }
        lives.sort_by_key(|life| life.index);
        let Some(mut difference) = first else { return Ok(()) };
        let steps = difference.shortest.take().map(|(steps, _)| steps).unwrap_or_default();
        difference.shortest = shrink::shrink(app, start, steps).await;
        Err(difference)
    }
}

/// Mostly short; now and then far enough for months to end, buckets to expire and answers to be forgotten.
fn span(schedule: &mut StdRng, round: usize) -> i64 {
    match schedule.random_range(0..100) {
        0..15 => 0,
        15..70 => *SPANS[..4].choose(schedule).expect("spans"),
        70..88 => *SPANS[4..6].choose(schedule).expect("spans"),
        88..92 => SPANS[6],
        // To the end of a month somewhere: worlds begin at noon of the third of June.
        _ => {
            let hour = schedule.random_range(-14..=12_i64);
            let day = i64::try_from(27 + round % 3).unwrap_or(27);
            day * 86_400 / 4 + hour * 3_600 + schedule.random_range(-1..=1)
        }
    }
    .max(0)
}

/// A world with what drives it.
struct Life {
    index: usize,
    generator: Generator,
    world: World,
    begun: bool,
    left: usize,
}

impl Life {
    fn new(index: usize, plan: &Plan, start: Timestamp) -> Self {
        let seed = plan.seed.wrapping_mul(1_000_003).wrapping_add(u64::try_from(index).unwrap_or(0));
        let world = World::new(start.as_micros() / 1_000_000, plan.audited);
        Self { index, generator: Generator::new(seed), world, begun: false, left: plan.commands }
    }

    async fn commands(&mut self, app: TestApp, count: usize) -> Result<(), String> {
        if !self.begun {
            self.begun = true;
            self.world.begin(&app, &mut self.generator).await?;
        }
        let count = count.min(self.left);
        self.left -= count;
        self.world.many(&app, &mut self.generator, count).await
    }

    async fn later(&mut self, app: TestApp, seconds: i64, work: bool, picture: bool) -> Result<(), String> {
        self.world.advance(seconds);
        if work {
            self.world.worked(&app).await?;
        }
        if picture { self.world.look(&app, false).await } else { Ok(()) }
    }
}
