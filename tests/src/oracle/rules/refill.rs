//! Refills (SPEC §5): every decision looks once at each LIVE wallet it has touched, in the order it touched them.

use entity::kind::{Environment, StarvedReason};

use crate::oracle::command::Serial;
use crate::oracle::rules::state::{Oracle, Refill, Refilled};

impl Oracle {
    /// The last thing of every decision.
    pub(super) fn look_at_refills(&mut self) {
        while let Some(organization) = self.touched.iter().copied().find(|id| !self.looked_at.contains(id)) {
            if let Some(state) = self.refill(organization, 0) {
                self.organization_mut(organization).refill = state;
            }
            self.looked_at.insert(organization);
        }
    }

    /// Looks at a refill after its settings changed or its organization was resumed.
    pub(super) fn rearm(&mut self, organization: Serial) {
        self.begin(&[]);
        self.organization_mut(organization).refill = Refill::Armed;
        self.touched.push(organization);
        self.look_at_refills();
    }

    /// Brings a wallet to its threshold as if `promised` were gone from it already. Nothing changes while it is paused.
    fn refill(&mut self, id: Serial, promised: i64) -> Option<Refill> {
        let organization = self.organization(id).clone();
        let (Some(threshold), Some(amount)) = (organization.threshold, organization.amount) else {
            return Some(Refill::Armed);
        };
        let lacking = i128::from(threshold) - i128::from(self.available(id, Environment::Live) - promised);
        if lacking <= 0 {
            return Some(if self.refilled.contains(&id) { Refill::Fired } else { Refill::Armed });
        }
        if organization.archived || !organization.suspended_by.is_empty() {
            return None;
        }
        let Some(parent) = organization.parent else { return Some(Refill::Starved(StarvedReason::NoParent)) };
        if self.archived_at(parent).is_some() {
            return Some(Refill::Starved(StarvedReason::ParentArchived));
        }
        if self.suspended_at(parent).is_some() {
            return Some(Refill::Starved(StarvedReason::ParentSuspended));
        }
        // The smallest multiple that reaches the threshold.
        let mut wanted = i128::from(amount);
        if wanted < lacking {
            wanted *= lacking / wanted + i128::from(lacking % wanted != 0);
        }
        let month = self.month(id);
        let already: i64 =
            self.refills.iter().filter(|r| r.organization == id && r.month == month).map(|r| r.amount).sum();
        let allowed = match organization.ceiling {
            None => wanted,
            Some(ceiling) => wanted.min(multiple(i128::from(ceiling - already), amount)),
        };
        if allowed == 0 {
            return Some(Refill::Starved(StarvedReason::CeilingReached));
        }
        // The parent refills itself first, by what it will lack.
        self.refill(parent, i64::try_from(allowed).unwrap_or(i64::MAX / 2));
        let spare = self.available(parent, Environment::Live) - self.organization(parent).reserve;
        let moved = allowed.min(multiple(i128::from(spare), amount));
        if moved > 0 {
            let moved = i64::try_from(moved).expect("a wallet has no more");
            let parts = self.draw(parent, Environment::Live, moved);
            self.shift(&parts, id);
            self.refills.push(Refilled { organization: id, month, amount: moved });
            self.refilled.insert(id);
        }
        Some(if moved == wanted {
            Refill::Fired
        } else if moved == allowed {
            Refill::Starved(StarvedReason::CeilingReached)
        } else {
            Refill::Starved(StarvedReason::ParentExhausted)
        })
    }

    /// What came by refill in this month.
    pub fn refilled_this_month(&self, id: Serial) -> i64 {
        let month = self.month(id);
        self.refills.iter().filter(|refill| refill.organization == id && refill.month == month).map(|r| r.amount).sum()
    }
}

/// The largest multiple of `of` within `room`.
fn multiple(room: i128, of: i64) -> i128 {
    let of = i128::from(of);
    if room < of { 0 } else { room / of * of }
}
