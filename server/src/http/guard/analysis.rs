//! The size of a document with its fragments expanded, without expanding them.
//!
//! Fragments are put in an order in which each follows those it spreads, so that every definition is
//! walked once and a spread is a look-up. All sums saturate: thirty doubling fragments are 2^30 fields.

use std::collections::{HashMap, HashSet};

use async_graphql::Name;
use async_graphql::Positioned;
use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};

use super::documents::Measured;
use super::{Limit, Limits, Refusal};

/// Introspection fields that are lists of types or fields; within each other they multiply.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    nesting: u64,
    depth: u64,
    fields: u64,
    aliases: u64,
    spreads: u64,
    root_fields: u64,
    introspection_depth: u64,
    /// Of the subtree, should it be introspection.
    lists: u64,
    introspection_lists: u64,
}

impl Size {
    fn beside(&mut self, other: Size) {
        self.nesting = self.nesting.max(other.nesting);
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.spreads = self.spreads.saturating_add(other.spreads);
        self.root_fields = self.root_fields.saturating_add(other.root_fields);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.lists = self.lists.max(other.lists);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
    }
}

pub(super) fn measure(document: ExecutableDocument, limits: &Limits) -> Result<Measured, Refusal> {
    check_directives(&document, limits)?;
    let fragment_order = order_fragments(&document)?;
    let mut sizes: HashMap<Name, Size> = HashMap::with_capacity(fragment_order.len());
    for name in &fragment_order {
        let fragment = &document.fragments[name].node;
        let size = size_of(&fragment.selection_set.node, &sizes);
        // Unused fragments too: the engine walks them.
        check_sums(&size, limits)?;
        sizes.insert(name.clone(), size);
    }
    // The engine validates every operation of the document, whichever is executed.
    let mut whole = Size::default();
    for (_, operation) in document.operations.iter() {
        let size = size_of(&operation.node.selection_set.node, &sizes);
        limits.check(Limit::RootFields, size.root_fields)?;
        whole.beside(size);
    }
    check_sums(&whole, limits)?;
    limits.check(Limit::Depth, whole.depth)?;
    limits.check(Limit::IntrospectionDepth, whole.introspection_depth)?;
    limits.check(Limit::IntrospectionLists, whole.introspection_lists)?;
    let fragment_roots = sizes.into_iter().map(|(name, size)| (name, size.root_fields)).collect();
    Ok(Measured { document, fragment_order, fragment_roots })
}

fn check_sums(size: &Size, limits: &Limits) -> Result<(), Refusal> {
    limits.check(Limit::Nesting, size.nesting)?;
    limits.check(Limit::Fields, size.fields)?;
    limits.check(Limit::Aliases, size.aliases)?;
    limits.check(Limit::FragmentSpreads, size.spreads)
}

/// Recursion is bounded by the bracket nesting that the scan allowed; spreads do not recurse.
fn size_of(set: &SelectionSet, fragments: &HashMap<Name, Size>) -> Size {
    let mut size = Size::default();
    for selection in &set.items {
        size.beside(match &selection.node {
            Selection::Field(field) => size_of_field(&field.node, fragments),
            Selection::InlineFragment(inline) => size_of(&inline.node.selection_set.node, fragments),
            // An unknown fragment has no size; the engine refuses it.
            Selection::FragmentSpread(spread) => {
                let known = fragments.get(&spread.node.fragment_name.node);
                let mut spread = known.copied().unwrap_or_default();
                spread.spreads = spread.spreads.saturating_add(1);
                spread
            }
        });
    }
    size.nesting = size.nesting.saturating_add(1);
    size
}

fn size_of_field(field: &Field, fragments: &HashMap<Name, Size>) -> Size {
    let mut size = if field.selection_set.node.items.is_empty() {
        Size::default()
    } else {
        size_of(&field.selection_set.node, fragments)
    };
    size.fields = size.fields.saturating_add(1);
    size.aliases = size.aliases.saturating_add(u64::from(field.alias.is_some()));
    size.root_fields = 1;
    let name = field.name.node.as_str();
    if name == "__schema" || name == "__type" {
        size.introspection_depth = size.introspection_depth.max(size.depth);
        size.introspection_lists = size.introspection_lists.max(size.lists);
        size.depth = 0;
        size.lists = 0;
    } else if INTROSPECTION_LISTS.contains(&name) {
        size.lists = size.lists.saturating_add(1);
    }
    size.depth = size.depth.saturating_add(1);
    size
}

pub(super) fn root_fields(set: &SelectionSet, fragments: &HashMap<Name, u64>) -> u64 {
    set.items.iter().fold(0, |sum: u64, selection| {
        sum.saturating_add(match &selection.node {
            Selection::Field(_) => 1,
            Selection::InlineFragment(inline) => root_fields(&inline.node.selection_set.node, fragments),
            Selection::FragmentSpread(spread) => {
                fragments.get(&spread.node.fragment_name.node).copied().unwrap_or_default()
            }
        })
    })
}

/// Depth-first over the spreads with a stack of its own: a chain of a thousand fragments is a short document.
fn order_fragments(document: &ExecutableDocument) -> Result<Vec<Name>, Refusal> {
    let mut order = Vec::with_capacity(document.fragments.len());
    let mut entered: HashSet<&Name> = HashSet::new();
    let mut left: HashSet<&Name> = HashSet::new();
    for start in document.fragments.keys() {
        let mut path: Vec<(&Name, Vec<&Name>)> = Vec::new();
        if entered.insert(start) {
            path.push((start, spreads_of(document, start)));
        }
        while let Some((name, ahead)) = path.last_mut() {
            let Some(next) = ahead.pop() else {
                left.insert(name);
                order.push((*name).clone());
                path.pop();
                continue;
            };
            if !document.fragments.contains_key(next) || left.contains(next) {
                continue;
            }
            if !entered.insert(next) {
                return Err(Refusal::Limit { limit: Limit::FragmentCycles, maximum: 0, found: 1 });
            }
            path.push((next, spreads_of(document, next)));
        }
    }
    Ok(order)
}

fn spreads_of<'a>(document: &'a ExecutableDocument, fragment: &Name) -> Vec<&'a Name> {
    fn collect<'a>(set: &'a SelectionSet, into: &mut Vec<&'a Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => collect(&field.node.selection_set.node, into),
                Selection::InlineFragment(inline) => collect(&inline.node.selection_set.node, into),
                Selection::FragmentSpread(spread) => into.push(&spread.node.fragment_name.node),
            }
        }
    }
    let mut spreads = Vec::new();
    if let Some(fragment) = document.fragments.get(fragment) {
        collect(&fragment.node.selection_set.node, &mut spreads);
    }
    spreads
}

fn check_directives(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    let check = |directives: &[Positioned<Directive>]| {
        limits.check(Limit::Directives, u64::try_from(directives.len()).unwrap_or(u64::MAX))
    };
    for (_, operation) in document.operations.iter() {
        check(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            check(&variable.node.directives)?;
        }
        check_selected(&operation.node.selection_set.node, &check)?;
    }
    for fragment in document.fragments.values() {
        check(&fragment.node.directives)?;
        check_selected(&fragment.node.selection_set.node, &check)?;
    }
    Ok(())
}

fn check_selected(
    set: &SelectionSet,
    check: &impl Fn(&[Positioned<Directive>]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for selection in &set.items {
        check(selection.node.directives())?;
        match &selection.node {
            Selection::Field(field) => check_selected(&field.node.selection_set.node, check)?,
            Selection::InlineFragment(inline) => check_selected(&inline.node.selection_set.node, check)?,
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}
