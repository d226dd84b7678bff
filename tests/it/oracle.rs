//! Random commands against the naive rules of `tests::oracle` (SPEC §5). More of them: `cargo run --release -p tests --bin
//! oracle`.

use tests::oracle::Plan;
use tests::{TestApp, both};

/// Lives through a plan, or through the one that the environment names, as a difference prints it.
async fn live(app: &TestApp, plan: Plan) {
    app.forgo_durability().await;
    let plan = plan.from_environment();
    println!("BANYAN_ORACLE_SEED={}", plan.seed);
    match plan.run(app).await {
        Ok(commands) => println!("{commands} commands compared"),
        Err(difference) => panic!("{difference}"),
    }
}

both! {
    async fn worlds_of_a_fixed_seed_do_what_the_rules_say(app) {
        live(&app, Plan { seed: 1, worlds: 10, commands: 700, only: None, audited: true }).await;
    }

    async fn worlds_of_any_seed_do_what_the_rules_say(app) {
        let seed = rand::random::<u32>().into();
        live(&app, Plan { seed, worlds: 6, commands: 600, only: None, audited: true }).await;
    }
}
