//! What every field of the schema asks for: one row each, the only place that says so.
//!
//! Mutations take permission, standing and place from their row by name ([`crate::kernel::command::Command`]); resolvers
//! of lists and streams name their row ([`needs`], [`handed`]); the fields of `Organization` and its parts are guarded by
//! theirs (`schema::guard`). A field without a row does not pass the tests, and a guarded type refuses it.
//!
//! **To add a field**, add its name to a row of its type: `what it needs`, then for a mutation what the organization acted
//! on must be ([`Standing`]; `Any` when absent) and where the act must come from ([`Place`]; `Anywhere` when absent).
//! `Type by Permission` says what being handed an object of the type at all needs: in a list, by `node(id)`, in a stream.

use crate::access::policy::{Permission, Place, Standing};

/// What a field asks of whoever selects it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, not even a key.
    Nothing,
    /// A key that is recognised. What is found is shown as far as the rows of its type allow.
    SignedIn,
    /// Nothing more than was needed to be handed the object.
    Handed,
    /// This permission in the organization that it is about.
    Permission(Permission),
}

/// Fields of one type that ask for the same.
#[derive(Debug)]
pub struct Row {
    pub fields: &'static [&'static str],
    pub needs: Needs,
    pub standing: Standing,
    pub place: Place,
}

/// A type's rows.
#[derive(Debug)]
pub struct Type {
    pub name: &'static str,
    /// What it takes to be handed an object of it.
    pub by: Option<Permission>,
    pub rows: &'static [Row],
}

macro_rules! needs {
    (Nothing) => {
        Needs::Nothing
    };
    (SignedIn) => {
        Needs::SignedIn
    };
    (Handed) => {
        Needs::Handed
    };
    ($permission:ident) => {
        Needs::Permission(Permission::$permission)
    };
}

macro_rules! or {
    ($default:expr) => {
        $default
    };
    ($default:expr, $of:ident $given:ident) => {
        $of::$given
    };
}

macro_rules! by {
    () => {
        None
    };
    ($permission:ident) => {
        Some(Permission::$permission)
    };
}

macro_rules! fields {
    ($(
        $type:ident $(by $by:ident)? {
            $( $($field:ident)+ : $needs:tt $($standing:ident $($place:ident)?)? ; )+
        }
    )+) => {
        pub const TYPES: &[Type] = &[$(
            Type {
                name: stringify!($type),
                by: by!($($by)?),
                rows: &[$(
                    Row {
                        fields: &[$(stringify!($field)),+],
                        needs: needs!($needs),
                        standing: or!(Standing::Any $(, Standing $standing)?),
                        place: or!(Place::Anywhere $($(, Place $place)?)?),
                    },
                )+],
            },
        )+];
    };
}

