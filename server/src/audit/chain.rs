//! The chain over a realm's audit trail. Pure.
//!
//! An entry is hashed as its fields in the order of [`Entry::fields`], each as its length in bytes in decimal, a colon and
//! its text, or a hyphen for a field that has none; before them [`ENTRY_DOMAIN`]. Texts are those of the export: ids as
//! TypeIDs, other UUIDs with hyphens, `createdAt` in microseconds since 1970, `path` and `change` as the JSON text that is
//! stored. A link is hashed the same way after [`LINK_DOMAIN`]: the hash of the link before (64 zeros for the first), the
//! number of the entry before (0 for the first), the entry's own number, the entry's hash. All hashes are SHA-256, shown
//! in lower-case hex.
//!
//! The number is not part of the entry's hash but of the link's, so that an entry that was put elsewhere is recognised.
//!
//! **What it cannot show.** Whoever can write the database can make a new chain from the first altered entry on. What
//! proves that this did not happen is a digest that was kept elsewhere: `banyan audit verify` and `export` print it.

use std::fmt;

use entity::id::{AuditEventId, OrganizationId, RealmId};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const ENTRY_DOMAIN: &str = "banyan.audit.entry.1\n";
const LINK_DOMAIN: &str = "banyan.audit.link.1\n";

/// The hash before the first link.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    pub sequence: i64,
    pub id: AuditEventId,
    pub organization_id: Option<OrganizationId>,
    pub path: String,
    pub acting_organization_id: Option<OrganizationId>,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub target_id: Option<String>,
    pub outcome: String,
    pub change: String,
    pub request_id: Uuid,
    pub address: Option<String>,
    /// Microseconds since 1970.
    pub created_at: i64,
}

impl Entry {
    fn fields(&self, realm: RealmId) -> [Option<String>; 14] {
        [
            Some(realm.to_string()),
            Some(self.id.to_string()),
            self.organization_id.map(|id| id.to_string()),
            Some(self.path.clone()),
            self.acting_organization_id.map(|id| id.to_string()),
            Some(self.actor_kind.clone()),
            self.actor_id.map(|id| id.to_string()),
            Some(self.action.clone()),
            self.target_id.clone(),
            Some(self.outcome.clone()),
            Some(self.change.clone()),
            Some(self.request_id.to_string()),
            self.address.clone(),
            Some(self.created_at.to_string()),
        ]
    }

    /// What the entry is, wherever it stands.
    pub fn hash(&self, realm: RealmId) -> String {
        hash(ENTRY_DOMAIN, &self.fields(realm))
    }
}

/// One entry's place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Link {
    pub sequence: i64,
    pub previous_sequence: i64,
    pub entry_hash: String,
    pub hash: String,
}

fn link_hash(before: &Head, sequence: i64, entry_hash: &str) -> String {
    let fields = [
        Some(before.hash.clone()),
        Some(before.sequence.to_string()),
        Some(sequence.to_string()),
        Some(entry_hash.to_owned()),
    ];
    hash(LINK_DOMAIN, &fields)
}

fn hash(domain: &str, fields: &[Option<String>]) -> String {
    let mut text = String::from(domain);
    for field in fields {
        match field {
            Some(field) => {
                text.push_str(&field.len().to_string());
                text.push(':');
                text.push_str(field);
            }
            None => text.push('-'),
        }
    }
    hex(&Sha256::digest(text.as_bytes()))
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub sequence: i64,
    pub hash: String,
    pub entries: i64,
}

impl Default for Head {
    fn default() -> Self {
        Self { sequence: 0, hash: NOTHING.to_owned(), entries: 0 }
    }
}

impl Head {
    /// Seals the next entry.
    pub fn seal(&mut self, realm: RealmId, entry: &Entry) -> Link {
        let entry_hash = entry.hash(realm);
        let hash = link_hash(self, entry.sequence, &entry_hash);
        let link = Link { sequence: entry.sequence, previous_sequence: self.sequence, entry_hash, hash };
        self.pass(&link);
        link
    }

    fn pass(&mut self, link: &Link) {
        self.sequence = link.sequence;
        self.hash.clone_from(&link.hash);
        self.entries += 1;
    }
}

/// What was done to an entry after it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Changed,
    Missing,
    Added,
    /// It has another one's place, and that one's number is told.
    Reordered(i64),
}

/// The first place where a trail is not what was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub realm: RealmId,
    pub sequence: i64,
    pub kind: Kind,
    /// The content that stands there now, for whoever looks where it came from.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DIFFERENCE in {}: entry {} ", self.realm, self.sequence)?;
        match self.kind {
            Kind::Changed => f.write_str("was changed after it was sealed"),
            Kind::Missing => f.write_str("is missing"),
            Kind::Added => f.write_str("was added after its place was sealed"),
            Kind::Reordered(0) => f.write_str("was reordered"),
            Kind::Reordered(other) => write!(f, "was reordered: what stands there was sealed as entry {other}"),
        }
    }
}

/// Follows a chain link by link.
pub struct Walk {
    realm: RealmId,
    pub head: Head,
}

impl Walk {
    pub fn new(realm: RealmId) -> Self {
        Self { realm, head: Head::default() }
    }

    fn difference(&self, sequence: i64, kind: Kind) -> Difference {
        Difference { realm: self.realm, sequence, kind, found: None }
    }

