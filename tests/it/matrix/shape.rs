//! The schema's shape, and documents and inputs made from it.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::{Map, Value, json};

/// The types of the committed schema by name.
pub struct Shape(HashMap<String, TypeDefinition>);

impl Shape {
    pub fn read() -> Self {
        let document = parse_schema(banyan::schema::sdl()).expect("the schema's text parses");
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
            _ => None,
        });
        Self(types.collect())
    }

    fn kind(&self, of: &str) -> Option<&TypeKind> {
        self.0.get(of).map(|ty| &ty.kind)
    }

    /// The fields of an object or interface.
    pub fn fields(&self, of: &str) -> Vec<&FieldDefinition> {
        match self.kind(of) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            Some(TypeKind::Interface(interface)) => interface.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    pub fn field(&self, of: &str, name: &str) -> &FieldDefinition {
        let found = self.fields(of).into_iter().find(|field| field.name.node == name);
        found.unwrap_or_else(|| panic!("the schema has no {of}.{name}"))
    }

    pub fn names(&self, of: &str) -> Vec<String> {
        self.fields(of).iter().map(|field| field.name.node.to_string()).collect()
    }

    /// The types that `node(id)` can answer with.
    pub fn node_types(&self) -> Vec<String> {
        let implements = |ty: &TypeDefinition| match &ty.kind {
            TypeKind::Object(object) => object.implements.iter().any(|name| name.node == "Node"),
            _ => false,
        };
        let mut types: Vec<String> =
            self.0.values().filter(|ty| implements(ty)).map(|ty| ty.name.node.to_string()).collect();
        types.sort();
        types
    }

    fn inputs(&self, of: &str) -> Option<Vec<&InputValueDefinition>> {
        match self.kind(of) {
            Some(TypeKind::InputObject(object)) => Some(object.fields.iter().map(|field| &field.node).collect()),
            _ => None,
        }
    }

    /// What to select of a field: enough to compare two answers of it.
    pub fn selection(&self, ty: &Type) -> String {
        let name = named(ty);
        let fields = self.names(name);
        let has = |field: &str| fields.iter().any(|name| name == field);
        if fields.is_empty() {
            String::new()
        } else if name.ends_with("Connection") {
            let node = self.field(name, "nodes");
            format!("{{ totalCount nodes {} }}", self.selection(&node.ty.node))
        } else if has("userErrors") {
            let replayed = if has("replayed") { "replayed" } else { "" };
            let errors = "userErrors { code message path }";
            let results = if has("results") { format!("results {{ replayed {errors} }}") } else { String::new() };
            format!("{{ {replayed} {results} {errors} }}")
        } else if has("id") {
            "{ id }".to_owned()
        } else {
            format!("{{ __typename {} }}", self.leaves(name))
        }
    }

    /// The fields of a type that have no selection and need no argument.
    pub fn leaves(&self, of: &str) -> String {
        let plain = |field: &&FieldDefinition| {
            let required = field.arguments.iter().any(|argument| !argument.node.ty.node.nullable);
            !required && self.fields(named(&field.ty.node)).is_empty()
        };
        self.fields(of).into_iter().filter(plain).map(|field| field.name.node.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Every place in the arguments of a field where an id is named, as a path of names.
    pub fn id_paths(&self, field: &FieldDefinition) -> Vec<Vec<String>> {
        let arguments: Vec<&InputValueDefinition> = field.arguments.iter().map(|argument| &argument.node).collect();
        let mut paths = Vec::new();
        self.collect_ids(&arguments, &[], &mut paths);
        paths
    }

    fn collect_ids(&self, inputs: &[&InputValueDefinition], above: &[String], paths: &mut Vec<Vec<String>>) {
        for input in inputs {
            let path: Vec<String> = above.iter().cloned().chain([input.name.node.to_string()]).collect();
            let ty = named(&input.ty.node);
            if ty == "ID" {
                paths.push(path);
            } else if let Some(fields) = self.inputs(ty) {
                self.collect_ids(&fields, &path, paths);
            }
        }
    }

    /// Values for the arguments of a field. `fill` gives what a name means; the rest is what is required, by its type.
    pub fn arguments(&self, of: &str, field: &FieldDefinition, fill: &Fill<'_>) -> Map<String, Value> {
        let arguments: Vec<&InputValueDefinition> = field.arguments.iter().map(|argument| &argument.node).collect();
        self.object(&format!("{of}.{}", field.name.node), &arguments, fill)
    }

    fn object(&self, place: &str, inputs: &[&InputValueDefinition], fill: &Fill<'_>) -> Map<String, Value> {
        let mut object = Map::new();
        for input in inputs {
            let name = input.name.node.as_str();
            let (ty, required) = (&input.ty.node, !input.ty.node.nullable && input.default_value.is_none());
            if let Some(value) = fill(place, name, required) {
                object.insert(name.to_owned(), value);
            } else if required {
                object.insert(name.to_owned(), self.value(place, name, ty, fill));
            }
        }
        object
    }

    fn value(&self, place: &str, name: &str, ty: &Type, fill: &Fill<'_>) -> Value {
        let of = match &ty.base {
            BaseType::List(inner) => return json!([self.value(place, name, inner, fill)]),
            BaseType::Named(of) => of.as_str(),
        };
        match (of, self.kind(of)) {
            ("String", _) => "text".into(),
            ("Int" | "Credits" | "MinorUnits", _) => 1.into(),
            ("Boolean", _) => false.into(),
            ("JSON", _) => json!({}),
            (_, Some(TypeKind::Enum(values))) => values.values[0].node.value.node.to_string().into(),
            (_, Some(TypeKind::InputObject(_))) => {
                Value::Object(self.object(place, &self.inputs(of).unwrap_or_default(), fill))
            }
            _ => panic!(
                "the matrix has no value for `{name}: {of}!` of {place}: if it is an id, give the target one in \
                 tests/it/matrix/world.rs (`Target::id`), else say a value in tests/it/matrix/values.rs (`NAMED`)"
            ),
        }
    }

    /// A field with its arguments as variables: their definitions, and the field itself.
    pub fn call(&self, field: &FieldDefinition, given: &Map<String, Value>) -> (String, String) {
        let arguments = field.arguments.iter().map(|argument| &argument.node);
        let arguments = arguments.filter(|argument| given.contains_key(argument.name.node.as_str()));
        let (mut definitions, mut passed) = (Vec::new(), Vec::new());
        for argument in arguments {
            let name = &argument.name.node;
            definitions.push(format!("${name}: {}", argument.ty.node));
            passed.push(format!("{name}: ${name}"));
        }
        let passed = if passed.is_empty() { String::new() } else { format!("({})", passed.join(", ")) };
        let selection = self.selection(&field.ty.node);
        (definitions.join(", "), format!("{}{passed} {selection}", field.name.node))
    }
}

/// The value of an input of this name in this place, when there is something to say about it; and whether it is required.
pub type Fill<'a> = dyn Fn(&str, &str, bool) -> Option<Value> + 'a;

/// The type within lists.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::List(inner) => named(inner),
        BaseType::Named(name) => name.as_str(),
    }
}
