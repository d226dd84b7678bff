//! What of an audience's events a caller may see: control reaches always, the rest as far as the path delegates it.

use std::collections::HashMap;
use std::sync::Arc;

use entity::event;
use entity::id::OrganizationId;

use crate::access::policy::Reach;
use crate::access::store as access_store;
use crate::event::audience::is_told;
use crate::event::catalogue;
use crate::kernel::error::Result;
use crate::schema::session::Session;

/// Organizations whose reach is remembered; beyond it all are forgotten and looked up again.
const REMEMBERED_MAX: usize = 1_000;

/// Remembers how far the caller reaches, until [`Sight::forget`]: whoever owns it calls that when edges may have changed.
pub struct Sight {
    session: Arc<Session>,
    reaches: HashMap<OrganizationId, Option<Reach>>,
}

impl Sight {
    pub fn new(session: Arc<Session>) -> Self {
        Self { session, reaches: HashMap::new() }
    }

    pub fn forget(&mut self) {
        self.reaches.clear();
    }

    /// Whether the caller may see this event. At most one statement, for an organization not met before.
    pub async fn allows(&mut self, event: &event::Model) -> Result<bool> {
        if catalogue::delegation_of(&event.event_type).is_none() {
            return Ok(true);
        }
        Ok(is_told(&event.event_type, self.reach(event).await?))
    }

    async fn reach(&mut self, event: &event::Model) -> Result<Option<Reach>> {
        let organization = event.organization_id;
        if self.session.caller.principal.key().is_none_or(|key| key.organization == organization) {
            return Ok(Some(Reach::Own));
        }
        if let Some(reach) = self.reaches.get(&organization) {
            return Ok(*reach);
        }
        let paths = access_store::paths(&self.session.snapshot(), &[event.realm_id], &[organization]).await?;
        let reach = paths.get(&organization).and_then(|(_, path)| self.session.reach(path));
        if self.reaches.len() >= REMEMBERED_MAX {
            self.reaches.clear();
        }
        self.reaches.insert(organization, reach);
        Ok(reach)
    }
}
