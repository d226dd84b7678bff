//! Inputs of organizations and how they become commands.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined, OneofObject};

use crate::kernel::error::Refusal;
use crate::organization::command::{CreateOrganization, Parent};
use crate::organization::model::{Change, Profile, metadata_from};
use crate::organization::store::{Filter, Sort, SortBy, Status};
use crate::schema::kind::{BillingMode, Delegation, EffectiveStatus, FundingMode, OrderDirection, Relation, Tier};
use crate::schema::scalar::{CountryCode, Credits, Currency, Json};
use crate::schema::session::{Session, optional_id};

/// How to find one organization.
#[derive(OneofObject, Clone, Debug)]
pub enum OrganizationBy {
    /// By its id.
    Id(ID),
    /// By your own id for it; the live one is preferred to archived ones.
    ExternalId(String),
}

/// Which organizations of a list are meant. Conditions add up.
#[derive(InputObject, Clone, Debug, Default)]
pub struct OrganizationFilter {
    /// Effective status, over the organization and its ancestors.
    pub status: Option<EffectiveStatus>,
    /// The edge to the parent; roots have none.
    pub relation: Option<Relation>,
    /// The tier.
    pub tier: Option<Tier>,
    /// Text anywhere in the name, whatever the capitals.
    pub name: Option<String>,
    /// Your own id for it, exactly.
    pub external_id: Option<String>,
    /// A key that its metadata has.
    pub metadata_key: Option<String>,
    /// Only roots, or only organizations that are none.
    pub root: Option<bool>,
}

impl OrganizationFilter {
    pub fn read(filter: Option<Self>) -> Filter {
        let Some(filter) = filter else { return Filter::default() };
        Filter {
            status: filter.status.map(|status| match status {
                EffectiveStatus::Active => Status::Active,
                EffectiveStatus::Suspended => Status::Suspended,
                EffectiveStatus::Archived => Status::Archived,
            }),
            relation: filter.relation.map(Into::into),
            tier: filter.tier.map(Into::into),
            name: filter.name,
            external_id: filter.external_id,
            metadata_key: filter.metadata_key,
            root: filter.root,
        }
    }
}

/// What organizations can be sorted by.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum OrganizationOrderField {
    /// The name, whatever the capitals.
    Name,
    /// Age.
    CreatedAt,
    /// The balance of the LIVE wallet.
    Balance,
}

/// How a list of organizations is sorted.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct OrganizationOrder {
    /// What to sort by.
    pub field: OrganizationOrderField,
    /// Which way.
    #[graphql(default)]
    pub direction: OrderDirection,
}

impl OrganizationOrder {
    /// By name when nothing is said.
    pub fn read(order: Option<Self>) -> Sort {
        let Some(order) = order else { return Sort::default() };
        let by = match order.field {
            OrganizationOrderField::Name => SortBy::Name,
            OrganizationOrderField::CreatedAt => SortBy::CreatedAt,
            OrganizationOrderField::Balance => SortBy::Balance,
        };
        Sort { by, descending: order.direction == OrderDirection::Desc }
    }
}

/// A new organization.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationCreateInput {
    /// The parent; the acting organization when absent. The operator makes a root by leaving it out.
    pub parent_id: Option<ID>,
    /// 2 to 255 characters.
    pub name: String,
    /// Contact address.
    pub email: Option<String>,
    /// Where bills go; the contact address when absent.
    pub billing_email: Option<String>,
    /// XXXXXXXX-XXXX, in digits.
    pub tax_number: Option<String>,
    /// E.164, such as +2348012345678.
    pub phone_number: Option<String>,
    /// http:// or https://.
    pub website: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: Option<CountryCode>,
    /// Free text, at most 100 characters.
    pub industry: Option<String>,
    /// Three letters of ISO 4217; inherited when absent.
    pub base_currency: Option<Currency>,
    /// A name of the IANA database; the parent's when absent.
    pub timezone: Option<String>,
    /// Your own id for it; unique among the parent's children that are not archived.
    pub external_id: Option<String>,
    /// An object of strings: at most 50 keys of 40 characters, values of 500.
    pub metadata: Option<Json>,
    /// How it buys credits; the parent's when absent.
    pub billing_mode: Option<BillingMode>,
    /// How data flows to the parent; OWNED when absent.
    pub relation: Option<Relation>,
    /// At most the parent's; the parent's when absent.
    pub tier: Option<Tier>,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

impl OrganizationCreateInput {
    pub fn command(&self, session: &Session) -> Result<CreateOrganization, Refusal> {
        let parent = match optional_id(self.parent_id.as_ref(), "parentId")? {
            Some(id) => Parent::Of(id),
            None if session.caller.acting_organization().is_some() => Parent::Acting,
            None => Parent::Root,
        };
        Ok(CreateOrganization {
            parent,
            profile: self.profile()?,
            relation: self.relation.map(Into::into),
            welcome_credits: session.welcome_credits,
            idempotency_key: session.idempotency_key(self.idempotency_key.clone()),
        })
    }

    pub fn profile(&self) -> Result<Profile, Refusal> {
        fn given<T: Clone>(value: Option<&T>) -> Change<T> {
            value.map_or(Change::Keep, |value| Change::Set(value.clone()))
        }
        let metadata = self.metadata.as_ref().map(|json| metadata_from(&json.0, "metadata")).transpose()?;
        Ok(Profile {
            name: Change::Set(self.name.clone()),
            email: given(self.email.as_ref()),
            billing_email: given(self.billing_email.as_ref()),
            tax_number: given(self.tax_number.as_ref()),
            phone_number: given(self.phone_number.as_ref()),
            website: given(self.website.as_ref()),
            country: given(self.country.as_ref().map(|code| &code.0)),
            industry: given(self.industry.as_ref()),
            base_currency: given(self.base_currency.as_ref().map(|code| &code.0)),
            timezone: given(self.timezone.as_ref()),
            external_id: given(self.external_id.as_ref()),
            metadata: given(metadata.as_ref()),
            billing_mode: given(self.billing_mode.map(Into::into).as_ref()),
            tier: given(self.tier.map(Into::into).as_ref()),
        })
    }
}

