//! The table of what every field asks for: complete, and committed as text that a reviewer can read.

use std::collections::BTreeSet;
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use banyan::access::fields;

/// Every field of every type of the schema, as `(type, field)`.
fn fields_of_the_schema() -> BTreeSet<(String, String)> {
    let document = parse_schema(banyan::schema::sdl()).expect("the schema's text parses");
    let mut found = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let of = ty.node.name.node.to_string();
        let fields = match ty.node.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => continue,
        };
        found.extend(fields.iter().map(|field| (of.clone(), field.node.name.node.to_string())));
    }
    found
}

#[test]
fn every_field_of_the_schema_has_a_row() {
    let fields = fields_of_the_schema();
    assert!(fields.len() > 300, "only {} fields were looked at", fields.len());
    let missing: Vec<String> = fields
        .iter()
        .filter(|(of, field)| fields::find(of, field).is_none())
        .map(|(of, f)| format!("{of}.{f}"))
        .collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "these fields have no row: say in server/src/access/fields.rs what each needs (a word in a line of its type)"
    );
}

#[test]
fn no_row_names_a_field_that_is_gone_and_none_names_one_twice() {
    let schema = fields_of_the_schema();
    let mut seen = BTreeSet::new();
    for of in fields::TYPES {
        for field in of.rows.iter().flat_map(|row| row.fields) {
            let named = (of.name.to_owned(), (*field).to_owned());
            assert!(schema.contains(&named), "{}.{field} is not in the schema", of.name);
            assert!(seen.insert(named), "{}.{field} has two rows", of.name);
        }
    }
}

/// `UPDATE=1 cargo test -p tests access_table` writes the file anew.
#[test]
fn the_committed_text_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/access.txt");
    let said = fields::as_text();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &said).expect("the text can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the text is committed");
    assert!(
        committed == said,
        "server/access.txt is not what the tables say: run with UPDATE=1, read the diff, commit it"
    );
}
