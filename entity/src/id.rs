//! The one registry of identifiers.
//!
//! An identifier is a UUID (version 7 where Banyan makes it) that knows what it names. It is stored
//! as a UUID and shown as a TypeID (<https://github.com/jetify-com/typeid/tree/main/spec>): prefix,
//! underscore, 26 characters of base32. A new kind of thing gets its prefix in the list below and
//! nowhere else. Making new ids is not done here: randomness and the clock are the caller's.

use std::fmt;
use std::str::FromStr;

use sea_orm::DeriveValueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use typeid_suffix::prelude::TypeIdSuffix;
use uuid::Uuid;

/// Why a text is not the identifier that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a TypeID at all.
    #[error("not an identifier: expected {expected}_ and 26 characters of base32")]
    Malformed { expected: &'static str },
    /// The text is a TypeID of something else.
    #[error("expected an identifier that begins with {expected}_, found {found}_")]
    WrongPrefix { expected: &'static str, found: String },
}

/// What every identifier offers, for code that works with any of them.
pub trait Id: Copy + Eq + Ord + std::hash::Hash + fmt::Display + FromStr + From<Uuid> {
    /// The TypeID prefix, without the underscore.
    const PREFIX: &'static str;

    /// The UUID as stored.
    fn uuid(self) -> Uuid;
}

/// Prefixes are at most this long, so what follows a longer one is not quoted back in an error.
const PREFIX_MAX_CHARS: usize = 63;

fn split(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    let well_formed = !prefix.is_empty()
        && prefix.len() <= PREFIX_MAX_CHARS
        && prefix.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if !well_formed {
        return None;
    }
    Some((prefix, suffix.parse::<TypeIdSuffix>().ok()?.to_uuid()))
}

fn show(prefix: &str, uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(prefix)?;
    f.write_str("_")?;
    f.write_str(&TypeIdSuffix::from(uuid))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $kind:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
            pub struct $name(Uuid);

            impl Id for $name {
                const PREFIX: &'static str = $prefix;

                fn uuid(self) -> Uuid {
                    self.0
                }
            }

            impl From<Uuid> for $name {
                fn from(uuid: Uuid) -> Self {
                    Self(uuid)
                }
            }

            impl From<$name> for Uuid {
                fn from(id: $name) -> Self {
                    id.0
                }
            }

            impl From<$name> for AnyId {
                fn from(id: $name) -> Self {
                    Self::$kind(id)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    show(Self::PREFIX, self.0, f)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }

            impl FromStr for $name {
                type Err = IdError;

                fn from_str(text: &str) -> Result<Self, IdError> {
                    match split(text) {
                        Some((prefix, uuid)) if prefix == Self::PREFIX => Ok(Self(uuid)),
                        Some((prefix, _)) => Err(IdError::WrongPrefix {
                            expected: Self::PREFIX,
                            found: prefix.to_owned(),
                        }),
                        None => Err(IdError::Malformed { expected: Self::PREFIX }),
                    }
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                }
            }

            impl schemars::JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({
                        "type": "string",
                        "pattern": concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
                    })
                }
            }

            /// A UUID is never made by the database from a counter; SeaORM asks for this of keys.
            impl sea_orm::TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                    Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        )+

        /// An identifier whose kind is known only from its prefix, as `node(id)` receives it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AnyId {
            $($(#[$doc])* $kind($name),)+
        }

        impl AnyId {
            /// Every prefix there is, in the order of the registry.
            pub const PREFIXES: &'static [&'static str] = &[$($prefix),+];

            /// The UUID as stored.
            pub fn uuid(self) -> Uuid {
                match self {
                    $(Self::$kind(id) => id.0,)+
                }
            }
        }

        impl fmt::Display for AnyId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$kind(id) => fmt::Display::fmt(id, f),)+
                }
            }
        }

        impl FromStr for AnyId {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match split(text) {
                    $(Some(($prefix, uuid)) => Ok(Self::$kind($name(uuid))),)+
                    Some((prefix, _)) => Err(IdError::WrongPrefix {
                        expected: ANY_PREFIX,
                        found: prefix.to_owned(),
                    }),
                    None => Err(IdError::Malformed { expected: ANY_PREFIX }),
                }
            }
        }
    };
}

