//! Clients that spend, and ask again when their answer was lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

/// The longest one of them waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Every so many of what a client asks for is a project: the way of a single command, beside that of batches.
const PROJECT_EVERY: u64 = 5;

/// Something that is asked for until it is answered.
#[derive(Clone)]
struct Wish {
    is_project: bool,
    idempotency_key: String,
}

pub struct Client {
    number: usize,
    secret: String,
    asked: u64,
    unanswered: Vec<Wish>,
    answered: Vec<String>,
}

/// Why there is no answer.
enum Lost {
    /// The gateway is gone.
    Gone,
    /// It says to come again.
    Later,
}

impl Client {
    pub fn new(number: usize, secret: String) -> Self {
        Self { number, secret, asked: 0, unanswered: Vec::new(), answered: Vec::new() }
    }

    fn next(&mut self, round: u64) -> Wish {
        self.asked += 1;
        let idempotency_key = format!("round-{round}-client-{}-{}", self.number, self.asked);
        Wish { is_project: self.asked.is_multiple_of(PROJECT_EVERY), idempotency_key }
    }

    /// Asks again for what was not answered, then for more, until the gateway is gone. Without a round, only the former.
    async fn work(&mut self, http: &reqwest::Client, url: &str, round: Option<u64>, answer: &Notify) {
        let mut again = std::mem::take(&mut self.unanswered).into_iter();
        loop {
            let wish = match (again.next(), round) {
                (Some(wish), _) => wish,
                (None, Some(round)) => self.next(round),
                (None, None) => return,
            };
            match ask(http, url, &self.secret, &wish).await {
                Ok(id) => {
                    self.answered.push(id);
                    answer.notify_one();
                }
                Err(Lost::Later) => self.unanswered.push(wish),
                Err(Lost::Gone) => {
                    self.unanswered.push(wish);
                    self.unanswered.extend(again);
                    return;
                }
            }
        }
    }
}

/// The id of what was made.
async fn ask(http: &reqwest::Client, url: &str, secret: &str, wish: &Wish) -> Result<String, Lost> {
    let (query, input) = match wish.is_project {
        true => (
            "mutation($input: ProjectCreateInput!) { answer: projectCreate(input: $input) {
               made: project { id } userErrors { code message } } }",
            json!({ "name": wish.idempotency_key, "idempotencyKey": wish.idempotency_key }),
        ),
        false => (
            "mutation($input: CreditChargeInput!) { answer: creditCharge(input: $input) {
               made: charge { id } userErrors { code message } } }",
            json!({ "amount": 1, "idempotencyKey": wish.idempotency_key }),
        ),
    };
    let body = json!({ "query": query, "variables": { "input": input } });
    let sent = http.post(url).bearer_auth(secret).json(&body).send().await.map_err(|_| Lost::Gone)?;
    let answer: Value = sent.json().await.map_err(|_| Lost::Gone)?;
    if answer["errors"][0]["extensions"]["code"] == "RETRY_LATER" {
        return Err(Lost::Later);
    }
    let made = answer["data"]["answer"]["made"]["id"].as_str();
    Ok(made.unwrap_or_else(|| panic!("{} was refused: {answer}", wish.idempotency_key)).to_owned())
}

/// All of them.
pub struct Clients {
    clients: Vec<Client>,
}

impl Clients {
    pub fn new(clients: Vec<Client>) -> Self {
        Self { clients }
    }

    /// Has them all work until the gateway is gone; tells when somebody was answered.
    pub async fn work(&mut self, url: &str, round: u64, answer: &Notify) {
        self.all(url, Some(round), answer).await;
    }

    /// Has everything answered that is not yet.
    pub async fn settle(&mut self, url: &str) {
        while self.clients.iter().any(|client| !client.unanswered.is_empty()) {
            self.all(url, None, &Notify::new()).await;
        }
    }

    async fn all(&mut self, url: &str, round: Option<u64>, answer: &Notify) {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client is made");
        let work = self.clients.iter_mut().map(|client| client.work(&http, url, round, answer));
        futures_util::future::join_all(work).await;
    }

    /// The ids that were answered since the last time.
    pub fn answered(&mut self) -> BTreeSet<String> {
        self.clients.iter_mut().flat_map(|client| std::mem::take(&mut client.answered)).collect()
    }

    /// How many things were asked for, each once or more often.
    pub fn asked(&self) -> u64 {
        self.clients.iter().map(|client| client.asked).sum()
    }
}
