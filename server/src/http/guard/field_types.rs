use std::collections::{HashMap, HashSet};

use async_graphql::Value as ConstValue;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, OperationType, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};

#[derive(Debug, thiserror::Error)]
#[error("the schema's SDL cannot be parsed: {0}")]
pub struct SdlError(String);

/// What a field returns, as far as its price depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Leaf,
    Object,
    List,
    Connection,
}

#[derive(Debug)]
pub(super) struct FieldType {
    pub(super) shape: Shape,
    pub(super) type_name: String,
    /// Arguments that are lists, such as `ids`: one object each.
    pub(super) list_arguments: Vec<String>,
    /// The schema's default of `first` or `last`, where it has one.
    pub(super) default_page: Option<u64>,
}

/// The fields of every object and interface type of the schema.
#[derive(Debug)]
pub(super) struct FieldTypes {
    fields: HashMap<String, HashMap<String, FieldType>>,
    connections: HashSet<String>,
    payloads: HashSet<String>,
    roots: [String; 3],
}

impl FieldTypes {
    pub(super) fn from_sdl(sdl: &str) -> Result<Self, SdlError> {
        let document = parse_schema(sdl).map_err(|error| SdlError(error.to_string()))?;
        let mut roots = ["Query".to_owned(), "Mutation".to_owned(), "Subscription".to_owned()];
        let mut types = Vec::new();
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let named = [&schema.node.query, &schema.node.mutation, &schema.node.subscription];
                    for (root, name) in roots.iter_mut().zip(named) {
                        if let Some(name) = name {
                            *root = name.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Type(definition) => types.push(&definition.node),
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        let composite: HashSet<&str> = types
            .iter()
            .filter(|definition| {
                matches!(definition.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
            })
            .map(|definition| definition.name.node.as_str())
            .collect();
        let connections: HashSet<String> = types
            .iter()
            .filter(|definition| is_connection(definition))
            .map(|definition| definition.name.node.to_string())
            .collect();
        let mut fields: HashMap<String, HashMap<String, FieldType>> = HashMap::new();
        for definition in &types {
            // A type and its extensions add up.
            let known = fields.entry(definition.name.node.to_string()).or_default();
            for field in fields_of(definition) {
                known.insert(field.name.node.to_string(), field_type(field, &composite, &connections));
            }
        }
        let [_, mutation, _] = &roots;
        let mutations = fields.get(mutation).into_iter().flat_map(HashMap::values);
        let payloads = mutations.map(|field| field.type_name.clone()).collect();
        Ok(Self { fields, connections, payloads, roots })
    }

    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&FieldType> {
        self.fields.get(type_name)?.get(field)
    }

    pub(super) fn is_connection(&self, type_name: &str) -> bool {
        self.connections.contains(type_name)
    }

    /// Whether a mutation answers with it.
    pub(super) fn is_payload(&self, type_name: &str) -> bool {
        self.payloads.contains(type_name)
    }

    pub(super) fn root(&self, kind: OperationType) -> &str {
        let [query, mutation, subscription] = &self.roots;
        match kind {
            OperationType::Query => query,
            OperationType::Mutation => mutation,
            OperationType::Subscription => subscription,
        }
    }
}

fn fields_of(definition: &TypeDefinition) -> impl Iterator<Item = &FieldDefinition> {
    let fields = match &definition.kind {
        TypeKind::Object(object) => object.fields.as_slice(),
        TypeKind::Interface(interface) => interface.fields.as_slice(),
        _ => &[],
    };
    fields.iter().map(|field| &field.node)
}

fn is_connection(definition: &TypeDefinition) -> bool {
    let has = |name: &str| fields_of(definition).any(|field| field.name.node == name);
    definition.name.node.ends_with("Connection") && has("pageInfo") && (has("edges") || has("nodes"))
}

fn field_type(field: &FieldDefinition, composite: &HashSet<&str>, connections: &HashSet<String>) -> FieldType {
    let (type_name, is_list) = named_type(&field.ty.node);
    let shape = if connections.contains(type_name) {
        Shape::Connection
    } else if !composite.contains(type_name) {
        Shape::Leaf
    } else if is_list {
        Shape::List
    } else {
        Shape::Object
    };
    let list_arguments = field
        .arguments
        .iter()
        .filter(|argument| named_type(&argument.node.ty.node).1)
        .map(|argument| argument.node.name.node.to_string())
        .collect();
    let default_page = field
        .arguments
        .iter()
        .filter(|argument| matches!(argument.node.name.node.as_str(), "first" | "last"))
        .find_map(|argument| match &argument.node.default_value.as_ref()?.node {
            ConstValue::Number(number) => number.as_u64(),
            _ => None,
        });
    FieldType { shape, type_name: type_name.to_owned(), list_arguments, default_page }
}

fn named_type(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.as_str(), false),
        BaseType::List(item) => (named_type(item).0, true),
    }
}