fields! {
    Query {
        viewer eventTypes: Nothing;
        node nodes explainAccess: SignedIn;
        organization organizations meters: OrganizationRead;
        organizationArchivePlan organizationSuspendPlan: OrganizationControl;
        // The parent to be is asked for the same permission.
        organizationMovePlan organizationDetachPlan: OrganizationControl;
        apiKeys: KeyRead;
        auditEvents: AuditRead;
        creditQuote: CreditRead;
    }

    Mutation {
        organizationCreate organizationProvision: OrganizationControl Unarchived;
        organizationUpdate: OrganizationWrite Live;
        // Suspending oneself could not be undone: the key that would resume is the first to be cut off.
        organizationSuspend organizationArchive: OrganizationControl Live Above;
        // Nobody leaves their ancestors, or goes below others, by themselves. The new parent is asked for the same permission.
        organizationMove organizationDetach: OrganizationControl Live Above;
        organizationResume: OrganizationControl Live;
        organizationRelationUpdate organizationDelegationUpdate: OrganizationControl Live;
        organizationFundingUpdate: OrganizationControl Live;
        // Limits that a child sets itself would limit nothing.
        organizationLimitsUpdate: OrganizationControl Live AboveOrRoot;
        meterSet: OrganizationControl Live Root;
        apiKeyCreate: KeyWrite Live;
        apiKeyRotate apiKeyRevoke: KeyWrite;
        apiKeyVerify: KeyVerify;
        creditGrant: CreditIssue Unarchived;
        creditTransfer: CreditTransfer Live;
        creditCharge creditChargeBatch creditHold: CreditSpend Active;
        creditCapture creditVoid creditRefund: CreditSpend;
        memberAdd: MemberWrite Live;
        memberRemove: MemberWrite;
        webhookEndpointCreate webhookEndpointUpdate: WebhookWrite Live;
        webhookEndpointDelete webhookEndpointPause webhookEndpointResume: WebhookWrite;
        webhookEndpointPing webhookEndpointSecretRotate webhookDeliveryRedeliver: WebhookWrite;
        projectCreate: ProjectWrite Live;
        sellerCreate buyerCreate invoiceCreate invoiceSubmit invoiceCancel: TradeWrite Live;
    }

    Subscription {
        events: EventRead;
        walletChanges: CreditRead;
    }

    Viewer {
        kind id organization actingOrganization scopes environment rateLimit: Nothing;
    }
    RateLimit { requests keyPoints rootPoints: Nothing; }
    RequestAllowance { maximum available restoredPerMinute: Nothing; }
    PointAllowance { maximum available restoredPerSecond: Nothing; }

    // Whoever is shown an organization (as the viewer's own, as the owner of what they may read) is told which one it is.
    Organization by OrganizationRead {
        id name externalId status effectiveStatus: Handed;
        email billingEmail taxNumber phoneNumber website country industry: OrganizationRead;
        baseCurrency timezone metadata billingMode tier relation delegation: OrganizationRead;
        version createdAt updatedAt archivedAt depth suspensions: OrganizationRead;
        parent root ancestors children descendants billingOrganization canShareDataWith: OrganizationRead;
        edgeHistory: OrganizationRead;
        funding limits: OrganizationRead;
        summary: Handed;
        wallet holds ledgerEntries: CreditRead;
        apiKeys: KeyRead;
        members: MemberRead;
        webhookEndpoints: WebhookRead;
        projects: ProjectRead;
        sellers buyers invoices: TradeRead;
    }

    OrganizationSummary {
        childCount: OrganizationRead;
        apiKeyCount: KeyRead;
        projectCount: ProjectRead;
        balance available: CreditRead;
    }

    Suspension by OrganizationRead { organizationId placedAt placedBy placedByOrganizationId reason: Handed; }
    Funding by OrganizationRead { mode inherited primaryCoversSecondary fallbackToPrimary minimumReserve: Handed; }
    Limits by OrganizationRead {
        monthlyCreditCap monthlyUsed subtreeMonthlyCap subtreeMonthlyUsed: Handed;
        refillThreshold refillAmount refillMonthlyCeiling refilledThisMonth refillState refillReason: Handed;
        autoRefillEnabled periodStart periodEndsAt: Handed;
    }
    OrganizationPlan by OrganizationControl {
        organization descendants apiKeys webhookEndpoints refusals planHash: Handed;
        reclaimableCredits openHolds heldCredits: Handed;
    }
    OrganizationRestructuringPlan by OrganizationControl {
        organization parent descendants ancestorsLost webhookEndpoints delegation tier payer effectiveStatus: Handed;
        openHolds heldCredits refusals planHash: Handed;
    }
    EdgePeriod by OrganizationRead { id parent relation from until: Handed; }
    Meter by OrganizationRead { key credits description: Handed; }

    ApiKey by KeyRead {
        id organization name prefix familyId environment scopes status allowedIps rateLimit spendLimit: Handed;
        spentThisMonth createdAt expiresAt lastUsedAt revokedAt supersededAt: Handed;
    }

    Wallet by CreditRead {
        id organization environment balance held available spendable buckets version updatedAt: Handed;
    }
    Bucket by CreditRead { id origin priority balance held available expiresAt createdAt: Handed; }
    Hold by CreditRead {
        id organization environment status amount captured refunded meter quantity unitPrice: Handed;
        description metadata legs createdAt expiresAt settledAt: Handed;
    }
    HoldLeg by CreditRead { organizationId bucketId amount captured refunded: Handed; }
    LedgerEntry by CreditRead {
        id transaction transactionId kind environment amount balanceAfter bucketId: Handed;
        counterpartyOrganizationId description createdAt: Handed;
    }
    // Whoever reads the ledger of either end is handed it; of its entries only those they may read.
    LedgerTransaction by CreditRead { id kind environment amount description metadata entries createdAt: Handed; }
    CreditQuote by CreditRead { allowed amount legs spendable userErrors: Handed; }
    QuoteLeg by CreditRead { organizationId bucketId amount: Handed; }

    // Credits are moved over any edge, and spent over those that delegate BILLING: only a transfer may end at a wallet that
    // whoever moved them does not see.
    CreditTransferPayload { sourceWallet targetWallet: CreditMoved; }

    Member by MemberRead { id organization userId email name firstName lastName role createdAt: Handed; }
    WebhookEndpoint by WebhookRead {
        id organization url scope eventTypes description enabled disabledAt disabledReason createdAt: Handed;
        paused pausedAt previousSecretExpiresAt deliveries: Handed;
    }
    WebhookDelivery by WebhookRead {
        id webhookEndpoint eventId eventType eventOrganizationId status attemptCount nextAttemptAt: Handed;
        redeliveryOfId createdAt settledAt attempts: Handed;
    }
    WebhookDeliveryAttempt by WebhookRead { number startedAt durationMs responseStatus responseBody error: Handed; }
    AuditEvent by AuditRead {
        id organizationId actingOrganizationId actor actorKind action targetId outcome change: Handed;
        before after requestId address createdAt: Handed;
    }
    EventType { name description delegation schema: Nothing; }
    Event by EventRead { id cursor type organizationId occurredAt data: Handed; }

    Project by ProjectRead { id organization name timezone createdAt: Handed; }
    Seller by TradeRead { id organization name taxNumber email createdAt: Handed; }
    Buyer by TradeRead { id organization name taxNumber email createdAt: Handed; }
    Invoice by TradeRead {
        id organization seller buyer status currency lines total chargeId: Handed;
        createdAt submittedAt cancelledAt: Handed;
    }
    InvoiceLine by TradeRead { description quantity unitPrice total: Handed; }

    AccessExplanation {
        allowed rule message permission scopes grantedByScope delegation: Handed;
        edgeOrganizationId statusOrganizationId: Handed;
    }
}

