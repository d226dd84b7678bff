//! What can be listed.
//!
//! A resource is one file here: its columns, its filters, the fragment they read and the query for a
//! page. A column is a line in that file and, where it shows something new, a field of its fragment.
//!
//! Shape: each file reads its own typed fragments; what leaves it is a [`Record`], the same for all,
//! with a cell for each column. So a list, a one-shot command and a recording handle one shape.
//!
//! Not here: which page is asked for when, and what stands on the screen.

mod audit;
mod deliveries;
mod endpoints;
mod events;
mod filter;
mod holds;
mod keys;
mod ledger;
mod members;
mod organizations;
mod trend;
mod wallet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::act::{Kind, Named, Pinned};
use crate::credits::Credits;
use crate::graphql::{Answer, Environment, OrganizationId, Request, schema};
pub use events::record as record_of_event;
pub use filter::{Filter, FilterKey};
pub use trend::Trend;

/// Records that one page asks for; the schema's own limit.
pub const PAGE_RECORDS: i32 = 100;

/// Every list there is, in the order of help and documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceId {
    Organizations,
    Wallet,
    Ledger,
    Holds,
    Keys,
    Members,
    Endpoints,
    Deliveries,
    Events,
    Audit,
}

impl ResourceId {
    pub const ALL: [Self; 10] = [
        Self::Organizations,
        Self::Wallet,
        Self::Ledger,
        Self::Holds,
        Self::Keys,
        Self::Members,
        Self::Endpoints,
        Self::Deliveries,
        Self::Events,
        Self::Audit,
    ];

    pub fn spec(self) -> &'static Resource {
        match self {
            Self::Organizations => &organizations::ORGANIZATIONS,
            Self::Wallet => &wallet::WALLET,
            Self::Ledger => &ledger::LEDGER,
            Self::Holds => &holds::HOLDS,
            Self::Keys => &keys::KEYS,
            Self::Members => &members::MEMBERS,
            Self::Endpoints => &endpoints::ENDPOINTS,
            Self::Deliveries => &deliveries::DELIVERIES,
            Self::Events => &events::EVENTS,
            Self::Audit => &audit::AUDIT,
        }
    }

    /// The resource of a word on the command line: its name, or the beginning of it.
    pub fn of_word(word: &str) -> Option<Self> {
        let named = Self::ALL.into_iter().find(|id| id.spec().name == word);
        named.or_else(|| {
            let mut begins = Self::ALL.into_iter().filter(|id| !word.is_empty() && id.spec().name.starts_with(word));
            begins.next().filter(|_| begins.next().is_none())
        })
    }
}

/// One kind of list.
pub struct Resource {
    pub id: ResourceId,
    /// As the command line and the one-shot command spell it.
    pub name: &'static str,
    pub title: &'static str,
    /// What the gateway calls one of them, where acts can be done to it.
    pub kind: Option<Kind>,
    pub within: Within,
    pub columns: fn() -> Vec<Column>,
    pub filters: &'static [FilterKey],
    /// The filter that words without a key belong to; without one they look through what is loaded.
    pub words_filter: Option<&'static str>,
    /// What the server can order by: the word, and the column it is about.
    pub orders: &'static [&'static str],
    /// Types of events that change the list.
    pub events: &'static [&'static str],
    /// A page; absent for what is only streamed.
    pub page: Option<fn(&Ask) -> Request<Answer>>,
    /// The present state of records by id, where the schema gives it.
    pub refresh: Option<Refresh>,
    /// One record with everything that a page leaves out, for when it is opened.
    pub whole: Option<fn(&str) -> Request<Answer>>,
    /// When a record may next be another one without an event that tells of it. `None` when it stays as it is.
    pub stirs: Option<fn(&Record) -> Option<Timestamp>>,
    /// The scope the gateway will ask a key for.
    pub scope: &'static str,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Everything in sight.
    Everything,
    Organization,
    /// A record of another list, which it is opened from.
    Record(ResourceId),
}

/// Asks for records by their ids.
pub type Refresh = fn(&[String]) -> Request<Answer>;

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A column's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: &'static str,
    /// Terminal columns it takes. The one column of 0 takes what the others leave.
    pub width: usize,
    pub right: bool,
    /// A screen that is too narrow drops the highest first.
    pub rank: u8,
}

/// A column of one fragment: its head, and what it says of a node.
pub struct Of<T> {
    head: Column,
    cell: fn(&T) -> Cell,
}

const fn left<T>(title: &'static str, width: usize, rank: u8, cell: fn(&T) -> Cell) -> Of<T> {
    Of { head: Column { title, width, right: false, rank }, cell }
}

