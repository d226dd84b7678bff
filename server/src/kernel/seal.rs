//! Secrets that must be read again: sealed for the database, opened only where they are used.
//!
//! XChaCha20-Poly1305 with a random nonce of 192 bits, so that nonces need no counter. The keys are derived with
//! HKDF-SHA-256 from secrets that are kept outside the database; their number stands in front of what they sealed, so
//! that the last one seals and every one still opens. What is sealed is bound to its [`Place`]: copied into another row,
//! it does not open.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use entity::id::{AnyId, RealmId};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::kernel::error::Fault;

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// Tells keys derived for sealing from keys derived for anything else.
const PURPOSE: &[u8] = b"banyan seal 1";

/// Where a sealed secret belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub realm: RealmId,
    pub table: &'static str,
    pub column: &'static str,
    pub id: AnyId,
}

impl Place {
    fn associated_data(self) -> String {
        format!("{}|{}|{}|{}", self.realm, self.table, self.column, self.id)
    }
}

/// Seals and opens. Never shown by `Debug`.
#[derive(Clone)]
pub struct Sealer {
    by_id: BTreeMap<i64, XChaCha20Poly1305>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("ids", &self.by_id.keys()).finish_non_exhaustive()
    }
}

impl Sealer {
    /// From numbered secrets, of which the last one seals. `None` when there is not one.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (i64, &'a [u8])>) -> Option<Self> {
        let by_id: BTreeMap<_, _> = secrets.into_iter().map(|(id, secret)| (id, cipher(secret))).collect();
        (!by_id.is_empty()).then_some(Self { by_id })
    }

    /// The text to store. `randomness` is used once and never for anything else.
    pub fn seal(&self, place: Place, secret: &str, randomness: [u8; 32]) -> String {
        let (id, cipher) = self.by_id.last_key_value().expect("there is at least one key");
        let (nonce, _) = randomness.split_at(NONCE_BYTES);
        let bound_to = place.associated_data();
        let payload = Payload { msg: secret.as_bytes(), aad: bound_to.as_bytes() };
        let sealed = cipher
            .encrypt(&XNonce::try_from(nonce).expect("the nonce was cut to its length"), payload)
            .expect("the cipher takes up to 256 GiB");
        format!("{id}.{}", STANDARD_NO_PAD.encode([nonce, &sealed].concat()))
    }

    /// The secret of a stored text. A fault when the key is gone, the text was changed, or it belongs to another place.
    pub fn open(&self, place: Place, sealed: &str) -> Result<String, Fault> {
        let fault = || Fault::new(format!("{}.{} of {} does not open", place.table, place.column, place.id));
        let (id, text) = sealed.split_once('.').ok_or_else(fault)?;
        let cipher = id.parse().ok().and_then(|id: i64| self.by_id.get(&id)).ok_or_else(fault)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| fault())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(fault)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| fault())?;
        let bound_to = place.associated_data();
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let opened = cipher.decrypt(&nonce, payload).map_err(|_| fault())?;
        String::from_utf8(opened).map_err(|_| fault())
    }
}

fn cipher(secret: &[u8]) -> XChaCha20Poly1305 {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, secret).expand(PURPOSE, &mut key).expect("a key is shorter than HKDF's limit");
    XChaCha20Poly1305::new(&key)
}

#[cfg(test)]
mod tests {
    use entity::id::WebhookEndpointId;
    use uuid::Uuid;

    use super::*;

    fn place(id: u128) -> Place {
        let id = WebhookEndpointId::from(Uuid::from_u128(id)).into();
        Place { realm: Uuid::from_u128(7).into(), table: "webhook_endpoint", column: "secret_sealed", id }
    }

    fn sealer(ids: &[i64]) -> Sealer {
        let secrets: Vec<(i64, Vec<u8>)> =
            ids.iter().map(|id| (*id, vec![u8::try_from(*id).unwrap_or_default(); 32])).collect();
        Sealer::new(secrets.iter().map(|(id, secret)| (*id, secret.as_slice()))).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_in_no_other() {
        let sealed = sealer(&[1]).seal(place(1), "whsec_abc", [9; 32]);
        assert!(!sealed.contains("whsec_abc"));
        assert_eq!(sealer(&[1]).open(place(1), &sealed).unwrap(), "whsec_abc");
        assert!(sealer(&[1]).open(place(2), &sealed).is_err());
        assert!(sealer(&[1]).open(Place { column: "url", ..place(1) }, &sealed).is_err());
    }

    #[test]
    fn an_older_key_still_opens_and_a_lost_one_does_not() {
        let sealed = sealer(&[1]).seal(place(1), "whsec_abc", [9; 32]);
        assert_eq!(sealer(&[1, 2]).open(place(1), &sealed).unwrap(), "whsec_abc");
        assert!(sealer(&[1, 2]).seal(place(1), "whsec_abc", [9; 32]).starts_with("2."));
        assert!(sealer(&[2]).open(place(1), &sealed).is_err());
    }

    #[test]
    fn a_changed_or_cut_text_does_not_open() {
        let sealed = sealer(&[1]).seal(place(1), "whsec_abc", [9; 32]);
        for bad in ["", ".", "1.", "1.AAAA", "x.AAAA", &sealed[..sealed.len() - 4], &sealed.replacen("1.", "1.A", 1)] {
            assert!(sealer(&[1]).open(place(1), bad).is_err(), "{bad}");
        }
    }
}