/// How errors of [`AnyId`] name the prefix they expected.
const ANY_PREFIX: &str = "a known prefix, for example org";

impl fmt::Debug for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

ids! {
    /// A node of the tree.
    OrganizationId "org" Organization;
    /// The partition a tree was born in.
    RealmId "realm" Realm;
    /// A time during which an organization had one parent in one relation.
    EdgePeriodId "edge" EdgePeriod;
    /// An organization's credits in one environment.
    WalletId "wal" Wallet;
    /// Credits of one origin in a wallet.
    BucketId "bkt" Bucket;
    /// A set of ledger entries that sum to zero.
    TransactionId "txn" Transaction;
    /// One line of a transaction.
    EntryId "ent" Entry;
    /// A reservation of credits, or the charge it became.
    HoldId "hold" Hold;
    /// An API key.
    ApiKeyId "key" ApiKey;
    /// All keys that rotations made from one.
    KeyFamilyId "fam" KeyFamily;
    /// A key of the operator.
    OperatorKeyId "opk" OperatorKey;
    /// A person.
    UserId "usr" User;
    /// A person's membership in an organization.
    MemberId "mem" Member;
    /// A webhook endpoint.
    WebhookEndpointId "whe" WebhookEndpoint;
    /// A fact that happened.
    EventId "evt" Event;
    /// An entry of the audit trail.
    AuditEventId "aud" AuditEvent;
    /// A suspension that somebody placed.
    SuspensionId "sus" Suspension;
    /// A project.
    ProjectId "prj" Project;
    /// A seller of the trade books.
    SellerId "sel" Seller;
    /// A buyer of the trade books.
    BuyerId "buy" Buyer;
    /// An invoice.
    InvoiceId "inv" Invoice;
    /// One series of attempts to send an event.
    DeliveryId "dlv" Delivery;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "org_01h455vb4pex5vsknk084sn02q";

    #[test]
    fn an_id_reads_back_as_it_was_shown() {
        let id: OrganizationId = SHOWN.parse().unwrap();
        assert_eq!(id.to_string(), SHOWN);
        assert_eq!(id.uuid().to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{SHOWN}\""));
        assert_eq!(serde_json::from_str::<OrganizationId>(&format!("\"{SHOWN}\"")).unwrap(), id);
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_both_prefixes() {
        assert_eq!(SHOWN.parse::<WalletId>(), Err(IdError::WrongPrefix { expected: "wal", found: "org".to_owned() }));
    }

    #[test]
    fn a_text_that_is_no_type_id_is_malformed() {
        for text in [
            "",
            "org",
            "org_",
            "_01h455vb4pex5vsknk084sn02q",
            "01h455vb4pex5vsknk084sn02q",
            "ORG_01h455vb4pex5vsknk084sn02q",
            "org_01H455VB4PEX5VSKNK084SN02Q",
            "org_81h455vb4pex5vsknk084sn02q",
            "org_01h455vb4pex5vsknk084sn02",
            "org_01h455vb4pex5vsknk084sn02ü",
            "org_01h455vb4pex5vsknk084sn02l",
        ] {
            assert_eq!(text.parse::<OrganizationId>(), Err(IdError::Malformed { expected: "org" }), "{text}");
        }
    }

    #[test]
    fn any_id_tells_the_kind_by_the_prefix() {
        let id: AnyId = SHOWN.parse().unwrap();
        assert_eq!(id, AnyId::Organization(SHOWN.parse().unwrap()));
        assert_eq!(id.to_string(), SHOWN);
        assert!(matches!(
            "nope_01h455vb4pex5vsknk084sn02q".parse::<AnyId>(),
            Err(IdError::WrongPrefix { found, .. }) if found == "nope"
        ));
    }

    #[test]
    fn no_two_kinds_share_a_prefix() {
        let mut prefixes = AnyId::PREFIXES.to_vec();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), AnyId::PREFIXES.len());
    }

    #[test]
    fn ids_sort_as_their_text_does() {
        let low = OrganizationId::from(Uuid::from_u128(7));
        let high = OrganizationId::from(Uuid::from_u128(u128::MAX));
        assert!(low < high && low.to_string() < high.to_string());
    }
}
