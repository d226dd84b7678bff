//! Keys read for requests: those that arrive together are read together.
//!
//! Batches are those of a [`RealmQueue`], so a request is only ever answered by a statement that began after it arrived:
//! what was revoked or suspended before is seen, and nothing is kept from one read to the next. When the database does not
//! answer, nobody is recognised.
//!
//! One statement serves one realm, so that a cluster that keeps realms apart can route it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use entity::id::{ApiKeyId, OrganizationId, RealmId};
use tokio::sync::oneshot;

use crate::access::store::{self, Ask, KeyAndPaths, KeysAndPaths};
use crate::kernel::db::Database;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::queue::{Full, Limits, RealmQueue};

/// A flood of made-up keys waits here like any other. The batches at once leave connections for the rest of the gateway.
const LIMITS: Limits = Limits { batch: 256, realm: 4_096, all_realms: 16_384, batches_at_once: 8 };
/// For one statement, and for one request from its arrival to its answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a presented key was found to be.
pub struct Presented {
    pub found: KeyAndPaths,
    /// Requests that its family may make in a minute; `None` is no limit.
    pub rate_limit: Option<i64>,
}

/// The door to the keys.
#[derive(Clone)]
pub struct Reader {
    db: Database,
    queue: RealmQueue<Waiting>,
    deadline: Duration,
}

type Answer = Result<Arc<KeysAndPaths>, Refusal>;

struct Waiting {
    ask: Ask,
    reply: oneshot::Sender<Answer>,
}

impl Reader {
    pub fn new(db: Database) -> Self {
        Self::with_limits(db, LIMITS, DEADLINE)
    }

    fn with_limits(db: Database, limits: Limits, deadline: Duration) -> Self {
        Self { db, queue: RealmQueue::new(limits), deadline }
    }

    /// A key, its path and that of the organization it is to act on, as they are after this was called. `None` when there
    /// is no such key in the realm.
    pub async fn find(
        &self,
        realm: RealmId,
        key: ApiKeyId,
        target: Option<OrganizationId>,
    ) -> Result<Option<Presented>> {
        let ask = Ask { key, target };
        let (reply, answer) = oneshot::channel();
        let reader = self.clone();
        let work = move |batch| reader.clone().answer(realm, batch);
        self.queue.push(realm, Waiting { ask, reply }, work).map_err(|Full| full())?;
        let read = match tokio::time::timeout(self.deadline, answer).await {
            Ok(told) => told.map_err(|_| Fault::new("a read of keys ended without an answer"))??,
            Err(_) => return Err(unanswered().into()),
        };
        Ok(read.get(ask).map(|found| Presented { found, rate_limit: read.rate_limit(key) }))
    }

    /// The batch was taken before its statement begins: nobody is answered by what was read before they came.
    async fn answer(self, realm: RealmId, batch: Vec<Waiting>) {
        metrics::histogram!("banyan_key_read_size").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let asks = batch.iter().filter(|one| !one.reply.is_closed()).map(|one| one.ask).collect();
        let read = self.read(realm, asks).await.map(Arc::new);
        for one in batch {
            // Whoever asked may be gone.
            let _ = one.reply.send(read.clone());
        }
    }

    async fn read(&self, realm: RealmId, asks: HashSet<Ask>) -> Result<KeysAndPaths, Refusal> {
        if asks.is_empty() {
            return Ok(KeysAndPaths::default());
        }
        let snapshot = self.db.snapshot();
        match tokio::time::timeout(self.deadline, store::keys_and_paths(&snapshot, realm, &asks)).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => {
                // Once for all who wait for it.
                tracing::error!(cause = %error, requests = asks.len(), "keys could not be read");
                Err(unanswered())
            }
            Err(_) => {
                tracing::error!(requests = asks.len(), "the database did not answer in time when keys were read");
                Err(unanswered())
            }
        }
    }
}

fn full() -> Refusal {
    Refusal::new(ErrorCode::RetryLater, "Too many requests wait for their keys to be checked. Try again later.")
}

fn unanswered() -> Refusal {
    Refusal::new(
        ErrorCode::RetryLater,
        "The gateway could not check the key, because its database does not answer. Try again later.",
    )
}

#[cfg(test)]
mod tests {
    use entity::kind::Environment;
    use uuid::Uuid;

    use super::*;
    use crate::api_key::secret::{Named, Token};
    use crate::kernel::db::Moment;
    use crate::kernel::error::Error;
    use crate::schema::testing::Gateway;

    /// A gateway with a key, and what finds it.
    async fn scene(limits: Limits, deadline: Duration) -> (Gateway, Reader, RealmId, ApiKeyId) {
        let gateway = Gateway::start().await;
        let (_, secret) = gateway.root(&["org:read"], Environment::Live).await;
        let token = Token::parse(&secret).expect("a minted key is one");
        let Named::ApiKey { realm, key, .. } = token.named else { panic!("an operator's key") };
        let reader = Reader::with_limits(gateway.kernel().db.clone(), limits, deadline);
        (gateway, reader, realm, key)
    }

