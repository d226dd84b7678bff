//! The price of an operation in points, with the variables of the request.
//!
//! A scalar is free, an object 1, a connection 2 plus its page times what one item costs, `totalCount` 5,
//! a mutation 10, and 5 for each further item of its input. The page is the larger of `first` and `last`, 25 when absent,
//! at most 100, as the resolvers clamp it. Edges are free, so that `edges { node }` and `nodes` cost the same.
//!
//! The price is an upper bound: `@skip` and `@include` are ignored, and fragments on different types of one
//! object add up.

use std::collections::HashMap;

use async_graphql::parser::types::{Field, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::documents::Measured;
use super::field_types::{FieldType, FieldTypes, Shape};

pub(super) const OBJECT_POINTS: u64 = 1;
pub(super) const CONNECTION_POINTS: u64 = 2;
pub(super) const TOTAL_COUNT_POINTS: u64 = 5;
const MUTATION_POINTS: u64 = 10;
const FURTHER_ITEM_POINTS: u64 = 5;
/// The whole schema is some thousand objects, however it is asked for.
const SCHEMA_INTROSPECTION_POINTS: u64 = 500;
const TYPE_INTROSPECTION_POINTS: u64 = 20;
const DEFAULT_PAGE_ITEMS: u64 = 25;
const MAX_PAGE_ITEMS: u64 = 100;
/// Lists that are not connections are short by design (legs, buckets, ancestors); none tells its length beforehand.
const ASSUMED_LIST_ITEMS: u64 = 10;
/// What is refused is refused for one reason, as a rule; the list is there for what else may come.
const USER_ERRORS: &str = "userErrors";

/// Points of a selection set. `per_item` is what a connection pays for each item of its page; `fixed` is the part of
/// `once` that no answer lowers.
#[derive(Clone, Copy, Debug, Default)]
struct Points {
    once: u64,
    per_item: u64,
    fixed: u64,
}

impl Points {
    fn total(self) -> u64 {
        self.once.saturating_add(self.per_item)
    }

    fn once(points: u64) -> Self {
        Self { once: points, ..Self::default() }
    }

    fn fixed(points: u64) -> Self {
        Self { once: points, per_item: 0, fixed: points }
    }

    fn per_item(points: u64) -> Self {
        Self { per_item: points, ..Self::default() }
    }
}

struct Pricing<'a> {
    types: &'a FieldTypes,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    fragments: HashMap<&'a Name, Points>,
    /// Items of the longest input: a list in a payload has one answer for each.
    payload_items: u64,
}

/// What an operation costs at most, and how much of it whatever it answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    pub(super) points: u64,
    pub(super) fixed_points: u64,
}

pub(super) fn price(
    measured: &Measured,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &FieldTypes,
) -> Price {
    let mut pricing = Pricing {
        types,
        operation,
        variables,
        fragments: HashMap::with_capacity(measured.fragment_order.len()),
        payload_items: 1,
    };
    pricing.payload_items = pricing.longest_input();
    for name in &measured.fragment_order {
        let fragment = &measured.document.fragments[name].node;
        let points = pricing.selection_set(&fragment.selection_set.node, &fragment.type_condition.node.on.node);
        pricing.fragments.insert(name, points);
    }
    let root = types.root(operation.ty);
    let points = pricing.selection_set(&operation.selection_set.node, root);
    Price { points: points.total(), fixed_points: points.fixed }
}

