//! The chosen organization's side of the screen.

use jiff::{SignedDuration, Timestamp};

use crate::credits::Credits;
use crate::effect::RequestId;
use crate::graphql::{FieldError, OrganizationDetail, OrganizationId, Wallet};

/// The cursor must rest this long before an organization is asked for, so that running down a list
/// does not ask for every row.
pub const REST: SignedDuration = SignedDuration::from_millis(120);
/// Charges arrive in bursts; ledger and limits are read again at most this often.
pub const REFETCH: SignedDuration = SignedDuration::from_millis(500);

#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The organization this side is about; `loaded` may still be the one before.
    pub of: Option<OrganizationId>,
    pub loaded: Option<Box<OrganizationDetail>>,
    /// Fields that the gateway left out, and why.
    pub errors: Vec<FieldError>,
    pub asked: Option<RequestId>,
    pub asked_at: Option<Timestamp>,
    /// Something changed while a request was out: ask once more when it is answered.
    pub ask_again: bool,
    pub ask_at: Option<Timestamp>,
    pub failure: Option<String>,
    /// The last change of the balance seen live.
    pub movement: Option<Credits>,
    pub scroll: usize,
}

impl Detail {
    /// Asks within `delay`, or sooner when that was planned already.
    pub fn plan(&mut self, now: Timestamp, delay: SignedDuration) {
        let at = now.checked_add(delay).unwrap_or(now);
        self.ask_at = Some(self.ask_at.map_or(at, |planned| planned.min(at)));
    }

    /// Asks at once, unless that was done just now.
    pub fn plan_soon(&mut self, now: Timestamp) {
        let rests_until = self.asked_at.and_then(|asked| asked.checked_add(REFETCH).ok());
        let wait = rests_until.map_or(SignedDuration::ZERO, |until| until.duration_since(now));
        self.plan(now, wait.max(SignedDuration::ZERO));
    }

    /// Turns to another organization.
    pub fn turn_to(&mut self, organization: Option<OrganizationId>, now: Timestamp) {
        self.of = organization;
        self.asked = None;
        self.asked_at = None;
        self.ask_again = false;
        self.ask_at = None;
        self.failure = None;
        self.movement = None;
        self.scroll = 0;
        if self.of.is_some() {
            self.plan(now, REST);
        }
    }

    /// What is loaded, when it is about the right organization.
    pub fn shown(&self) -> Option<&OrganizationDetail> {
        self.loaded.as_deref().filter(|loaded| Some(&loaded.id) == self.of.as_ref())
    }

    /// Takes a wallet that is not older than the one shown; says whether anything changed.
    pub fn patch_wallet(&mut self, wallet: &Wallet) -> bool {
        let Some(loaded) = &mut self.loaded else { return false };
        if loaded.id != wallet.organization.id {
            return false;
        }
        match &loaded.wallet {
            Some(shown) if shown.environment != wallet.environment => false,
            Some(shown) if shown.version >= wallet.version => false,
            shown => {
                if let Some(before) = shown {
                    let moved = wallet.balance.0.checked_sub(before.balance.0).map(Credits);
                    self.movement = moved.filter(|moved| moved.0 != 0).or(self.movement);
                }
                loaded.wallet = Some(wallet.clone());
                true
            }
        }
    }

    /// Takes an answer, without letting it undo a wallet that came live in the meantime.
    pub fn take(&mut self, mut arrived: Box<OrganizationDetail>, errors: Vec<FieldError>) {
        if let Some(shown) = self.loaded.take()
            && shown.id == arrived.id
            && let (Some(old), Some(new)) = (shown.wallet, &arrived.wallet)
            && old.environment == new.environment
            && old.version > new.version
        {
            arrived.wallet = Some(old);
        }
        self.loaded = Some(arrived);
        self.errors = errors;
        self.failure = None;
    }
}
