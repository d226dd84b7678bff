//! Commands as one GraphQL document, and the answers against what was foretold.

use serde_json::{Map, Value, json};

use crate::oracle::command::{Act, Command};
use crate::oracle::names::Names;
use crate::oracle::rules::{Answer, No, Oracle};
use crate::record::USER_ERRORS;

const WALLET: &str = " fragment W on Wallet { balance held available }";
const HOLD: &str = " fragment H on Hold { id environment status amount captured refunded meter quantity unitPrice
  createdAt expiresAt settledAt legs { organizationId bucketId amount captured refunded } }";

/// A command with its input as it is sent, and what the rules say to it.
pub struct Foretold {
    pub command: Command,
    input: Value,
    pub answer: Answer,
}

impl Foretold {
    /// Has the rules do the command. `None` when it names what there is not.
    pub fn of(command: &Command, oracle: &mut Oracle, names: &Names) -> Option<Self> {
        let mut input = input_of(command);
        if let Act::Update { organization, stale, .. } = command.act {
            let version = oracle.organizations.get(&organization)?.version;
            input["expectedVersion"] = json!(if stale { version - 1 } else { version });
        }
        let input = names.fill(input)?;
        Some(Self { command: command.clone(), input, answer: oracle.run(command) })
    }
}

fn input_of(command: &Command) -> Value {
    let mut input = command.act.input();
    if command.act.moves_credits() {
        input["idempotencyKey"] = format!("command {}", command.repeats.unwrap_or(command.serial)).into();
    }
    input
}

/// A document for a command that is sent while others are under way. `None` when it names what there is not.
pub fn single(command: &Command, names: &Names) -> Option<(String, Value)> {
    let input = names.fill(input_of(command))?;
    // What it comes to is not known before the others are.
    let answer = Err(No::Failed(""));
    Some(document(&[Foretold { command: command.clone(), input, answer }]))
}

/// A document with one field for each command, and its variables.
pub fn document(commands: &[Foretold]) -> (String, Value) {
    let mut heads = Vec::new();
    let mut fields = String::new();
    let mut variables = Map::new();
    for (at, foretold) in commands.iter().enumerate() {
        let act = &foretold.command.act;
        let field = act.field();
        let mut type_name = field.to_owned();
        type_name[..1].make_ascii_uppercase();
        heads.push(format!("$c{at}: {type_name}Input!"));
        fields += &format!(" c{at}: {field}(input: $c{at}) {{ {} {USER_ERRORS} }}", act.selection());
        variables.insert(format!("c{at}"), foretold.input.clone());
    }
    let is_query = commands.iter().all(|foretold| matches!(foretold.command.act, Act::Quote(_)));
    let mut text = format!("{}({}) {{{fields} }}", if is_query { "query" } else { "mutation" }, heads.join(", "));
    for (spread, fragment) in [("...W", WALLET), ("...H", HOLD)] {
        if text.contains(spread) {
            text += fragment;
        }
    }
    (text, variables.into())
}

/// Charges as one `creditChargeBatch`. `None` when one names what there is not.
pub fn batch(commands: &[Command], names: &Names) -> Option<(String, Value)> {
    let inputs: Option<Vec<Value>> = commands.iter().map(|command| names.fill(input_of(command))).collect();
    let text = format!(
        "mutation($c0: CreditChargeBatchInput!) {{ c0: creditChargeBatch(input: $c0) {{
           results {{ charge {{ ...H }} wallet {{ ...W }} replayed {USER_ERRORS} }} {USER_ERRORS} }} }}{WALLET}{HOLD}"
    );
    Some((text, json!({ "c0": { "charges": inputs? } })))
}

/// The result of one charge of a batch, as if it had been asked for alone.
pub fn result_of(at: usize, body: &Value) -> Value {
    let mut result = body["data"]["c0"]["results"][at].clone();
    let index = at.to_string();
    if let Some(error) = result["userErrors"].get_mut(0) {
        let field =
            error["path"].as_array().filter(|path| path.len() >= 3 && path[1] == "charges" && path[2] == *index);
        let field: Option<Vec<Value>> = field.map(|path| path[3..].to_vec());
        if let Some(field) = field {
            error["path"] = if field.is_empty() { json!([]) } else { json!(["input", field[0]]) };
        }
    }
    result
}

/// Compares the answer to one command, the only one of its field, with what was foretold.
///
/// # Errors
/// The first place that differs.
pub fn compare(
    command: &Command,
    answer: &Answer,
    payload: &Value,
    body: &Value,
    names: &mut Names,
) -> Result<(), String> {
    let field = command.act.field();
    match answer {
        Err(No::Failed(code)) => {
            if body["errors"][0]["extensions"]["code"] == *code {
                return Ok(());
            }
            Err(format!("{field}: the rules say {code}, the gateway says {body}"))
        }
        answer if payload.is_null() => Err(format!("{field}: the rules say {answer:?}, the gateway says {body}")),
        Err(No::Refused(error)) => {
            let nothing = |(key, value): (&String, &Value)| {
                key == "userErrors" || value.is_null() || (key == "replayed" && *value == false)
            };
            if !payload.as_object().is_some_and(|fields| fields.iter().all(nothing)) {
                return Err(format!("{field}: the rules say {error}, the gateway did it: {payload}"));
            }
            names.compare(&json!([error]), &payload["userErrors"], &format!("{field}.userErrors"))
        }
        Ok(answer) => {
            let mut answer = answer.clone();
            if answer["userErrors"].is_null() {
                answer["userErrors"] = json!([]);
            }
            names.compare(&answer, payload, field)?;
            if let Some(secret) = payload["secret"].as_str() {
                names.keep_secret(command.serial, secret);
            }
            Ok(())
        }
    }
}