/// Types whose objects are parts of one answer: whoever was let through to the field that answers is handed all of it,
/// except for fields that have a row.
pub fn is_part_of_an_answer(of: &str) -> bool {
    matches!(of, "PageInfo" | "Node" | "UserError" | "Payer")
        || ["Connection", "Edge", "Payload", "Result", "Error"].iter().any(|ending| of.ends_with(ending))
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn type_of(name: &str) -> Option<&'static Type> {
    let mut at = 0;
    while at < TYPES.len() {
        if same(TYPES[at].name, name) {
            return Some(&TYPES[at]);
        }
        at += 1;
    }
    None
}

/// The row of a field; `None` when it has none of its own.
pub const fn row(of: &str, field: &str) -> Option<&'static Row> {
    let Some(of) = type_of(of) else { return None };
    let mut at = 0;
    while at < of.rows.len() {
        let mut name = 0;
        while name < of.rows[at].fields.len() {
            if same(of.rows[at].fields[name], field) {
                return Some(&of.rows[at]);
            }
            name += 1;
        }
        at += 1;
    }
    None
}

/// What a field asks for; `None` when nothing says so, and then it is refused.
pub fn find(of: &str, field: &str) -> Option<Needs> {
    row(of, field).map(|row| row.needs).or_else(|| is_part_of_an_answer(of).then_some(Needs::Handed))
}

/// The permission of a field's row, read while compiling: a field without one does not compile.
pub const fn needs(of: &str, field: &str) -> Permission {
    match row(of, field) {
        Some(Row { needs: Needs::Permission(permission), .. }) => *permission,
        _ => panic!("this field has no row with a permission: add it to the table in access/fields.rs"),
    }
}

/// The permission that being handed an object of this type needs, read while compiling.
pub const fn handed(of: &str) -> Permission {
    match type_of(of) {
        Some(Type { by: Some(permission), .. }) => *permission,
        _ => panic!("this type has no `by` in the table in access/fields.rs"),
    }
}

/// What the organization that a mutation acts on must be.
pub const fn standing(mutation: &str) -> Standing {
    match row("Mutation", mutation) {
        Some(row) => row.standing,
        None => Standing::Any,
    }
}

/// Where a mutation must come from.
pub const fn place(mutation: &str) -> Place {
    match row("Mutation", mutation) {
        Some(row) => row.place,
        None => Place::Anywhere,
    }
}

/// The tables as a reviewer reads them: what each role may do, and what each field asks for.
pub fn as_text() -> String {
    use std::fmt::Write as _;

    use crate::access::policy::{Need, Reach, decide};
    use crate::access::role;

    let mut text =
        String::from("Permissions: any one of the scopes, and over an edge what it must delegate; then the roles.\n\n");
    for permission in Permission::ALL {
        let need = match permission.need() {
            Need::Control => "always".to_owned(),
            Need::Delegated(delegation) => format!("if {delegation}"),
            Need::Operator => "operator only".to_owned(),
        };
        let roles: Vec<&str> = role::ALL
            .into_iter()
            .filter(|role| decide(&role::scopes_of(*role), Reach::Own, *permission).is_ok())
            .map(|role| role.as_str())
            .collect();
        let line = format!(
            "{:<22} {:<44} {:<14} {}",
            permission.as_str(),
            permission.scopes().join(" | "),
            need,
            roles.join(" ")
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for of in TYPES {
        let by = of.by.map_or(String::new(), |permission| format!(", handed out by {}", permission.as_str()));
        let _ = writeln!(text, "\n{}{by}", of.name);
        for row in of.rows {
            let needs = match row.needs {
                Needs::Nothing => "nothing",
                Needs::SignedIn => "a key",
                Needs::Handed => "-",
                Needs::Permission(permission) => permission.as_str(),
            };
            for field in row.fields {
                let mut line = format!("  {field:<34} {needs:<22}");
                if row.standing != Standing::Any {
                    let _ = write!(line, " {:<12}", format!("{:?}", row.standing));
                }
                if row.place != Place::Anywhere {
                    let _ = write!(line, " {:?}", row.place);
                }
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
    }
    text
}