    /// The next number that has an entry, a link, or both.
    pub fn step(&mut self, entry: Option<&Entry>, link: Option<&Link>) -> Result<(), Difference> {
        let (entry, link) = match (entry, link) {
            (Some(entry), Some(link)) => (entry, link),
            (Some(entry), None) => return Err(self.difference(entry.sequence, Kind::Added)),
            (None, Some(link)) => return Err(self.difference(link.sequence, Kind::Missing)),
            (None, None) => return Ok(()),
        };
        let expected = link_hash(&self.head, link.sequence, &link.entry_hash);
        if link.previous_sequence != self.head.sequence && link.hash != expected {
            // The link knows another neighbour than the one that was met: that one is gone, or this one came between.
            return Err(match link.previous_sequence > self.head.sequence {
                true => self.difference(link.previous_sequence, Kind::Missing),
                false => self.difference(self.head.sequence, Kind::Added),
            });
        }
        let content = entry.hash(self.realm);
        if content != link.entry_hash {
            let found = Some(content);
            return Err(Difference { found, ..self.difference(link.sequence, Kind::Changed) });
        }
        if link.previous_sequence != self.head.sequence || link.hash != expected {
            return Err(self.difference(link.sequence, Kind::Changed));
        }
        self.head.pass(link);
        Ok(())
    }

    /// Insists that the chain ends where it is said to end.
    pub fn finish(&self, said: &Head) -> Result<(), Difference> {
        if said.sequence > self.head.sequence {
            return Err(self.difference(said.sequence, Kind::Missing));
        }
        if self.head.sequence > said.sequence {
            return Err(self.difference(self.head.sequence, Kind::Added));
        }
        if self.head != *said { Err(self.difference(said.sequence, Kind::Changed)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm() -> RealmId {
        Uuid::from_u128(1).into()
    }

    fn entry(sequence: i64) -> Entry {
        Entry {
            sequence,
            id: Uuid::from_u128(u128::try_from(sequence).unwrap()).into(),
            organization_id: None,
            path: "[]".into(),
            acting_organization_id: None,
            actor_kind: "SYSTEM".into(),
            actor_id: None,
            action: "creditCharge".into(),
            target_id: Some("a".into()),
            outcome: "DONE".into(),
            change: "{}".into(),
            request_id: Uuid::nil(),
            address: None,
            created_at: 7,
        }
    }

    type Item = (Option<Entry>, Option<Link>);

    fn sealed() -> (Vec<Item>, Head) {
        let mut head = Head::default();
        let items = [3, 5, 6, 9].map(|n| {
            let entry = entry(n);
            let link = head.seal(realm(), &entry);
            (Some(entry), Some(link))
        });
        (items.into(), head)
    }

    fn first_difference(items: &[Item], head: &Head) -> Option<(i64, Kind)> {
        let mut walk = Walk::new(realm());
        let walked = items.iter().try_for_each(|(entry, link)| walk.step(entry.as_ref(), link.as_ref()));
        walked.and_then(|()| walk.finish(head)).err().map(|found| (found.sequence, found.kind))
    }

    #[test]
    fn what_was_sealed_is_found_as_it_was() {
        let (items, head) = sealed();
        assert_eq!(first_difference(&items, &head), None);
    }

    #[test]
    fn what_was_removed_is_missing_with_and_without_its_link() {
        let (mut items, head) = sealed();
        items[1].0 = None;
        assert_eq!(first_difference(&items, &head), Some((5, Kind::Missing)));
        items.remove(1);
        assert_eq!(first_difference(&items, &head), Some((5, Kind::Missing)));
        let (mut items, head) = sealed();
        items.pop();
        assert_eq!(first_difference(&items, &head), Some((9, Kind::Missing)));
    }

    #[test]
    fn what_was_added_is_named_even_with_a_link_that_fits() {
        let (mut items, head) = sealed();
        items.insert(1, (Some(entry(4)), None));
        assert_eq!(first_difference(&items, &head), Some((4, Kind::Added)));
        let mut before = Head::default();
        before.seal(realm(), &entry(3));
        items[1].1 = Some(before.seal(realm(), &entry(4)));
        assert_eq!(first_difference(&items, &head), Some((4, Kind::Added)));
    }

    #[test]
    fn what_was_changed_is_named_entry_link_and_end() {
        let (mut items, head) = sealed();
        items[1].0.as_mut().unwrap().change = "{ }".into();
        assert_eq!(first_difference(&items, &head), Some((5, Kind::Changed)));
        let neighbour: fn(&mut Link) = |link| link.previous_sequence = 4;
        for alter in [neighbour, |link| link.hash.make_ascii_uppercase()] {
            let (mut items, head) = sealed();
            alter(items[1].1.as_mut().unwrap());
            assert_eq!(first_difference(&items, &head), Some((5, Kind::Changed)));
        }
        let (items, mut head) = sealed();
        head.entries += 1;
        assert_eq!(first_difference(&items, &head), Some((9, Kind::Changed)));
    }

    #[test]
    fn a_field_that_moves_into_its_neighbour_makes_another_entry() {
        let (one, mut other) = (entry(1), entry(1));
        other.target_id = None;
        other.action = "creditCharge1:a".into();
        assert_ne!(one.hash(realm()), other.hash(realm()));
    }
}
