//! What SPEC §3 says should come of it, written down a second time and as simply as can be. It knows nothing of the code
//! it judges: a field is judged by its noun.

/// What one cell came to, or should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guards let it through; a mutation may still be refused for what it says.
    Answers,
    Forbidden,
    /// As for an id that nothing has.
    Nothing,
    Unauthenticated,
    Suspended,
    /// The organization acted on is archived.
    Ended,
}

/// What the edges between a principal's organization and the target delegate.
pub type Edges = &'static [&'static str];

pub const OWNED: Edges = &["BILLING", "DATA_READ", "DATA_WRITE"];
pub const LINKED: Edges = &["BILLING"];
pub const NARROWED: Edges = &[];

/// Where the target is, as the principal sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The operator sees all.
    All,
    Own,
    /// Below, over edges that together delegate this.
    Below(Edges),
    Nowhere,
}

/// How a principal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Live,
    Suspended,
    /// Its key is revoked, or its organization archived.
    Ended,
    Anonymous,
}

/// Whom an outcome is asked for.
#[derive(Clone, Debug)]
pub struct Who {
    pub sight: Sight,
    /// Whether the target is a root.
    pub on_root: bool,
    pub standing: Standing,
    pub scopes: Vec<String>,
}

/// What a field asks for: one of these sets of scopes, and over an edge this delegation.
pub struct Asks {
    pub scopes: &'static [&'static [&'static str]],
    pub edge: Option<&'static str>,
    only_operator: bool,
}

const fn asks(scopes: &'static [&'static [&'static str]]) -> Asks {
    Asks { scopes, edge: None, only_operator: false }
}

const fn over(edge: &'static str, scopes: &'static [&'static [&'static str]]) -> Asks {
    Asks { scopes, edge: Some(edge), only_operator: false }
}

const READ: Asks = asks(&[&["org:read"], &["org:write"], &["org:admin"]]);
const ADMIN: Asks = asks(&[&["org:admin"]]);
const KEYS: Asks = asks(&[&["keys:*"], &["org:admin"]]);
/// Whoever mints or takes over a key with `keys:verify` holds that scope.
const MINT: Asks = asks(&[&["keys:*"], &["org:admin", "keys:verify"]]);
const CREDITS: Asks = over("BILLING", &[&["credits:read"], &["org:admin"]]);
const MEMBERS: Asks = asks(&[&["members:*"], &["org:admin"]]);
/// Whoever makes a VIEWER, or ends one, holds what a VIEWER holds; `org:admin` decides who is in.
const VIEWERS: Asks = asks(&[&["org:admin"], &["members:*", "org:read", "credits:read", "usage:read", "audit:read"]]);
const WEBHOOKS: Asks = asks(&[&["webhooks:*"], &["org:admin"]]);
const AUDIT: Asks = asks(&[&["audit:read"], &["org:admin"]]);
/// Nothing but to be shown the object.
const SHOWN: Asks = asks(&[&[]]);

/// What SPEC §3 asks for a field, by its noun.
pub fn asks_of(of: &str, field: &str) -> Asks {
    match of {
        "Mutation" => mutation(field),
        "Subscription" if field == "events" => asks(&[&["webhooks:*"], &["org:read"], &["org:admin"]]),
        "Query" if matches!(field, "viewer" | "eventTypes") => SHOWN,
        "Query" if field.ends_with("Plan") => ADMIN,
        "Query" if field == "explainAccess" => KEYS,
        "Organization" if matches!(field, "id" | "name" | "externalId" | "status" | "effectiveStatus" | "summary") => {
            SHOWN
        }
        _ => read(field),
    }
}

/// A type of node is read as the field that lists it is.
fn read(field: &str) -> Asks {
    let field = field[..1].to_lowercase() + &field[1..];
    let begins = |nouns: &[&str]| nouns.iter().any(|noun| field.starts_with(noun));
    if begins(&["wallet", "hold", "ledger", "credit", "balance", "available"]) {
        CREDITS
    } else if begins(&["apiKey"]) {
        KEYS
    } else if begins(&["member"]) {
        MEMBERS
    } else if begins(&["webhook"]) {
        WEBHOOKS
    } else if begins(&["audit"]) {
        AUDIT
    } else if begins(&["project"]) {
        over("DATA_READ", &[&["projects:*"]])
    } else if begins(&["seller", "buyer", "invoice"]) {
        over("DATA_READ", &[&["trade:*"]])
    } else {
        READ
    }
}

fn mutation(field: &str) -> Asks {
    let begins = |nouns: &[&str]| nouns.iter().any(|noun| field.starts_with(noun));
    match field {
        "organizationUpdate" => asks(&[&["org:write"], &["org:admin"]]),
        "organizationProvision" => asks(&[&["org:admin", "keys:verify"]]),
        "apiKeyCreate" | "apiKeyRotate" => MINT,
        "apiKeyVerify" => asks(&[&["keys:verify"]]),
        "creditGrant" => Asks { scopes: &[], edge: None, only_operator: true },
        "creditTransfer" => asks(&[&["credits:transfer"], &["org:admin"]]),
        _ if begins(&["organization", "meter"]) => ADMIN,
        _ if begins(&["apiKey"]) => KEYS,
        _ if begins(&["credit"]) => over("BILLING", &[&["credits:spend"]]),
        _ if begins(&["member"]) => VIEWERS,
        _ if begins(&["webhook"]) => WEBHOOKS,
        _ if begins(&["project"]) => over("DATA_WRITE", &[&["projects:*"]]),
        _ if begins(&["seller", "buyer", "invoice"]) => over("DATA_WRITE", &[&["trade:*"]]),
        _ => panic!("say in tests/it/matrix/oracle.rs what SPEC §3 asks for the mutation {field}"),
    }
}

/// What should come of a field on a target that is active.
pub fn expect(of: &str, field: &str, who: &Who) -> Outcome {
    let asked = asks_of(of, field);
    match who.standing {
        Standing::Anonymous if of == "Query" && matches!(field, "viewer" | "eventTypes") => return Outcome::Answers,
        Standing::Anonymous | Standing::Ended => return Outcome::Unauthenticated,
        Standing::Suspended => return Outcome::Suspended,
        Standing::Live => {}
    }
    // The viewer is always somebody, the list of organizations is always one's own, the catalogue nobody's.
    let own_alone = of == "Query" && matches!(field, "viewer" | "organizations" | "eventTypes");
    let sight = if own_alone && who.sight == Sight::Nowhere { Sight::Own } else { who.sight };
    let edges: Edges = match sight {
        Sight::Nowhere => return Outcome::Nothing,
        Sight::All if field == "meterSet" && !who.on_root => return Outcome::Forbidden,
        Sight::All => return Outcome::Answers,
        Sight::Own => OWNED,
        Sight::Below(_) if own_alone => OWNED,
        Sight::Below(edges) => edges,
    };
    // Nobody cuts themselves off, leaves their ancestors, limits themselves, or prices the root's meters from below.
    let misplaced = match field {
        "organizationSuspend" | "organizationArchive" | "organizationMove" | "organizationDetach" => {
            sight == Sight::Own
        }
        "organizationLimitsUpdate" => sight == Sight::Own && !who.on_root,
        "meterSet" => !who.on_root,
        _ => false,
    };
    let holds = |scope: &str| {
        let wildcard = scope.split_once(':').map(|(space, _)| format!("{space}:*"));
        let held = |held: &str| held == scope || (scope != "org:admin" && Some(held) == wildcard.as_deref());
        who.scopes.iter().any(|scope| held(scope))
    };
    let scoped = asked.scopes.iter().any(|all| all.iter().all(|scope| holds(scope)));
    let delegated = asked.edge.is_none_or(|edge| edges.contains(&edge));
    if asked.only_operator || misplaced || !scoped || !delegated { Outcome::Forbidden } else { Outcome::Answers }
}

/// The same when the target is archived: it is read as before, and nothing new comes to it.
pub fn expect_of_archived(of: &str, field: &str, who: &Who) -> Outcome {
    let settles = ["Capture", "Void", "Refund", "Revoke", "Rotate", "Verify", "Remove", "Delete"];
    match expect(of, field, who) {
        Outcome::Answers if of == "Mutation" && !settles.iter().any(|verb| field.ends_with(verb)) => Outcome::Ended,
        other => other,
    }
}

/// The same when the target is suspended: its spending stops, and its keys are no longer good.
pub fn expect_of_suspended(of: &str, field: &str, who: &Who) -> Outcome {
    match expect(of, field, who) {
        Outcome::Answers if matches!(field, "creditCharge" | "creditChargeBatch" | "creditHold" | "apiKeyVerify") => {
            Outcome::Suspended
        }
        other => other,
    }
}
