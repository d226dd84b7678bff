use async_graphql::Pos;
use async_graphql::parser::Error as ParserError;

/// Which figure of a document was too high. The names are part of the contract (`extensions.limit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Bytes,
    Tokens,
    Nesting,
    Depth,
    Fields,
    Aliases,
    RootFields,
    FragmentSpreads,
    Directives,
    FragmentCycles,
    IntrospectionDepth,
    IntrospectionLists,
    Cost,
}

impl Limit {
    pub fn name(self) -> &'static str {
        match self {
            Limit::Bytes => "bytes",
            Limit::Tokens => "tokens",
            Limit::Nesting => "nesting",
            Limit::Depth => "depth",
            Limit::Fields => "fields",
            Limit::Aliases => "aliases",
            Limit::RootFields => "rootFields",
            Limit::FragmentSpreads => "fragmentSpreads",
            Limit::Directives => "directives",
            Limit::FragmentCycles => "fragmentCycles",
            Limit::IntrospectionDepth => "introspectionDepth",
            Limit::IntrospectionLists => "introspectionLists",
            Limit::Cost => "cost",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Limit::Bytes => "Put long values into variables.",
            Limit::Tokens => "Split the document into smaller ones.",
            Limit::Nesting => "Nest fewer brackets and fragments within each other.",
            Limit::Depth => "Select fewer levels of fields, or start from a deeper object.",
            Limit::Fields => "Select fewer fields; fragments count at every place they are spread.",
            Limit::Aliases => "Use fewer aliases, or ask for several objects with a list or a connection.",
            Limit::RootFields => "Send the top-level fields in several requests.",
            Limit::FragmentSpreads => "Spread fewer fragments; a spread within a fragment counts at every place.",
            Limit::Directives => "Put fewer directives on one field.",
            Limit::FragmentCycles => "A fragment must not contain itself.",
            Limit::IntrospectionDepth => "Use the standard introspection query, or GET /schema.graphql.",
            Limit::IntrospectionLists => "Use the standard introspection query, or GET /schema.graphql.",
            Limit::Cost => "Ask for smaller pages (first, last) or fewer connections within each other.",
        }
    }
}

/// Why a document is not executed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    Limit {
        limit: Limit,
        maximum: u64,
        found: u64,
    },
    Syntax {
        message: String,
        position: Option<Pos>,
    },
    /// `operationName` and the document do not fit.
    Operation(&'static str),
}

impl Refusal {
    /// The parser's message quotes the offending line, which may be the whole document: only what it
    /// expected is kept.
    pub(super) fn syntax(error: &ParserError) -> Self {
        let message = match error {
            ParserError::Syntax { message, .. } => match message.lines().rev().find_map(|line| line.split_once("= ")) {
                Some((_, expected)) => format!("The document cannot be parsed: {expected}."),
                None => "The document cannot be parsed.".to_owned(),
            },
            other => format!("The document cannot be parsed: {other}."),
        };
        Refusal::Syntax { message, position: error.positions().next() }
    }

    pub fn message(&self) -> String {
        match self {
            Refusal::Limit { limit: Limit::FragmentCycles, .. } => Limit::FragmentCycles.advice().to_owned(),
            Refusal::Limit { limit, maximum, found } => {
                let name = limit.name();
                format!("The document exceeds the limit `{name}`: {found}, at most {maximum}. {}", limit.advice())
            }
            Refusal::Syntax { message, .. } => message.clone(),
            Refusal::Operation(message) => (*message).to_owned(),
        }
    }
}
