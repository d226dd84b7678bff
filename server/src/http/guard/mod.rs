//! Refuses a hostile GraphQL document before it can cost anything.
//!
//! Stages, each linear in the document: count tokens, fields and nesting over the bytes ([`scan`]), parse once,
//! measure every definition once with its fragments expanded ([`analysis`]), price the chosen operation
//! with the variables of the request ([`cost`]). Nothing here waits, logs or knows HTTP.
//!
//! Invariants: the parser only sees documents whose nesting is bounded, because it recurses and a
//! stack overflow would end the process; the engine only sees documents whose expanded size is
//! bounded, because its validators walk every fragment spread anew.
//!
//! Deliberately not here: rate limits (who asks is not known yet), and GraphQL validation, which stays
//! the engine's. An unknown field costs like an object and is refused by the engine afterwards.
//!
//! [`Limits::second_belt`] sets the engine's own limits too, for whoever executes a document without asking
//! here. Its `limit_complexity` stays off: it counts fields without list sizes and would only disagree.

mod analysis;
mod cost;
mod documents;
mod field_types;
mod refusal;
mod scan;
mod used;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{SchemaBuilder, Value, Variables};

use documents::{Documents, Measured};
use field_types::FieldTypes;
pub use field_types::SdlError;
pub use refusal::{Limit, Refusal};

/// The maxima of a document. The defaults are what Banyan publishes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of the document; its variables may be longer. The parser takes some 15 ms for 256 KiB of string.
    pub document_bytes: u64,
    pub tokens: u64,
    /// Brackets open at once in the text, and selection sets within each other once fragments are expanded.
    pub nesting: u64,
    /// Fields within fields; introspection has its own two limits.
    pub depth: u64,
    pub fields: u64,
    pub aliases: u64,
    pub root_fields: u64,
    pub fragment_spreads: u64,
    pub directives_per_field: u64,
    pub introspection_depth: u64,
    /// `fields`, `interfaces`, `possibleTypes` and `inputFields` within each other: each level multiplies the answer.
    pub introspection_lists: u64,
    pub cost_points: u64,
    /// Parsed documents kept.
    pub cached_documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 64 * 1024,
            tokens: 10_000,
            nesting: 64,
            depth: 15,
            fields: 2_000,
            aliases: 100,
            root_fields: 20,
            fragment_spreads: 500,
            directives_per_field: 8,
            introspection_depth: 24,
            introspection_lists: 2,
            cost_points: 10_000,
            cached_documents: 512,
        }
    }
}

/// A document that may be executed.
#[derive(Debug)]
pub struct Accepted {
    pub document: ExecutableDocument,
    pub kind: OperationType,
    pub cost_points: u64,
    /// Top-level fields of the operation, fragments expanded.
    pub root_fields: u64,
    pub bill: Bill,
}

/// What an answer is priced by, as the operation was before it ran.
#[derive(Clone, Debug)]
pub struct Bill {
    measured: Arc<Measured>,
    operation_name: Option<String>,
    cost_points: u64,
    fixed_points: u64,
}

#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    types: FieldTypes,
    documents: Documents,
}

impl Guard {
    /// Reads the schema once, so that prices know which fields are lists and connections.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, SdlError> {
        Ok(Self { types: FieldTypes::from_sdl(sdl)?, documents: Documents::new(limits.cached_documents), limits })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn check(&self, query: &str, operation_name: Option<&str>, variables: &Variables) -> Result<Accepted, Refusal> {
        let measured = self.documents.get_or_measure(query, || self.measure(query))?;
        let operation = choose_operation(&measured.document, operation_name)?;
        let cost::Price { points: cost_points, fixed_points } =
            cost::price(&measured, operation, variables, &self.types);
        self.limits.check(Limit::Cost, cost_points)?;
        let root_fields = measured.root_fields(operation);
        let (document, kind) = (measured.document.clone(), operation.ty);
        let operation_name = operation_name.map(str::to_owned);
        let bill = Bill { measured, operation_name, cost_points, fixed_points };
        Ok(Accepted { document, kind, cost_points, root_fields, bill })
    }

    /// The points of what was answered: by the same prices, at most what was asked for.
    pub fn used(&self, bill: &Bill, data: &Value) -> u64 {
        let Ok(operation) = choose_operation(&bill.measured.document, bill.operation_name.as_deref()) else {
            return bill.cost_points;
        };
        let answered = used::used(&bill.measured, operation, &self.types, data);
        bill.fixed_points.saturating_add(answered).min(bill.cost_points)
    }

    fn measure(&self, query: &str) -> Result<Measured, Refusal> {
        scan::scan(query, &self.limits)?;
        let document = async_graphql::parser::parse_query(query).map_err(|error| Refusal::syntax(&error))?;
        analysis::measure(document, &self.limits)
    }
}

impl Limits {
    /// The engine counts introspection like any field, so it is given the larger depth.
    #[must_use]
    pub fn second_belt<Q, M, S>(&self, schema: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        schema
            .limit_depth(size(self.depth.max(self.introspection_depth)))
            .limit_recursive_depth(size(self.nesting))
            .limit_directives(size(self.directives_per_field))
            .limit_aliases(size(self.aliases))
    }

    fn maximum(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Bytes => self.document_bytes,
            Limit::Tokens => self.tokens,
            Limit::Nesting => self.nesting,
            Limit::Depth => self.depth,
            Limit::Fields => self.fields,
            Limit::Aliases => self.aliases,
            Limit::RootFields => self.root_fields,
            Limit::FragmentSpreads => self.fragment_spreads,
            Limit::Directives => self.directives_per_field,
            Limit::FragmentCycles => 0,
            Limit::IntrospectionDepth => self.introspection_depth,
            Limit::IntrospectionLists => self.introspection_lists,
            Limit::Cost => self.cost_points,
        }
    }

    fn check(&self, limit: Limit, found: u64) -> Result<(), Refusal> {
        let maximum = self.maximum(limit);
        if found > maximum {
            return Err(Refusal::Limit { limit, maximum, found });
        }
        Ok(())
    }
}

/// The engine chooses by the same rule; here it is needed earlier, to know if this is a mutation.
fn choose_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refusal> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => {
            Err(Refusal::Operation("The document has one operation without a name; leave out operationName."))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or(Refusal::Operation("The document has no operation with the name given in operationName.")),
        (DocumentOperations::Multiple(operations), None) => {
            let mut every = operations.values();
            match (every.next(), every.next()) {
                (Some(only), None) => Ok(&only.node),
                _ => Err(Refusal::Operation("The document has several operations; say which one in operationName.")),
            }
        }
    }
}
