//! The price of an answer: the same prices as [`super::cost`]'s, by the objects that came.
//!
//! Fields merged under one key are each counted, and so are fragments on other types that share a key; whoever compares
//! with the price asked beforehand takes the smaller.

use async_graphql::Value;
use async_graphql::parser::types::{Field, OperationDefinition, Selection, SelectionSet};

use super::cost::{CONNECTION_POINTS, OBJECT_POINTS, TOTAL_COUNT_POINTS};
use super::documents::Measured;
use super::field_types::{FieldType, FieldTypes, Shape};

struct Using<'a> {
    measured: &'a Measured,
    types: &'a FieldTypes,
}

/// Without what costs the same whatever is answered: mutations and introspection.
pub(super) fn used(measured: &Measured, operation: &OperationDefinition, types: &FieldTypes, data: &Value) -> u64 {
    Using { measured, types }.selection_set(&operation.selection_set.node, types.root(operation.ty), data)
}

impl Using<'_> {
    fn selection_set(&self, set: &SelectionSet, type_name: &str, data: &Value) -> u64 {
        let points = set.items.iter().map(|selection| match &selection.node {
            Selection::Field(field) => self.field(&field.node, type_name, data),
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref();
                let on = condition.map_or(type_name, |condition| condition.node.on.node.as_str());
                self.selection_set(&inline.node.selection_set.node, on, data)
            }
            Selection::FragmentSpread(spread) => {
                // The guard has refused cycles.
                let fragment = self.measured.document.fragments.get(&spread.node.fragment_name.node);
                fragment.map_or(0, |fragment| {
                    let on = &fragment.node.type_condition.node.on.node;
                    self.selection_set(&fragment.node.selection_set.node, on, data)
                })
            }
        });
        points.fold(0, u64::saturating_add)
    }

    fn field(&self, field: &Field, parent: &str, data: &Value) -> u64 {
        let Some(known) = self.types.field(parent, &field.name.node) else { return 0 };
        let is_count = field.name.node == "totalCount" && self.types.is_connection(parent);
        if known.shape == Shape::Leaf && !is_count {
            return 0;
        }
        let Value::Object(object) = data else { return 0 };
        let Some(value) = object.get(&field.response_key().node) else { return 0 };
        if is_count {
            return TOTAL_COUNT_POINTS;
        }
        let each = match known.shape {
            Shape::Connection => CONNECTION_POINTS,
            // Edges and `pageInfo` are part of their connection.
            _ if self.types.is_connection(parent) && field.name.node != "nodes" => 0,
            _ => OBJECT_POINTS,
        };
        self.objects(field, known, each, value)
    }

    fn objects(&self, field: &Field, known: &FieldType, each: u64, value: &Value) -> u64 {
        match value {
            Value::Object(_) => {
                each.saturating_add(self.selection_set(&field.selection_set.node, &known.type_name, value))
            }
            Value::List(items) => {
                items.iter().map(|item| self.objects(field, known, each, item)).fold(0, u64::saturating_add)
            }
            _ => 0,
        }
    }
}
