//! The closed vocabularies as the schema documents them; the values are `entity::kind`'s.

use async_graphql::Enum;

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident = $remote:literal { $( $(#[$variant_doc:meta])* $variant:ident ),+ $(,)? } )+) => {$(
        $(#[$doc])*
        #[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Hash)]
        #[graphql(remote = $remote)]
        pub enum $name { $( $(#[$variant_doc])* $variant, )+ }
    )+};
}

kinds! {
    /// How data flows over the edge to the parent.
    Relation = "entity::kind::Relation" {
        /// Consolidated into the parent's reports; delegates everything unless narrowed.
        Owned,
        /// Isolated from the parent's reports; delegates billing only unless narrowed.
        Linked,
    }
    /// What an edge lets ancestors do besides control.
    Delegation = "entity::kind::Delegation" {
        /// Read and spend the wallet, read the ledger and usage.
        Billing,
        /// Read what the organization keeps.
        DataRead,
        /// Change what the organization keeps.
        DataWrite,
    }
    /// Who pays for an organization's spend.
    FundingMode = "entity::kind::FundingMode" {
        /// The organization's own wallet alone.
        Isolated,
        /// Its own wallet first, then the wallets above it for the shortfall.
        Fallback,
        /// The first ancestor that is not itself pooled, alone.
        Pooled,
    }
    /// How an organization buys credits.
    BillingMode = "entity::kind::BillingMode" {
        /// Pays before. Its credits move to prepaid organizations only.
        Prepaid,
        /// Pays as it goes.
        Payg,
        /// Both.
        Hybrid,
    }
    /// What an organization's plan allows.
    Tier = "entity::kind::Tier" {
        /// No children.
        Free,
        /// No children, more features.
        Standard,
        /// Children.
        Enterprise,
    }
    /// Whether credits are worth money.
    Environment = "entity::kind::Environment" {
        /// Real credits.
        Live,
        /// Play credits: a wallet of their own that nobody else pays into or draws from.
        Test,
    }
    /// Where the credits of a bucket came from.
    BucketOrigin = "entity::kind::BucketOrigin" {
        /// Part of a plan.
        Included,
        /// Bought.
        Prepaid,
        /// Given.
        Promotional,
    }
    /// What became of a hold.
    HoldStatus = "entity::kind::HoldStatus" {
        /// Credits are reserved.
        Open,
        /// Spent, in full or in part; the rest returned.
        Captured,
        /// Returned on request.
        Voided,
        /// Returned because its time was up.
        Expired,
    }
    /// Where a wallet's automatic refill stands.
    RefillState = "entity::kind::RefillState" {
        /// Available is at or above the threshold, or no refill is set.
        Armed,
        /// The last fall below the threshold was made good.
        Fired,
        /// It was not; `refillReason` says why.
        Starved,
    }
    /// Why a refill could not bring a wallet back to its threshold.
    StarvedReason = "entity::kind::StarvedReason" {
        /// A root has nobody to be refilled from.
        NoParent,
        /// The parent has too little above its reserve.
        ParentExhausted,
        /// The parent, or an organization above it, is suspended.
        ParentSuspended,
        /// The parent, or an organization above it, is archived.
        ParentArchived,
        /// The month's ceiling for refills is used up.
        CeilingReached,
    }
    /// What moved the credits of a transaction.
    TransactionKind = "entity::kind::TransactionKind" {
        /// Credits were issued.
        Grant,
        /// Moved between two wallets on request.
        Transfer,
        /// Spent at once.
        Charge,
        /// A hold was spent.
        Capture,
        /// Spent credits were given back.
        Refund,
        /// Credits ran out of time.
        Expiry,
        /// Moved from the parent because the wallet ran low.
        Refill,
        /// Moved home from an archived organization.
        Sweep,
    }
    /// Who acts.
    PrincipalKind = "entity::kind::PrincipalKind" {
        /// Nobody that was recognised.
        Anonymous,
        /// Whoever runs the deployment.
        Operator,
        /// An organization's API key.
        ApiKey,
        /// A person.
        User,
        /// Banyan itself.
        System,
    }
    /// Whether an attempt was let through.
    AuditOutcome = "entity::kind::AuditOutcome" {
        /// It was done.
        Done,
        /// It was refused for lack of rights.
        Denied,
    }
    /// What a member may do.
    MemberRole = "entity::kind::MemberRole" {
        /// Everything, and gives `org:admin`.
        Owner,
        /// Everything but giving `org:admin`.
        Admin,
        /// Wallets, usage and plans.
        Billing,
        /// Keys, webhooks and data.
        Developer,
        /// Reads.
        Viewer,
    }
    /// Whose events are meant.
    EventScope = "entity::kind::EventScope" {
        /// The organization's own.
        Own,
        /// Its own and its children's.
        Children,
        /// Its own and every descendant's: the firehose.
        Subtree,
    }
    /// What became of a delivery.
    DeliveryStatus = "entity::kind::DeliveryStatus" {
        /// It is still being tried, or waits for those before it.
        Pending,
        /// An attempt succeeded.
        Delivered,
        /// The last attempt failed.
        Failed,
        /// It was not sent: its endpoint was disabled.
        Cancelled,
    }
    /// Where an invoice stands.
    InvoiceStatus = "entity::kind::InvoiceStatus" {
        /// May still be changed.
        Draft,
        /// Submitted, and its meter charged.
        Submitted,
        /// Withdrawn.
        Cancelled,
    }
}

/// The effective status of an organization: the worst over itself and its ancestors.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum EffectiveStatus {
    /// Nothing stands in the way.
    Active,
    /// It or an ancestor is suspended: its keys are refused and nothing is spent.
    Suspended,
    /// It or an ancestor is archived, for good.
    Archived,
}

/// The organization's own status, whatever its ancestors'.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum OrganizationStatus {
    /// Not archived.
    Active,
    /// Ended, for good.
    Archived,
}

/// Which way a list goes.
#[derive(Enum, Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum OrderDirection {
    /// Smallest, first or oldest on top.
    #[default]
    Asc,
    /// Largest, last or newest on top.
    Desc,
}