impl Pricing<'_> {
    fn selection_set(&self, set: &SelectionSet, type_name: &str) -> Points {
        let mut sum = Points::default();
        for selection in &set.items {
            let points = match &selection.node {
                Selection::Field(field) => self.field(&field.node, type_name),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |condition| condition.node.on.node.as_str());
                    self.selection_set(&inline.node.selection_set.node, on)
                }
                Selection::FragmentSpread(spread) => {
                    self.fragments.get(&spread.node.fragment_name.node).copied().unwrap_or_default()
                }
            };
            sum.once = sum.once.saturating_add(points.once);
            sum.per_item = sum.per_item.saturating_add(points.per_item);
            sum.fixed = sum.fixed.saturating_add(points.fixed);
        }
        sum
    }

    fn field(&self, field: &Field, parent: &str) -> Points {
        match field.name.node.as_str() {
            "__schema" => return Points::fixed(SCHEMA_INTROSPECTION_POINTS),
            "__type" => return Points::fixed(TYPE_INTROSPECTION_POINTS),
            _ => {}
        }
        let set = &field.selection_set.node;
        let Some(known) = self.types.field(parent, &field.name.node) else {
            let child = self.selection_set(set, "").total();
            return Points::once(child.saturating_add(OBJECT_POINTS));
        };
        if self.types.is_connection(parent) {
            return self.connection_field(field, known);
        }
        let child = self.selection_set(set, &known.type_name);
        let object = child.total().saturating_add(OBJECT_POINTS);
        let listed = self.listed_items(field, known);
        let points = match known.shape {
            Shape::Leaf => 0,
            Shape::Object => object.saturating_mul(listed.unwrap_or(1)),
            Shape::List => object.saturating_mul(listed.unwrap_or(self.list_items(field, parent))),
            Shape::Connection => {
                let page = self.page(field, known);
                let items = child.per_item.saturating_mul(page);
                CONNECTION_POINTS.saturating_add(items).saturating_add(child.once)
            }
        };
        let is_mutation =
            self.operation.ty == OperationType::Mutation && parent == self.types.root(OperationType::Mutation);
        if is_mutation {
            let further = self.input_items(field).saturating_sub(1);
            let items = MUTATION_POINTS.saturating_add(FURTHER_ITEM_POINTS.saturating_mul(further));
            return Points { once: points.saturating_add(items), per_item: 0, fixed: items };
        }
        Points::once(points)
    }

    fn connection_field(&self, field: &Field, known: &FieldType) -> Points {
        let set = &field.selection_set.node;
        match field.name.node.as_str() {
            "totalCount" => Points::once(TOTAL_COUNT_POINTS),
            "edges" => Points::per_item(self.selection_set(set, &known.type_name).total()),
            "nodes" => {
                let child = self.selection_set(set, &known.type_name).total();
                Points::per_item(child.saturating_add(OBJECT_POINTS))
            }
            _ if known.shape == Shape::Leaf => Points::default(),
            _ => Points::once(self.selection_set(set, &known.type_name).total()),
        }
    }

    /// An argument that is no number in range is refused by the engine; until then it counts as the largest page.
    fn page(&self, field: &Field, known: &FieldType) -> u64 {
        let mut page = None;
        for name in ["first", "last"] {
            let asked = match self.argument(field, name) {
                None | Some(Argument::Given(ConstValue::Null) | Argument::Written(Value::Null)) => continue,
                Some(Argument::Given(ConstValue::Number(number)) | Argument::Written(Value::Number(number))) => {
                    number.as_u64().unwrap_or(MAX_PAGE_ITEMS)
                }
                Some(_) => MAX_PAGE_ITEMS,
            };
            page = Some(page.unwrap_or(0).max(asked));
        }
        page.or(known.default_page).unwrap_or(DEFAULT_PAGE_ITEMS).min(MAX_PAGE_ITEMS)
    }

    fn listed_items(&self, field: &Field, known: &FieldType) -> Option<u64> {
        let lengths = known.list_arguments.iter().filter_map(|name| match self.argument(field, name)? {
            Argument::Given(ConstValue::List(items)) => Some(count(items.len())),
            Argument::Written(Value::List(items)) => Some(count(items.len())),
            _ => None,
        });
        lengths.max()
    }

    fn list_items(&self, field: &Field, parent: &str) -> u64 {
        if field.name.node == USER_ERRORS {
            1
        } else if self.types.is_payload(parent) {
            self.payload_items.max(ASSUMED_LIST_ITEMS)
        } else {
            ASSUMED_LIST_ITEMS
        }
    }

    fn longest_input(&self) -> u64 {
        let fields = self.operation.selection_set.node.items.iter().filter_map(|selection| match &selection.node {
            Selection::Field(field) => Some(self.input_items(&field.node)),
            _ => None,
        });
        // A mutation within a fragment is not looked for: it counts as the longest there can be.
        let hidden = self.operation.selection_set.node.items.iter().any(|s| !matches!(s.node, Selection::Field(_)));
        let written = self.variables.values().map(longest_object_list).max().unwrap_or(0);
        fields.max().unwrap_or(1).max(if hidden { written } else { 1 })
    }

    /// How many things one mutation is asked to do: the longest list of objects in its arguments.
    fn input_items(&self, field: &Field) -> u64 {
        let lengths = field.arguments.iter().map(|(_, value)| self.longest_written_list(&value.node));
        lengths.max().unwrap_or(1).max(1)
    }

    fn longest_written_list(&self, value: &Value) -> u64 {
        match value {
            Value::Variable(name) => self.variable(name).map_or(0, longest_object_list),
            Value::Object(fields) => fields.values().map(|value| self.longest_written_list(value)).max().unwrap_or(0),
            Value::List(items) => {
                let objects = items.iter().filter(|item| matches!(item, Value::Object(_) | Value::Variable(_))).count();
                let within = items.iter().map(|item| self.longest_written_list(item)).max().unwrap_or(0);
                count(objects).max(within)
            }
            _ => 0,
        }
    }

    /// By reference: a variable of 200 KB may be an argument of two thousand fields.
    fn argument<'a>(&'a self, field: &'a Field, name: &str) -> Option<Argument<'a>> {
        match &field.get_argument(name)?.node {
            Value::Variable(variable) => self.variable(variable).map(Argument::Given),
            written => Some(Argument::Written(written)),
        }
    }

    fn variable(&self, name: &Name) -> Option<&ConstValue> {
        if let Some(value) = self.variables.get(name) {
            return Some(value);
        }
        let mut definitions = self.operation.variable_definitions.iter();
        let definition = definitions.find(|definition| definition.node.name.node == *name)?;
        Some(&definition.node.default_value.as_ref()?.node)
    }
}

enum Argument<'a> {
    /// Through a variable or its default.
    Given(&'a ConstValue),
    Written(&'a Value),
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn longest_object_list(value: &ConstValue) -> u64 {
    match value {
        ConstValue::Object(fields) => fields.values().map(longest_object_list).max().unwrap_or(0),
        ConstValue::List(items) => {
            let objects = items.iter().filter(|item| matches!(item, ConstValue::Object(_))).count();
            let within = items.iter().map(longest_object_list).max().unwrap_or(0);
            count(objects).max(within)
        }
        _ => 0,
    }
}