const fn right<T>(title: &'static str, width: usize, rank: u8, cell: fn(&T) -> Cell) -> Of<T> {
    Of { head: Column { title, width, right: true, rank }, cell }
}

fn heads<T>(columns: &[Of<T>]) -> Vec<Column> {
    columns.iter().map(|column| column.head).collect()
}

fn cells<T>(columns: &[Of<T>], node: &T) -> Vec<Cell> {
    columns.iter().map(|column| (column.cell)(node)).collect()
}

/// What stands in a row under a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    Nothing,
    Text(String),
    /// A word of the schema, with how it is to be taken.
    Word(String, Tone),
    Credits(Credits),
    /// Credits that moved: always with their sign.
    Moved(Credits),
    Count(i64),
    /// Shown in UTC, to the second.
    Time(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
    Faint,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn optional(text: &Option<String>) -> Self {
        text.clone().map_or(Self::Nothing, Self::Text)
    }

    pub fn time(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Nothing, Self::Time)
    }

    pub fn credits(amount: Option<Credits>) -> Self {
        amount.map_or(Self::Nothing, Self::Credits)
    }

    pub fn plain(word: &str) -> Self {
        Self::Word(word.to_owned(), Tone::Plain)
    }

    /// Exact, as a script or a panel shows it.
    pub fn words(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) | Self::Word(text, _) => text.clone(),
            Self::Credits(amount) => amount.to_string(),
            Self::Moved(amount) => amount.signed(),
            Self::Count(count) => count.to_string(),
            Self::Time(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }

    pub fn as_json(&self) -> serde_json::Value {
        match self {
            Self::Nothing => serde_json::Value::Null,
            Self::Text(text) | Self::Word(text, _) => text.as_str().into(),
            Self::Credits(amount) | Self::Moved(amount) => amount.0.into(),
            Self::Count(count) => (*count).into(),
            Self::Time(at) => at.to_string().into(),
        }
    }
}

/// A row of a list, whatever it is a list of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is; of an organization, its own id.
    pub organization: Option<OrganizationId>,
    pub version: Option<i32>,
    /// Where the list goes on behind it.
    pub cursor: String,
    pub cells: Vec<Cell>,
    /// What there is no column for; it stands below the others where the record is shown whole.
    #[serde(default)]
    pub parts: Vec<Part>,
}

/// A part of a record, with its own labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub title: String,
    pub cells: Vec<(String, Cell)>,
}

impl Record {
    /// The record as the target of an act: by its id, and as it is now.
    pub fn pinned(&self, kind: Kind, organization: Option<&Named>) -> Pinned {
        let own = || Named { id: OrganizationId::new(&self.id), name: self.name.clone() };
        let organization = match (kind, organization) {
            (Kind::Organization, _) | (_, None) => own(),
            (_, Some(organization)) => organization.clone(),
        };
        Pinned { kind, id: self.id.clone(), name: self.name.clone(), organization, version: self.version }
    }

    /// The record with its columns' titles as names, for scripts.
    pub fn as_json(&self, columns: &[Column]) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        object.insert("id".to_owned(), self.id.as_str().into());
        for (column, cell) in columns.iter().zip(&self.cells) {
            object.insert(column.title.replace(' ', "_"), cell.as_json());
        }
        object.into()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordPage {
    pub records: Vec<Record>,
    pub more_before: bool,
    pub more_after: bool,
    /// How many the whole list has, when that was asked.
    pub total: Option<i32>,
    /// Figures about the list as a whole.
    pub summary: Vec<(String, Cell)>,
    #[serde(default)]
    pub trend: Option<Trend>,
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slice {
    First,
    After(String),
    Before(String),
    Last,
    /// Only how many there are.
    Count,
}

/// The four arguments of a connection.
impl Slice {
    pub fn first(&self, size: i32) -> Option<i32> {
        match self {
            Self::First | Self::After(_) => Some(size),
            Self::Count => Some(1),
            Self::Before(_) | Self::Last => None,
        }
    }

    pub fn last(&self, size: i32) -> Option<i32> {
        matches!(self, Self::Before(_) | Self::Last).then_some(size)
    }

    pub fn after(&self) -> Option<String> {
        if let Self::After(cursor) = self { Some(cursor.clone()) } else { None }
    }

