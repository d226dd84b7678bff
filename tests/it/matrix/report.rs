//! What a run found, and how two answers are compared.

use serde_json::{Map, Value, json};
use tests::Answer;

/// The most differences that are printed.
const SHOWN_MAX: usize = 40;

/// What came otherwise than it should, and how much was looked at.
#[derive(Default)]
pub struct Report {
    pub cells: usize,
    differences: Vec<String>,
}

impl Report {
    /// Notes whether a cell holds, and how it differs when it does not.
    pub fn cell(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        self.cells += 1;
        if !holds {
            self.differences.push(difference());
        }
    }

    /// Prints what was looked at, and insists that nothing differs.
    pub fn end(self, what: &str) {
        println!("{what}: {} cells, {} differences", self.cells, self.differences.len());
        let shown: Vec<_> = self.differences.iter().take(SHOWN_MAX).map(String::as_str).collect();
        assert!(shown.is_empty(), "{} of {} cells differ:\n{}", self.differences.len(), self.cells, shown.join("\n"));
    }
}

/// What is left of an answer when the ids that were asked for and the request's own are taken out.
pub fn anonymous(answer: &Answer, id: &str) -> String {
    let mut body = answer.body.clone();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"] = Value::Null;
    }
    body["extensions"] = Value::Null;
    format!("{} {body}", answer.status).replace(id, "…")
}

/// An id of the same kind that nothing has.
pub fn unknown(id: &str) -> String {
    let (prefix, _) = id.rsplit_once('_').expect("ids have a prefix");
    format!("{prefix}_01h455vb4pex5vsknk084sn02q")
}

/// The arguments with this id in this place.
pub fn with_id(given: &Map<String, Value>, path: &[String], id: &str) -> Map<String, Value> {
    let mut given = given.clone();
    let (last, above) = path.split_last().expect("a path has an end");
    let mut at = &mut given;
    for name in above {
        let inner = at.entry(name.clone()).or_insert_with(|| json!({}));
        let inner = if inner.is_array() { &mut inner[0] } else { inner };
        at = inner.as_object_mut().expect("an input within is an object");
    }
    at.insert(last.clone(), if last == "ids" { json!([id]) } else { id.into() });
    if last == "memberId" {
        at.remove("apiKeyId");
    }
    given
}