    /// Takes every connection that reads: a statement has to wait until they are given back.
    async fn occupy(gateway: &Gateway) -> Vec<Moment> {
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(gateway.kernel().db.moment().await.expect("a connection is free"));
        }
        taken
    }

    type Found = tokio::task::JoinHandle<Result<Option<Presented>>>;

    fn find(reader: &Reader, realm: RealmId, key: ApiKeyId) -> Found {
        let reader = reader.clone();
        tokio::spawn(async move { reader.find(realm, key, None).await })
    }

    async fn is_found(found: Found) -> bool {
        found.await.expect("it ends").expect("it is answered").is_some()
    }

    fn code<T>(outcome: Result<T>) -> Option<ErrorCode> {
        match outcome {
            Err(Error::Refused(refusal)) => Some(refusal.code),
            _ => None,
        }
    }

    #[tokio::test]
    async fn requests_that_arrive_while_a_read_is_under_way_share_the_next() {
        let (gateway, reader, realm, key) = scene(LIMITS, DEADLINE).await;
        let taken = occupy(&gateway).await;
        let before = gateway.statements();
        let mut found = vec![find(&reader, realm, key)];
        reader.queue.until(1, 0).await;
        found.extend((0..20).map(|_| find(&reader, realm, key)));
        reader.queue.until(1, 20).await;
        drop(taken);
        for one in found {
            assert!(is_found(one).await);
        }
        assert_eq!(gateway.statements() - before, 2);
    }

    /// The one that is under way began before, so it may not answer.
    #[tokio::test]
    async fn a_request_is_answered_by_a_read_that_began_after_it() {
        let (gateway, reader, realm, key) = scene(LIMITS, DEADLINE).await;
        let turns = reader.queue.pause().await;
        let found = find(&reader, realm, key);
        reader.queue.until(1, 1).await;
        gateway
            .operator(
                "mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { userErrors { message } } }",
                serde_json::json!({ "input": { "apiKeyId": key.to_string() } }),
            )
            .await;
        drop(turns);
        let found = found.await.expect("it ends").expect("it is answered").expect("it is there");
        assert!(found.found.key.revoked_at.is_some());
    }

    #[tokio::test]
    async fn nobody_is_recognised_while_the_database_does_not_answer() {
        let (gateway, reader, realm, key) = scene(LIMITS, Duration::from_millis(20)).await;
        assert!(is_found(find(&reader, realm, key)).await);
        let taken = occupy(&gateway).await;
        assert_eq!(code(reader.find(realm, key, None).await), Some(ErrorCode::RetryLater));
        drop(taken);
        reader.queue.until(0, 0).await;
        let patient = Reader::new(gateway.kernel().db.clone());
        assert!(is_found(find(&patient, realm, key)).await);
    }

    #[tokio::test]
    async fn a_flood_of_unknown_keys_is_sent_away_and_forgotten() {
        let (gateway, reader, _, _) = scene(Limits { realm: 2, all_realms: 3, ..LIMITS }, DEADLINE).await;
        let turns = reader.queue.pause().await;
        let unknown =
            |realm: u128| find(&reader, RealmId::from(Uuid::from_u128(realm)), ApiKeyId::from(Uuid::from_u128(1)));
        let mut taken = vec![unknown(100), unknown(100)];
        reader.queue.until(1, 2).await;
        assert_eq!(code(unknown(100).await.expect("it ends")), Some(ErrorCode::RetryLater), "the realm is full");
        taken.push(unknown(101));
        reader.queue.until(2, 3).await;
        assert_eq!(code(unknown(102).await.expect("it ends")), Some(ErrorCode::RetryLater), "all is full");
        drop(turns);
        for one in taken {
            assert!(!is_found(one).await);
        }
        reader.queue.until(0, 0).await;
        drop(gateway);
    }

    #[tokio::test]
    async fn keys_of_one_organization_that_are_read_together_keep_their_path_and_themselves() {
        let (gateway, reader, realm, first) = scene(LIMITS, DEADLINE).await;
        let own = reader.find(realm, first, None).await.expect("it is answered").expect("it is there").found.own;
        let secret = gateway.key(&own.id().to_string(), &["keys:verify"], Environment::Live).await;
        let Named::ApiKey { key: second, .. } = Token::parse(&secret).expect("a minted key is one").named else {
            panic!("an operator's key")
        };
        let turns = reader.queue.pause().await;
        let (one, other) = (find(&reader, realm, first), find(&reader, realm, second));
        let unknown = find(&reader, realm, ApiKeyId::from(Uuid::from_u128(1)));
        reader.queue.until(1, 3).await;
        drop(turns);
        assert!(!is_found(unknown).await);
        for (found, key, scope) in [(one, first, "org:read"), (other, second, "keys:verify")] {
            let found = found.await.expect("it ends").expect("it is answered").expect("it is there").found;
            assert_eq!((found.key.id, found.key.scopes.0), (key, vec![scope.to_owned()]));
            assert_eq!(found.own, own);
        }
    }
}
