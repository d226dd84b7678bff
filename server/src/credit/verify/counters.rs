//! Counters of limits, against the holds that count in them.
//!
//! A hold names the counters it was counted in when it was taken; how much of it counts now is told by its status. Both
//! sides are streamed into a fixed number of places by a hash of the counter, each amount weighted by a second hash, so
//! that what is too much in one counter cannot make up for what is missing in another. Only when a place does not come to
//! zero are its counters looked at one by one.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use entity::codec::{Counted, Json};
use entity::credits::Credits;
use entity::id::{HoldId, RealmId};
use entity::kind::{CounterSubject, Environment, HoldStatus};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::credit::verify::Difference;
use crate::kernel::db::Moment;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

const PLACES: usize = 1 << 16;
/// Rows read at once.
const PAGE: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    kind: String,
    subject: Uuid,
    environment: String,
    month: i64,
}

impl Key {
    fn new(kind: CounterSubject, subject: Uuid, environment: Environment, month: i64) -> Self {
        Self { kind: kind.to_string(), subject, environment: environment.to_string(), month }
    }

    fn hash_of(&self, salt: u8) -> u64 {
        let mut hasher = DefaultHasher::new();
        (salt, self).hash(&mut hasher);
        hasher.finish()
    }

    fn place(&self) -> usize {
        usize::try_from(self.hash_of(0)).unwrap_or(usize::MAX) % PLACES
    }
}

#[derive(FromQueryResult)]
struct CounterRow {
    subject_kind: CounterSubject,
    subject_id: Uuid,
    environment: Environment,
    month: i64,
    used: Credits,
}

#[derive(FromQueryResult)]
struct HoldRow {
    id: HoldId,
    environment: Environment,
    status: HoldStatus,
    amount: Credits,
    captured: Credits,
    refunded: Credits,
    counted: Json<Vec<Counted>>,
}

impl HoldRow {
    /// What of it counts against limits now.
    fn counts(&self) -> i128 {
        match self.status {
            HoldStatus::Open => self.amount.get().into(),
            HoldStatus::Captured => i128::from(self.captured.get()) - i128::from(self.refunded.get()),
            HoldStatus::Voided | HoldStatus::Expired => 0,
        }
    }
}

/// The first counter that differs from its holds.
pub async fn difference(moment: &Moment, realm: RealmId) -> Result<Option<Difference>> {
    let mut places = vec![0_i128; PLACES];
    stream(moment, realm, |key, amount| {
        if let Some(place) = places.get_mut(key.place()) {
            let weighted = amount.wrapping_mul(i128::from(key.hash_of(1) | 1));
            *place = place.wrapping_add(weighted);
        }
    })
    .await?;
    let Some(wrong) = places.iter().position(|sum| *sum != 0) else { return Ok(None) };
    let mut found: BTreeMap<Key, (i128, i128)> = BTreeMap::new();
    stream(moment, realm, |key, amount| {
        if key.place() == wrong {
            let (cached, counted) = found.entry(key).or_default();
            if amount >= 0 { *cached += amount } else { *counted -= amount }
        }
    })
    .await?;
    let shown = |amount: i128| i64::try_from(amount).unwrap_or(i64::MAX);
    Ok(found.into_iter().find(|(_, (cached, counted))| cached != counted).map(|(key, (cached, counted))| Difference {
        figure: "counter: the holds taken in its month",
        realm,
        id: key.subject,
        cached: shown(cached),
        counted: shown(counted),
    }))
}

/// What counters say, positive, and what holds count, negative.
async fn stream(moment: &Moment, realm: RealmId, mut take: impl FnMut(Key, i128)) -> Result<()> {
    let mut last: Option<CounterRow> = None;
    loop {
        let mut sql = Sql::new(
            "SELECT subject_kind, subject_id, environment, month, used FROM spend_counter
             WHERE subject_kind <> 'REFILL' AND realm_id = ",
        );
        sql.bind(realm);
        if let Some(last) = &last {
            sql.push(" AND (subject_kind, subject_id, environment, month) > (").bind(last.subject_kind.to_string());
            sql.push(", ").bind(last.subject_id).push(", ").bind(last.environment.to_string());
            sql.push(", ").bind(last.month).push(")");
        }
        sql.push(" ORDER BY subject_kind, subject_id, environment, month LIMIT ").bind(page());
        let rows = CounterRow::find_by_statement(sql.statement(moment)).all(moment).await?;
        let full = rows.len() == PAGE;
        for row in rows {
            take(Key::new(row.subject_kind, row.subject_id, row.environment, row.month), row.used.get().into());
            last = Some(row);
        }
        if !full {
            break;
        }
    }
    let mut last: Option<HoldId> = None;
    loop {
        let mut sql =
            Sql::new("SELECT id, environment, status, amount, captured, refunded, counted FROM hold WHERE realm_id = ");
        sql.bind(realm);
        if let Some(last) = last {
            sql.push(" AND id > ").bind(last);
        }
        sql.push(" ORDER BY id LIMIT ").bind(page());
        let rows = HoldRow::find_by_statement(sql.statement(moment)).all(moment).await?;
        let full = rows.len() == PAGE;
        for row in rows {
            let counts = row.counts();
            last = Some(row.id);
            for counted in row.counted.0 {
                take(Key::new(counted.subject_kind, counted.subject_id, row.environment, counted.month), -counts);
            }
        }
        if !full {
            return Ok(());
        }
    }
}

fn page() -> i64 {
    i64::try_from(PAGE).unwrap_or(i64::MAX)
}
