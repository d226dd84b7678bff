//! What a key looks like, and how the database keeps it.
//!
//! `byn_live_<public>_<secret><checksum>`: the public part is the realm and the key, so that the row is found by its
//! primary key and a cluster knows where; the secret is 256 bits; the checksum is CRC-32 over everything before it, so that
//! a typing error or a scanner's find is told from a key without a database. All in base 62: a double click selects it.
//!
//! The database keeps HMAC-SHA-256 of the secret part under a pepper that it does not hold. The secret has 256 random
//! bits, so a slow hash would buy nothing and cost every request.

use std::collections::BTreeMap;
use std::fmt;

use entity::id::{ApiKeyId, OperatorKeyId, RealmId};
use entity::kind::Environment;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::kernel::seal::Sealer;

/// 128 bits in base 62.
const WORD_CHARS: usize = 22;
/// 32 bits in base 62.
const CHECKSUM_CHARS: usize = 6;

/// Whose key a token is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Named {
    ApiKey { realm: RealmId, key: ApiKeyId, environment: Environment },
    Operator { key: OperatorKeyId },
}

/// A key as its holder has it. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub named: Named,
    text: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.prefix())
    }
}

impl Token {
    /// A new token around 256 unguessable bits.
    pub fn new(named: Named, secret: [u8; 32]) -> Self {
        let public = match named {
            Named::ApiKey { realm, key, environment } => {
                let environment = if environment == Environment::Live { "live" } else { "test" };
                format!("byn_{environment}_{}{}", word(realm.into()), word(key.into()))
            }
            Named::Operator { key } => format!("byn_op_{}", word(key.into())),
        };
        let (high, low) = secret.split_at(16);
        let half = |bytes: &[u8]| word(Uuid::from_slice(bytes).expect("a half has 16 bytes"));
        let body = format!("{public}_{}{}", half(high), half(low));
        let text = format!("{body}{}", checksum(&body));
        Self { named, text }
    }

    /// Reads a token; `None` when it is malformed or its checksum does not fit. Touches no database.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() < CHECKSUM_CHARS {
            return None;
        }
        let (body, sum) = text.split_at(text.len() - CHECKSUM_CHARS);
        if checksum(body) != sum {
            return None;
        }
        let (public, secret) = body.rsplit_once('_')?;
        if secret.len() != 2 * WORD_CHARS {
            return None;
        }
        let named = if let Some(key) = public.strip_prefix("byn_op_") {
            Named::Operator { key: read_word(key)?.into() }
        } else {
            let (environment, ids) = if let Some(ids) = public.strip_prefix("byn_live_") {
                (Environment::Live, ids)
            } else {
                (Environment::Test, public.strip_prefix("byn_test_")?)
            };
            if ids.len() != 2 * WORD_CHARS {
                return None;
            }
            let (realm, key) = ids.split_at(WORD_CHARS);
            Named::ApiKey { realm: read_word(realm)?.into(), key: read_word(key)?.into(), environment }
        };
        Some(Self { named, text: text.to_owned() })
    }

    /// What may be shown to recognise it by: no secret in it.
    pub fn prefix(&self) -> String {
        self.text.rsplit_once('_').map_or_else(String::new, |(public, _)| public.to_owned())
    }

    /// The whole token, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

fn word(id: Uuid) -> String {
    format!("{:0>WORD_CHARS$}", base62::encode(id.as_u128()))
}

fn read_word(text: &str) -> Option<Uuid> {
    (text.len() == WORD_CHARS)
        .then(|| {
            base62::decode(text.trim_start_matches('0'))
                .or_else(|error| if text.bytes().all(|b| b == b'0') { Ok(0) } else { Err(error) })
        })?
        .ok()
        .map(Uuid::from_u128)
}

fn checksum(body: &str) -> String {
    format!("{:0>CHECKSUM_CHARS$}", base62::encode(crc32fast::hash(body.as_bytes())))
}

/// The keys that hash secrets, by number; the last one hashes new ones. Kept outside the database.
#[derive(Clone)]
pub struct Peppers {
    by_id: BTreeMap<i64, Vec<u8>>,
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peppers").field("ids", &self.by_id.keys()).finish_non_exhaustive()
    }
}

impl Peppers {
    /// `None` when there is not one.
    pub fn new(by_id: BTreeMap<i64, Vec<u8>>) -> Option<Self> {
        (!by_id.is_empty()).then_some(Self { by_id })
    }

    /// What seals secrets that must be read again, with keys derived from the same material.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.by_id.iter().map(|(id, pepper)| (*id, pepper.as_slice())))
            .expect("there is at least one pepper")
    }

    /// The hash to store for a new token, and the pepper it was made with.
    pub fn hash(&self, token: &Token) -> (i64, String) {
        let (id, pepper) = self.by_id.last_key_value().expect("there is at least one pepper");
        (*id, digest(pepper, token))
    }

    /// Whether a stored hash is this token's, in constant time.
    pub fn matches(&self, token: &Token, pepper_id: i64, stored: &str) -> bool {
        self.by_id
            .get(&pepper_id)
            .is_some_and(|pepper| digest(pepper, token).as_bytes().ct_eq(stored.as_bytes()).into())
    }
}

fn digest(pepper: &[u8], token: &Token) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).expect("HMAC takes a key of any length");
    mac.update(token.text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        let named = Named::ApiKey {
            realm: Uuid::from_u128(7).into(),
            key: Uuid::from_u128(u128::MAX).into(),
            environment: Environment::Test,
        };
        Token::new(named, [0xA5; 32])
    }

    #[test]
    fn a_token_reads_back() {
        let token = token();
        assert!(token.reveal().starts_with("byn_test_"));
        assert_eq!(Token::parse(token.reveal()), Some(token));
        let operator = Token::new(Named::Operator { key: Uuid::nil().into() }, [0; 32]);
        assert_eq!(Token::parse(operator.reveal()), Some(operator));
    }

    #[test]
    fn one_changed_character_is_refused_without_a_database() {
        let text = token().reveal().to_owned();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(Token::parse(&String::from_utf8(bytes).unwrap()), None, "{at}");
        }
        for bad in ["", "byn_live_", "Bearer", "ünïcödé", "byn_live__abcdef"] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn neither_debug_nor_prefix_shows_the_secret() {
        let token = token();
        let secret = token.reveal().rsplit_once('_').unwrap().1.to_owned();
        assert!(!format!("{token:?}").contains(&secret[..8]));
        assert!(!token.prefix().contains(&secret[..8]));
    }

    #[test]
    fn a_hash_answers_to_its_own_token_and_pepper_only() {
        let peppers = Peppers::new(BTreeMap::from([(1, vec![1; 32]), (2, vec![2; 32])])).unwrap();
        let (id, hash) = peppers.hash(&token());
        assert_eq!(id, 2);
        assert!(peppers.matches(&token(), 2, &hash));
        assert!(!peppers.matches(&token(), 1, &hash));
        assert!(!peppers.matches(&token(), 3, &hash));
    }
}