    pub fn before(&self) -> Option<String> {
        if let Self::Before(cursor) = self { Some(cursor.clone()) } else { None }
    }
}

/// A server's order: one of the resource's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub field: &'static str,
    pub descending: bool,
}

/// What a page is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    pub organization: Option<OrganizationId>,
    /// The record of another list that it is of.
    pub within: Option<String>,
    pub environment: Environment,
    /// Keys of the resource's filters with their values.
    pub filter: Vec<(&'static str, String)>,
    pub order: Option<Order>,
    pub slice: Slice,
}

impl Ask {
    fn value(&self, key: &str) -> Option<String> {
        self.filter.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    /// A value that the schema spells in capitals.
    fn word(&self, key: &str) -> Option<String> {
        self.value(key).map(|value| value.to_uppercase())
    }

    fn organization(&self) -> OrganizationId {
        self.organization.clone().unwrap_or_else(|| OrganizationId::new(""))
    }

    fn first(&self) -> Option<i32> {
        self.slice.first(PAGE_RECORDS)
    }

    fn last(&self) -> Option<i32> {
        self.slice.last(PAGE_RECORDS)
    }

    fn after(&self) -> Option<String> {
        self.slice.after()
    }

    fn before(&self) -> Option<String> {
        self.slice.before()
    }
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "PageInfo")]
struct Ends {
    has_next_page: bool,
    has_previous_page: bool,
}

/// The connection of a fragment, its edges, and the reading of them. The file has the query's
/// `Variables`, a `count` among them, and says by `record` what becomes of a node.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident) => {
        #[derive(cynic::QueryFragment, Debug)]
        #[cynic(variables = "Variables")]
        struct $connection {
            edges: Vec<$edge>,
            page_info: super::Ends,
            #[directives(include(if: $count))]
            total_count: Option<i32>,
        }

        // What cynic derives looks for its own names where the field's type was written.
        type Node = $node;

        #[derive(cynic::QueryFragment, Debug)]
        struct $edge {
            cursor: String,
            node: Node,
        }

        impl $connection {
            fn page(self) -> super::RecordPage {
                let record = |edge: $edge| super::Record { cursor: edge.cursor, ..record(&edge.node) };
                super::RecordPage {
                    records: self.edges.into_iter().map(record).collect(),
                    more_before: self.page_info.has_previous_page,
                    more_after: self.page_info.has_next_page,
                    total: self.total_count,
                    summary: Vec::new(),
                    trend: None,
                }
            }
        }
    };
}

/// The present state of nodes by id.
macro_rules! refresh {
    ($node:ident) => {
        #[derive(cynic::QueryVariables, Debug)]
        struct NodesVariables {
            ids: Vec<cynic::Id>,
        }

        #[derive(cynic::QueryFragment, Debug)]
        #[cynic(graphql_type = "Query", variables = "NodesVariables")]
        struct NodesQuery {
            #[arguments(ids: $ids)]
            nodes: Vec<Option<NodeOf>>,
        }

        #[derive(cynic::InlineFragments, Debug)]
        #[cynic(graphql_type = "Node")]
        #[allow(clippy::large_enum_variant, reason = "whether it is large depends on the node")]
        enum NodeOf {
            $node($node),
            #[cynic(fallback)]
            Other,
        }

        fn refresh(ids: &[String]) -> crate::graphql::Request<crate::graphql::Answer> {
            use cynic::QueryBuilder;
            let ids = ids.iter().map(cynic::Id::new).collect();
            let operation = NodesQuery::build(NodesVariables { ids });
            crate::graphql::Request::new("Nodes", operation, |data: NodesQuery, _| {
                let record = |node| match node {
                    Some(NodeOf::$node(node)) => Some(record(&node)),
                    Some(NodeOf::Other) | None => None,
                };
                crate::graphql::Answer::Records(data.nodes.into_iter().map(record).collect())
            })
        }
    };
}

use {connection, refresh};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_by_the_beginning_of_its_name_when_that_is_clear() {
        assert_eq!(ResourceId::of_word("keys"), Some(ResourceId::Keys));
        assert_eq!(ResourceId::of_word("org"), Some(ResourceId::Organizations));
        assert_eq!(ResourceId::of_word("e"), None, "endpoints or events");
        assert_eq!(ResourceId::of_word("nothing"), None);
    }

    #[test]
    fn of_every_list_one_column_takes_the_rest_of_the_line() {
        for id in ResourceId::ALL {
            let columns = (id.spec().columns)();
            let flexible = columns.iter().filter(|column| column.width == 0).count();
            assert_eq!(flexible, 1, "{id:?}");
        }
    }

    #[test]
    fn whatever_a_list_is_ordered_by_is_one_of_its_columns() {
        for id in ResourceId::ALL {
            let titles: Vec<_> = (id.spec().columns)().iter().map(|column| column.title).collect();
            for order in id.spec().orders {
                assert!(titles.contains(order), "{order} of {id:?}");
            }
        }
    }
}
