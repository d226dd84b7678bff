//! The query `explainAccess`.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use entity::id::{ApiKeyId, MemberId, OrganizationId};

use crate::access::explain::{Action, Asker, Ended, Verdict, explain};
use crate::access::fields::{handed, needs};
use crate::access::path::{EffectiveStatus, Path};
use crate::access::policy::{Denial, Permission};
use crate::access::principal::Principal;
use crate::access::role::scopes_of;
use crate::access::scope::Scopes;
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::kernel::owned::{self, OwnedRow};
use crate::member::model::Membership;
use crate::schema::kind::Delegation;
use crate::schema::session::{Session, expose, optional_id};

/// The longest action that is read, in characters.
const ACTION_MAX_CHARS: usize = 100;

/// Who would act, and on whom. Whoever asks has to see both.
#[derive(InputObject, Clone, Debug)]
pub struct AccessSubjectInput {
    /// An API key; whoever asks when neither key nor member is named. Needs `keys:*` unless it is the asker's own.
    pub api_key_id: Option<ID>,
    /// A member, who may do what the role holds. Needs `members:*`.
    pub member_id: Option<ID>,
    /// The organization acted on; the key's or member's own when absent.
    pub organization_id: Option<ID>,
}

/// What decided.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub enum AccessRule {
    /// Allowed: it asks for nothing, or only for a key that is recognised.
    Open,
    /// Allowed: the operator may do anything.
    Operator,
    /// Allowed: a scope is held, in the own organization.
    Own,
    /// Allowed: a scope is held, and control reaches every descendant.
    Control,
    /// Allowed: a scope is held, and every edge on the way delegates what it takes.
    Delegated,
    /// Denied: the key is revoked.
    Revoked,
    /// Denied: the key has expired.
    Expired,
    /// Denied: the organization of the key or member, or one above it, is suspended or archived.
    Cut,
    /// Denied: for this subject there is no such organization. Authority never goes upward or sideways.
    OutOfSight,
    /// Denied: none of the scopes is held.
    MissingScope,
    /// Denied: an edge on the way does not delegate what it takes.
    NotDelegated,
    /// Denied: it has to come from above, or belongs to the root.
    Misplaced,
    /// Denied: only the operator may.
    OperatorOnly,
    /// Denied: the organization acted on, or one above it, is suspended or archived.
    Status,
}

/// Whether somebody may do something, and the rule that decides. What an input says can be refused for other reasons.
#[derive(SimpleObject, Clone, Debug)]
pub struct AccessExplanation {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that decided.
    pub rule: AccessRule,
    /// The rule in a sentence, with what to do about it when it denies.
    pub message: String,
    /// The permission the action asks for; null when it asks for none.
    pub permission: Option<String>,
    /// The scopes of which one suffices; empty when none is needed or none would do.
    pub scopes: Vec<String>,
    /// The scope that granted it.
    pub granted_by_scope: Option<String>,
    /// What every edge on the way has to delegate; null when control is enough or the way has no edge.
    pub delegation: Option<Delegation>,
    /// The child of the first edge that does not delegate it. Its own principals can widen the edge.
    pub edge_organization_id: Option<ID>,
    /// The nearest organization whose suspension or end is in the way.
    pub status_organization_id: Option<ID>,
}

impl AccessExplanation {
    fn new(verdict: &Verdict, permission: Option<Permission>) -> Self {
        let (rule, message) = told(verdict, permission);
        let mut told = Self {
            allowed: verdict.allowed(),
            rule,
            message,
            permission: permission.map(|permission| permission.as_str().to_owned()),
            scopes: permission.map_or(&[][..], |asked| asked.scopes()).iter().map(|&scope| scope.to_owned()).collect(),
            granted_by_scope: None,
            delegation: None,
            edge_organization_id: None,
            status_organization_id: None,
        };
        match verdict {
            Verdict::Own(scope) | Verdict::Control(scope) => told.granted_by_scope = Some((*scope).to_owned()),
            Verdict::Delegated(scope, delegation) => {
                told.granted_by_scope = Some((*scope).to_owned());
                told.delegation = Some((*delegation).into());
            }
            Verdict::Edge(delegation, edge) => {
                told.delegation = Some((*delegation).into());
                told.edge_organization_id = Some(edge.to_string().into());
            }
            Verdict::Cut(status) | Verdict::Target(status) => {
                told.status_organization_id = in_the_way(*status).map(|id| id.to_string().into());
            }
            _ => {}
        }
        told
    }
}

