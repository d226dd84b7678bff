//! Which id stands for which name, and whether an answer is the one that was foretold.

use std::collections::BTreeMap;

use banyan::access::scope::KNOWN;
use serde_json::{Value, json};

use crate::oracle::command::Serial;

/// The ids of a world. Names begin with `@`; an id is learnt where its name is first foretold.
#[derive(Clone, Debug, Default)]
pub struct Names {
    ids: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    secrets: BTreeMap<Serial, String>,
}

impl Names {
    pub fn id(&self, name: &str) -> Option<&str> {
        self.ids.get(name).map(String::as_str)
    }

    pub fn name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The secret of the key that a command minted.
    pub fn secret(&self, key: Serial) -> Option<&str> {
        self.secrets.get(&key).map(String::as_str)
    }

    pub fn keep_secret(&mut self, key: Serial, secret: &str) {
        self.secrets.insert(key, secret.to_owned());
    }

    /// Writes ids for names. `None` when there is no such thing.
    pub fn fill(&self, value: Value) -> Option<Value> {
        Some(match value {
            Value::String(text) if text == "@all" => unreachable!("a list's only item"),
            Value::String(text) if text.starts_with('@') => self.id(&text)?.into(),
            Value::Array(items) if items.first().is_some_and(|item| item == "@all") => {
                json!(KNOWN.iter().map(|(scope, _)| *scope).collect::<Vec<_>>())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.fill(item)).collect::<Option<_>>()?),
            Value::Object(fields) => Value::Object(
                fields.into_iter().map(|(key, item)| Some((key, self.fill(item)?))).collect::<Option<_>>()?,
            ),
            other => other,
        })
    }

    /// Compares an answer with what was foretold, and learns the ids of what is new. Messages are not compared.
    ///
    /// # Errors
    /// The first place that differs.
    pub fn compare(&mut self, foretold: &Value, answered: &Value, at: &str) -> Result<(), String> {
        let differs = |this: &Self| {
            let shown = answered.as_str().and_then(|id| this.name(id)).map_or(answered.to_string(), str::to_owned);
            Err(format!("{at}: the rules say {foretold}, the gateway says {shown}"))
        };
        match (foretold, answered) {
            (Value::String(name), Value::String(_)) if name == "@secret" => Ok(()),
            (Value::String(name), Value::String(id)) if name.starts_with('@') => match self.id(name) {
                Some(known) if known == id => Ok(()),
                None if self.name(id).is_none() => {
                    self.ids.insert(name.clone(), id.clone());
                    self.names.insert(id.clone(), name.clone());
                    Ok(())
                }
                _ => differs(self),
            },
            (Value::Array(foretold), Value::Array(answered)) if foretold.len() == answered.len() => {
                let mut pairs = foretold.iter().zip(answered).enumerate();
                pairs.try_for_each(|(i, (foretold, answered))| self.compare(foretold, answered, &format!("{at}[{i}]")))
            }
            (Value::Object(foretold), Value::Object(answered)) => {
                for (key, answer) in answered.iter().filter(|(key, _)| *key != "message") {
                    let foretold = foretold.get(key).unwrap_or(&Value::Null);
                    self.compare(foretold, answer, &format!("{at}.{key}"))?;
                }
                match foretold.keys().find(|key| !answered.contains_key(*key)) {
                    Some(absent) => Err(format!("{at}.{absent}: the gateway does not say")),
                    None => Ok(()),
                }
            }
            _ if foretold == answered => Ok(()),
            _ => differs(self),
        }
    }
}
