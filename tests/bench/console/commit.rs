//! From a commit to the screen of a console that did not make it.

use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::table::{Table, Times};

const BAR: Duration = Duration::from_millis(100);
/// Between two commits, so that they do not fall into step with anything.
const PAUSE_MS: std::ops::Range<u64> = 20..250;

pub async fn measure(commits: usize, table: &mut Table) {
    println!("{commits} commits, seen by a second console …");
    let desk = Desk::set_up(10, None).await;
    let first = desk.console(120, 40);
    let second = desk.console(120, 40);
    for console in [&first, &second] {
        console.sees(&["* live", "Load root", "balance"]);
    }
    let http = reqwest::Client::new();
    let ask = async |query: &str, variables: Value| -> Value {
        let body = json!({ "query": query, "variables": variables });
        let sent = http.post(desk.url()).bearer_auth(&desk.key).json(&body).send().await.expect("the gateway answers");
        sent.json().await.expect("an answer is JSON")
    };
    let root = ask("{ organizations(filter: { root: true }) { nodes { id } } }", json!({})).await;
    let root = root["data"]["organizations"]["nodes"][0]["id"].clone();
    let mut times = Vec::new();
    // The streams are open when the first grant shows as the last change.
    for number in 0..commits {
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(PAUSE_MS))).await;
        let query = "mutation($input: CreditGrantInput!) {
          creditGrant(input: $input) { wallet { balance } userErrors { message } } }";
        let input = json!({ "organizationId": root, "amount": 1_003, "idempotencyKey": format!("grant-{number}") });
        let answer = ask(query, json!({ "input": input })).await;
        let committed = Instant::now();
        let balance = answer["data"]["creditGrant"]["wallet"]["balance"].as_i64();
        let balance = tui::credits::Credits(balance.unwrap_or_else(|| panic!("no grant: {answer}"))).to_string();
        let shown =
            tokio::task::block_in_place(|| second.wait_until(&format!("saw {balance}"), |seen| seen.says(&[&balance])));
        times.push(shown.saturating_duration_since(committed));
        tokio::task::block_in_place(|| first.sees(&[&balance]));
    }
    let times = Times::of(times);
    table.add(
        format!("commit to screen in a second console, {} of them: p50 / p99 / most", times.count()),
        times.p50_p99_most(),
        "p99 100 ms",
        times.at(0.99) <= BAR,
    );
    drop((first, second));
    desk.gateway.stop().await;
}
