//! Whether an organization may spend, by itself and by everything above it.

use entity::id::OrganizationId;

use super::book::{Book, Organization, Wallet};
use super::refusal::Refusal;
use super::terms::Environment;

/// The organization, if it and all its ancestors are in the book: one that was not loaded must not
/// pass for one that is active and limits nothing.
pub(super) fn known(book: &Book, id: OrganizationId) -> Result<&Organization, Refusal> {
    let above = book.path(id).last().map_or(Some(id), |highest| highest.parent);
    match (book.organization(id), above) {
        (Some(organization), None) => Ok(organization),
        (_, missing) => Err(Refusal::NotFound { id: missing.unwrap_or(id).into() }),
    }
}

/// The wallet of the organization, or why it is not there.
pub(super) fn wallet(book: &Book, id: OrganizationId, environment: Environment) -> Result<&Wallet, Refusal> {
    book.wallet(id, environment).ok_or(Refusal::NotFound { id: id.into() })
}

/// The nearest archived organization of the path, the organization itself included.
pub fn archived(book: &Book, id: OrganizationId) -> Option<OrganizationId> {
    book.path(id).find(|step| step.archived).map(|step| step.id)
}

/// The nearest suspended organization of the path, the organization itself included.
pub fn suspended(book: &Book, id: OrganizationId) -> Option<OrganizationId> {
    book.path(id).find(|step| step.suspended).map(|step| step.id)
}

/// Refuses unless the organization and every ancestor is active. An archive anywhere on the path
/// comes before a suspension: it is the one that nobody can lift.
pub(super) fn require_active(book: &Book, organization: OrganizationId) -> Result<(), Refusal> {
    if let Some(archived) = archived(book, organization) {
        return Err(Refusal::OrganizationArchived { organization, archived });
    }
    match suspended(book, organization) {
        Some(suspended) => Err(Refusal::OrganizationSuspended { organization, suspended }),
        None => Ok(()),
    }
}

/// The nearest ancestor that is archived neither itself nor through one of its own: where credits
/// of an archived organization go. None for roots and where all the path is archived.
pub fn nearest_live_ancestor(book: &Book, id: OrganizationId) -> Option<OrganizationId> {
    let mut nearest = None;
    for step in book.path(id).skip(1) {
        if step.archived {
            nearest = None;
        } else if nearest.is_none() {
            nearest = Some(step.id);
        }
    }
    nearest
}