fn in_the_way(status: EffectiveStatus) -> Option<OrganizationId> {
    match status {
        EffectiveStatus::Active => None,
        EffectiveStatus::Suspended { by } | EffectiveStatus::Archived { by } => Some(by),
    }
}

/// The verdict as a rule and a sentence.
fn told(verdict: &Verdict, permission: Option<Permission>) -> (AccessRule, String) {
    let status = |status: &EffectiveStatus| match status {
        EffectiveStatus::Active => "is active".to_owned(),
        EffectiveStatus::Suspended { by } => format!("cannot: {by} is suspended. Whoever suspended it can resume it"),
        EffectiveStatus::Archived { by } => format!("cannot: {by} is archived, which is final"),
    };
    let denied = |denial: &Denial| permission.map_or_else(String::new, |asked| denial.message(asked));
    match verdict {
        Verdict::Open => (AccessRule::Open, "It needs no permission of its own.".to_owned()),
        Verdict::Operator => (AccessRule::Operator, "The operator may do anything.".to_owned()),
        Verdict::Own(scope) => (AccessRule::Own, format!("{scope} is held, and this is the own organization.")),
        Verdict::Control(scope) => {
            (AccessRule::Control, format!("{scope} is held, and control reaches every descendant."))
        }
        Verdict::Delegated(scope, delegation) => {
            (AccessRule::Delegated, format!("{scope} is held, and every edge on the way delegates {delegation}."))
        }
        Verdict::Ended(Ended::Revoked) => (AccessRule::Revoked, "The key is revoked. Mint a new one.".to_owned()),
        Verdict::Ended(Ended::Expired) => (AccessRule::Expired, "The key has expired. Mint a new one.".to_owned()),
        Verdict::Cut(why) => (AccessRule::Cut, format!("Whoever would act {}.", status(why))),
        Verdict::OutOfSight => {
            let message =
                "The organization is neither the subject's own nor below it, so for the subject it does not exist.";
            (AccessRule::OutOfSight, message.to_owned())
        }
        Verdict::Denied(denial) => {
            let rule = match denial {
                Denial::MissingScope(_) => AccessRule::MissingScope,
                Denial::NotDelegated(_) => AccessRule::NotDelegated,
                Denial::Misplaced(_) => AccessRule::Misplaced,
                Denial::OperatorOnly => AccessRule::OperatorOnly,
            };
            (rule, denied(denial))
        }
        Verdict::Edge(delegation, edge) => {
            let message = format!(
                "The edge of {edge} to its parent does not delegate {delegation}. A key of {edge} can widen it."
            );
            (AccessRule::NotDelegated, message)
        }
        Verdict::Target(why) => (AccessRule::Status, format!("The organization acted on {}.", status(why))),
    }
}

/// Who would act, as far as the decision goes.
enum Found {
    Operator,
    Of { own: Path, scopes: Scopes, ended: Option<Ended> },
}

#[derive(Default)]
pub struct AccessQuery;

