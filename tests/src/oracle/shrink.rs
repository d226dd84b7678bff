//! The fewest steps that still show a difference: steps are left out as long as one is left.

use std::time::{Duration, Instant};

use entity::timestamp::Timestamp;

use crate::TestApp;
use crate::oracle::world::{Step, World};

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(120);

/// Leaves out ever smaller pieces. `None` when the steps one by one show no difference.
pub async fn shrink(app: &TestApp, start: Timestamp, steps: Vec<Step>) -> Option<(Vec<Step>, String)> {
    let begun = Instant::now();
    let (mut steps, mut text) = live(app, start, &steps).await?;
    let mut piece = steps.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < steps.len() && begun.elapsed() < PATIENCE {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + piece).min(steps.len()));
            match live(app, start, &fewer).await {
                Some(shorter) => (steps, text) = shorter,
                None => at += piece,
            }
        }
        piece /= 2;
    }
    Some((steps, text))
}

/// Lives the steps in a new realm, from the same instant on, and gives those up to the first difference.
async fn live(app: &TestApp, start: Timestamp, steps: &[Step]) -> Option<(Vec<Step>, String)> {
    app.advance((start.as_micros() - app.now().as_micros()) / 1_000_000);
    let mut world = World::new(start.as_micros() / 1_000_000, false);
    for (at, step) in steps.iter().enumerate() {
        let compared = match step {
            Step::Command(command) => match world.one(app, command.clone()).await {
                Ok(()) => world.look(app, false).await,
                differs => differs,
            },
            Step::Race(commands) => world.race(app, commands.clone()).await,
            Step::Batch(commands) => world.batch(app, commands.clone()).await,
            Step::Advance(seconds) => {
                app.advance(*seconds);
                world.advance(*seconds);
                Ok(())
            }
            Step::Work => {
                app.run_workers_until_idle().await;
                world.worked(app).await
            }
        };
        if let Err(text) = compared {
            return Some((steps[..=at].to_vec(), text));
        }
    }
    world.look(app, true).await.err().map(|text| (steps.to_vec(), text))
}
