//! Fields that ask for more than their object did.

use async_graphql::{Context, Guard, Result};

use crate::access::fields::{self, Needs};
use crate::access::policy::Reach;
use crate::kernel::error::Fault;
use crate::schema::session::{Session, expose};

/// Refuses a field of an object whose row in [`fields`] asks for what the caller may not do in the object's organization,
/// and any field that has no row.
pub struct ByRow<'a> {
    pub session: &'a Session,
    /// How far the caller reaches into the organization that the object belongs to.
    pub reach: Reach,
    /// The name of the object's type in the schema.
    pub of: &'static str,
}

impl Guard for ByRow<'_> {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        let field = ctx.item.node.name.node.as_str();
        match fields::find(self.of, field) {
            Some(Needs::Permission(permission)) => {
                self.session.allows(self.reach, permission).map_err(|refusal| expose(ctx, refusal.into()))
            }
            Some(_) => Ok(()),
            None => {
                let fault = Fault::new(format!("{}.{field} has no row in access::fields", self.of));
                Err(expose(ctx, fault.into()))
            }
        }
    }
}