#[Object]
impl AccessQuery {
    /// Whether a key, a member or whoever asks may do something, and which rule decides: scope, delegation along the
    /// path, or a status. A subject or an organization that the asker does not see is `NOT_FOUND`.
    async fn explain_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who would act, and on whom.")] subject: AccessSubjectInput,
        #[graphql(
            desc = "A mutation, query or subscription (`creditCharge`), any field as `Type.field` (`Organization.wallet`), or a permission (`credit:read`)."
        )]
        action: String,
    ) -> Result<Option<AccessExplanation>> {
        let session = Session::of(ctx);
        let read = async {
            session.signed_in()?;
            let named = optional_id(subject.organization_id.as_ref(), "organizationId")?;
            let found = find(session, &subject).await?;
            let action = read_action(&action)?;
            let target = match (named, &found) {
                (None, Found::Of { own, .. }) => own.clone(),
                (named, _) => {
                    let id = named.or(session.caller.acting_organization()).ok_or_else(name_an_organization)?;
                    session.find_path(id).await?.1
                }
            };
            let asker = match &found {
                Found::Operator => Asker::Operator,
                Found::Of { own, scopes, ended } => Asker::Of { own, scopes, ended: *ended },
            };
            Ok(AccessExplanation::new(&explain(&asker, &target, &action), action.permission()))
        };
        let explained: Result<_, Error> = read.await;
        explained.map(Some).map_err(|error| expose(ctx, error))
    }
}

fn name_an_organization() -> Refusal {
    Refusal {
        path: vec!["subject".into(), "organizationId".into()],
        ..Refusal::new(ErrorCode::InvalidInput, "The operator belongs to no organization: name one.")
    }
}

fn read_action(text: &str) -> Result<Action, Refusal> {
    Action::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(ACTION_MAX_CHARS).collect();
        let message = format!(
            "There is no action \"{}\". Name a mutation, query or subscription, a field as Type.field, or a permission such as credit:read.",
            shown.escape_debug()
        );
        Refusal { path: vec!["action".into()], ..Refusal::new(ErrorCode::InvalidInput, message) }
    })
}

/// The subject, if the asker may see it.
async fn find(session: &Session, subject: &AccessSubjectInput) -> Result<Found, Error> {
    let key: Option<ApiKeyId> = optional_id(subject.api_key_id.as_ref(), "apiKeyId")?;
    let member: Option<MemberId> = optional_id(subject.member_id.as_ref(), "memberId")?;
    match (key, member) {
        (Some(_), Some(_)) => Err(Refusal::invalid("memberId", "Name a key or a member, not both.").into()),
        (Some(key), None) => find_key(session, key).await,
        (None, Some(member)) => find_member(session, member).await,
        (None, None) => match &session.caller.principal {
            Principal::ApiKey(own) => find_key(session, own.key).await,
            _ => Ok(Found::Operator),
        },
    }
}

async fn find_key(session: &Session, id: ApiKeyId) -> Result<Found, Error> {
    let rows = crate::api_key::api::by_ids(&session.snapshot(), &session.realms(), &[id]).await?;
    let row = rows.into_iter().next().ok_or_else(Refusal::not_found)?.row;
    let (_, own, reach) = session.find_path(row.organization_id).await?;
    if session.caller.principal.key().is_none_or(|caller| caller.key != id) {
        const READ: Permission = handed("ApiKey");
        session.allows(reach, READ)?;
    }
    let expired = row.expires_at.is_some_and(|at| at <= session.now());
    let ended = if row.revoked_at.is_some() { Some(Ended::Revoked) } else { expired.then_some(Ended::Expired) };
    Ok(Found::Of { own, scopes: Scopes::new(row.scopes.0), ended })
}

async fn find_member(session: &Session, id: MemberId) -> Result<Found, Error> {
    const READ: Permission = needs("Organization", "members");
    let rows: Vec<Membership> = owned::by_ids(&session.snapshot(), &session.realms(), &[id.into()]).await?;
    let row = rows.into_iter().next().ok_or_else(Refusal::not_found)?;
    let (_, own, reach) = session.find_path(row.organization_id()).await?;
    session.allows(reach, READ)?;
    Ok(Found::Of { own, scopes: scopes_of(row.role), ended: None })
}