/// Changes of the record. What is absent stays; what is null is cleared.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationUpdateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// The version this change was made for; another one is refused with `STALE_VERSION`.
    pub expected_version: i32,
    /// 2 to 255 characters.
    pub name: MaybeUndefined<String>,
    /// Contact address.
    pub email: MaybeUndefined<String>,
    /// Where bills go.
    pub billing_email: MaybeUndefined<String>,
    /// XXXXXXXX-XXXX, in digits.
    pub tax_number: MaybeUndefined<String>,
    /// E.164, such as +2348012345678.
    pub phone_number: MaybeUndefined<String>,
    /// http:// or https://.
    pub website: MaybeUndefined<String>,
    /// Two letters of ISO 3166-1.
    pub country: MaybeUndefined<CountryCode>,
    /// Free text, at most 100 characters.
    pub industry: MaybeUndefined<String>,
    /// Three letters of ISO 4217; null inherits the parent's.
    pub base_currency: MaybeUndefined<Currency>,
    /// A name of the IANA database.
    pub timezone: MaybeUndefined<String>,
    /// Your own id for it.
    pub external_id: MaybeUndefined<String>,
    /// An object of strings. It replaces all metadata there is.
    pub metadata: MaybeUndefined<Json>,
    /// How it buys credits.
    pub billing_mode: MaybeUndefined<BillingMode>,
    /// At most its own tier, unless the operator gives it.
    pub tier: MaybeUndefined<Tier>,
}

/// Absent, null and a value, as the rules know them.
pub fn change<T, U>(value: &MaybeUndefined<T>, read: impl Fn(&T) -> U) -> Change<U> {
    match value {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::Set(read(value)),
    }
}

impl OrganizationUpdateInput {
    pub fn profile(&self) -> Result<Profile, Refusal> {
        let text = |value: &MaybeUndefined<String>| change(value, Clone::clone);
        let metadata = match &self.metadata {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(json) => Change::Set(metadata_from(&json.0, "metadata")?),
        };
        Ok(Profile {
            name: text(&self.name),
            email: text(&self.email),
            billing_email: text(&self.billing_email),
            tax_number: text(&self.tax_number),
            phone_number: text(&self.phone_number),
            website: text(&self.website),
            country: change(&self.country, |code| code.0.clone()),
            industry: text(&self.industry),
            base_currency: change(&self.base_currency, |code| code.0.clone()),
            timezone: text(&self.timezone),
            external_id: text(&self.external_id),
            metadata,
            billing_mode: change(&self.billing_mode, |mode| (*mode).into()),
            tier: change(&self.tier, |tier| (*tier).into()),
        })
    }
}

/// An organization to cut off.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationSuspendInput {
    /// The organization; everything below it is cut off with it.
    pub organization_id: ID,
    /// For the audit trail and whoever is cut off, at most 500 characters.
    pub reason: Option<String>,
    /// From `organizationSuspendPlan`: refuses with `PLAN_STALE` when the world changed since.
    pub plan_hash: Option<String>,
}

/// An organization to let back in.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationResumeInput {
    /// The organization.
    pub organization_id: ID,
    /// For the audit trail, at most 500 characters.
    pub reason: Option<String>,
}

/// An organization to end.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationArchiveInput {
    /// The organization.
    pub organization_id: ID,
    /// Whether to archive everything below it too.
    #[graphql(default = false)]
    pub cascade: bool,
    /// For the audit trail, at most 500 characters.
    pub reason: Option<String>,
    /// From `organizationArchivePlan`: refuses with `PLAN_STALE` when the world changed since.
    pub plan_hash: Option<String>,
}

/// A new relation to the parent.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationRelationUpdateInput {
    /// The child.
    pub organization_id: ID,
    /// How data flows from now on; past periods stay as they were.
    pub relation: Relation,
    /// The version this change was made for.
    pub expected_version: Option<i32>,
}

/// What an edge lets ancestors do.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationDelegationUpdateInput {
    /// The child.
    pub organization_id: ID,
    /// Everything that is delegated from now on. Either side may take away; only the child's own keys may add.
    pub delegation: Vec<Delegation>,
    /// The version this change was made for.
    pub expected_version: Option<i32>,
}

/// Who pays.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationFundingUpdateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// Who pays for this organization; null takes the parent's default.
    pub mode: MaybeUndefined<FundingMode>,
    /// As a parent: whether its pool pays for its children's spend.
    pub primary_covers_secondary: Option<bool>,
    /// As a parent: whether it covers what its children cannot. Moot when it covers everything.
    pub fallback_to_primary: Option<bool>,
    /// What it keeps for itself when it pays for others.
    pub minimum_reserve: Option<Credits>,
}

/// Caps and automatic refill. What is absent stays; null is no limit.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationLimitsUpdateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// The most it may spend in a month of its time zone.
    pub monthly_credit_cap: MaybeUndefined<Credits>,
    /// The most it and everything below it may spend in a month.
    pub subtree_monthly_cap: MaybeUndefined<Credits>,
    /// Refill when available falls below this. Together with `refillAmount` or not at all.
    pub refill_threshold: MaybeUndefined<Credits>,
    /// Refill in multiples of this, from the parent.
    pub refill_amount: MaybeUndefined<Credits>,
    /// The most refills may bring in a month.
    pub refill_monthly_ceiling: MaybeUndefined<Credits>,
}
