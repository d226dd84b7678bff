//! The audit trail: what can be asked of it, and the chain over it (SPEC §9).

use std::path::{Path, PathBuf};

use banyan::audit::chain::Kind;
use banyan::audit::file::{self, Flaw, Verdict};
use banyan::audit::{seal, verify};
use serde_json::{Value, json};
use tests::{Organization, TestApp, both};

const AUDIT: &str =
    "query($of: ID, $filter: AuditEventFilter) { auditEvents(organizationId: $of, first: 100, filter: $filter) {
  totalCount nodes { action outcome targetId actor organizationId before after createdAt } } }";

async fn charge(app: &TestApp, of: &Organization, amount: i64) {
    app.mutate(&of.key, "creditCharge", json!({ "amount": amount }), "charge { id }").await.done();
}

/// The entries that a filter leaves, oldest first.
async fn entries(app: &TestApp, of: &Organization, filter: Value) -> Vec<Value> {
    let answer = app.gql(&of.key, AUDIT, json!({ "of": of.id, "filter": filter })).await.clean();
    let mut nodes = answer.at("/auditEvents/nodes").as_array().expect("a list").clone();
    assert_eq!(answer.at("/auditEvents/totalCount"), nodes.len());
    nodes.reverse();
    nodes
}

async fn actions(app: &TestApp, of: &Organization, filter: Value) -> Vec<String> {
    let text = |entry: &Value| entry["action"].as_str().expect("a text").to_owned();
    entries(app, of, filter).await.iter().map(text).collect()
}

/// Five charges of one root, sealed; answers with the numbers of their entries.
async fn sealed(app: &TestApp) -> Vec<i64> {
    let root = app.root("Quinn's").with_credits(1_000).create().await;
    for amount in 1..=5 {
        charge(app, &root, amount).await;
    }
    seal::run_until_idle(app.kernel()).await.expect("the trail is sealed");
    let mut numbers = Vec::new();
    let mut after = 0;
    loop {
        let next = format!(
            "SELECT COALESCE(MIN(sequence), 0) FROM audit_event WHERE action = 'creditCharge' AND sequence > {after}"
        );
        after = app.number(&next).await;
        if after == 0 {
            return numbers;
        }
        numbers.push(after);
    }
}

/// The first difference in the database.
async fn difference(app: &TestApp) -> Option<(i64, Kind)> {
    let report = verify::run(app.kernel()).await.expect("the trail can be read");
    report.differences.into_iter().next().map(|found| (found.sequence, found.kind))
}

async fn exported(app: &TestApp) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a directory is made");
    let path = folder.path().join("audit.jsonl");
    file::export(app.kernel(), None, &path).await.expect("the trail is written");
    (folder, path)
}

fn flaw(path: &Path) -> Option<Flaw> {
    match file::verify(path).expect("the file can be read") {
        Verdict::Whole(_) => None,
        Verdict::Flawed(flaw) => Some(flaw),
    }
}

/// What is wrong with the file when its lines are these.
fn flaw_of(path: &Path, lines: &[&str]) -> Option<(i64, Kind)> {
    let altered = path.with_extension("altered");
    std::fs::write(&altered, lines.join("\n") + "\n").expect("the file is written");
    match flaw(&altered)? {
        Flaw::Entry { difference, .. } => Some((difference.sequence, difference.kind)),
        flaw => panic!("no entry is named: {flaw}"),
    }
}

/// The place of the line of an entry.
fn line_of(lines: &[&str], number: i64) -> usize {
    let begins = format!("{{\"kind\":\"entry\",\"entry\":{{\"sequence\":{number},");
    lines.iter().position(|line| line.starts_with(&begins)).expect("the entry is in the file")
}

const OTHER_CHANGE: &str = "change = REPLACE(change, '\"amount\":2', '\"amount\":3')";

both! {
    async fn entries_are_found_by_actor_action_target_outcome_organization_and_time(app) {
        let root = app.root("Top").with_credits(100).create().await;
        let child = root.child("Acme").with_credits(100).create().await;
        let key = root.mint(&["org:read"]).await;
        app.advance(3_600);
        charge(&app, &child, 1).await;
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": key.id }), "apiKeys { id }").await.done();
        let forbidden = child.mint(&["org:read"]).await;
        app.mutate(&forbidden, "creditCharge", json!({ "amount": 1 }), "charge { id }").await.refused("FORBIDDEN_SCOPE");
        let by_child = actions(&app, &root, json!({ "actor": child.key.id })).await;
        assert_eq!(by_child.iter().filter(|action| *action == "creditCharge").count(), 1);
        assert_eq!(actions(&app, &root, json!({ "targetId": key.id })).await, ["apiKeyRevoke"]);
        assert_eq!(actions(&app, &root, json!({ "outcome": "DENIED" })).await, ["creditCharge"]);
        assert_eq!(actions(&app, &root, json!({ "actor": forbidden.id, "outcome": "DENIED" })).await, ["creditCharge"]);
        assert_eq!(actions(&app, &root, json!({ "action": "creditCharge", "outcome": "DONE" })).await.len(), 1);
        let own = entries(&app, &root, json!({ "descendants": false })).await;
        assert!(own.iter().all(|entry| entry["organizationId"] == root.id) && !own.is_empty());
        let hour_ago = app.now().minus(std::time::Duration::from_secs(1_800)).to_string();
        let before = entries(&app, &root, json!({ "to": hour_ago })).await;
        let since = entries(&app, &root, json!({ "from": hour_ago })).await;
        let all = entries(&app, &root, json!({})).await;
        assert!(!before.is_empty() && since.len() >= 4);
        assert_eq!([before, since].concat(), all);
    }

    async fn an_instant_bounds_entries_to_the_microsecond(app) {
        let root = app.root("Top").create().await;
        let now = app.now();
        let entries_of = |filter: Value| entries(&app, &root, filter);
        let at = |micros: i64| entity::timestamp::Timestamp::from_micros(now.as_micros() + micros).to_string();
        assert!(!entries_of(json!({ "from": at(0), "to": at(1) })).await.is_empty());
        assert!(entries_of(json!({ "from": at(1) })).await.is_empty());
        assert!(entries_of(json!({ "to": at(0) })).await.is_empty());
    }

    async fn a_filter_that_names_no_actor_is_refused(app) {
        let root = app.root("Top").create().await;
        let filter = json!({ "filter": { "actor": root.id } });
        app.gql(&root.key, AUDIT, filter).await.failed("INVALID_INPUT");
    }

    async fn a_denied_attempt_tells_what_was_tried(app) {
        let root = app.root("Top").create().await;
        let other = app.root("Other").create().await;
        let tried = json!({ "organizationId": other.id, "reason": "mine now" });
        app.mutate(&root.key, "organizationSuspend", tried, "organization { id }").await.refused("NOT_FOUND");
        let denied = entries(&app, &root, json!({ "outcome": "DENIED" })).await;
        assert_eq!((denied.len(), &denied[0]["targetId"]), (1, &json!(other.id)));
        assert_eq!(entries(&app, &other, json!({ "outcome": "DENIED" })).await, Vec::<Value>::new());
    }

    async fn a_changed_record_is_told_as_it_was_and_as_it_became(app) {
        let root = app.root("Top").create().await;
        let version = root.read("version").await["version"].clone();
        let input = json!({ "organizationId": root.id, "expectedVersion": version, "name": "Summit", "country": "NG" });
        app.mutate(&root.key, "organizationUpdate", input, "organization { id }").await.done();
        let limits = json!({ "organizationId": root.id, "monthlyCreditCap": 7 });
        app.mutate(&root.key, "organizationLimitsUpdate", limits, "organization { id }").await.done();
        let updates = entries(&app, &root, json!({ "action": "organizationUpdate" })).await;
        assert_eq!(updates[0]["before"], json!({ "name": "Top", "country": null }));
        assert_eq!(updates[0]["after"], json!({ "name": "Summit", "country": "NG" }));
        let limits = entries(&app, &root, json!({ "action": "organizationLimitsUpdate" })).await;
        assert_eq!(limits[0]["before"], json!({ "monthlyCreditCap": null }));
        assert_eq!(limits[0]["after"], json!({ "monthlyCreditCap": 7 }));
    }

    async fn an_endpoints_address_and_secret_stay_out_of_the_trail(app) {
        let root = app.root("Top").create().await;
        let input = json!({ "organizationId": root.id, "url": "https://a.example/one", "eventTypes": ["*"] });
        let made = app.mutate(&root.key, "webhookEndpointCreate", input, "webhookEndpoint { id } secret").await;
        let id = made.done()["webhookEndpoint"]["id"].clone();
        let input = json!({ "webhookEndpointId": id, "url": "https://b.example/hunter2", "eventTypes": ["credit.*"] });
        app.mutate(&root.key, "webhookEndpointUpdate", input, "webhookEndpoint { id }").await.done();
        let updates = entries(&app, &root, json!({ "targetId": id })).await;
        assert_eq!(updates[0]["before"], json!({ "eventTypes": ["*"], "host": "a.example" }));
        assert_eq!(updates[0]["after"], json!({ "eventTypes": ["credit.*"], "host": "b.example" }));
        let leaks = "SELECT COUNT(*) FROM audit_event WHERE change LIKE '%hunter2%' OR change LIKE '%whsec_%'";
        assert_eq!(app.number(leaks).await, 0);
    }

    async fn what_was_sealed_is_found_as_it_was_while_more_is_written(app) {
        sealed(&app).await;
        let report = verify::run(app.kernel()).await.expect("the trail can be read");
        assert!(report.is_clean() && report.unsealed == 0 && report.entries > 5, "{report}");
        let again = verify::run(app.kernel()).await.expect("the trail can be read");
        assert_eq!(report.digest, again.digest);
        app.root("Another").create().await;
        let report = verify::run(app.kernel()).await.expect("the trail can be read");
        assert!(report.is_clean() && report.unsealed > 0, "{report}");
    }

    async fn gateways_that_seal_at_the_same_time_make_one_chain(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let work = async {
            for amount in 1..=30 {
                charge(&app, &root, amount).await;
            }
        };
        let sealers = (0..4).map(|_| async {
            for _ in 0..15 {
                seal::run_until_idle(app.kernel()).await.expect("the trail is sealed");
            }
        });
        tokio::join!(work, futures_util::future::join_all(sealers));
        seal::run_until_idle(app.kernel()).await.expect("the trail is sealed");
        let report = verify::run(app.kernel()).await.expect("the trail can be read");
        assert!(report.is_clean() && report.unsealed == 0 && report.entries >= 30, "{report}");
    }

    async fn a_changed_entry_is_named(app) {
        let numbers = sealed(&app).await;
        app.tamper(&format!("UPDATE audit_event SET {OTHER_CHANGE} WHERE sequence = {}", numbers[1])).await;
        assert_eq!(difference(&app).await, Some((numbers[1], Kind::Changed)));
    }

    async fn a_removed_entry_is_named_even_with_its_link(app) {
        let numbers = sealed(&app).await;
        app.tamper(&format!("DELETE FROM audit_event WHERE sequence = {}", numbers[2])).await;
        assert_eq!(difference(&app).await, Some((numbers[2], Kind::Missing)));
        app.tamper(&format!("DELETE FROM audit_link WHERE sequence = {}", numbers[2])).await;
        assert_eq!(difference(&app).await, Some((numbers[2], Kind::Missing)));
    }

    async fn the_last_entry_is_missed_too(app) {
        let numbers = sealed(&app).await;
        app.tamper(&format!("DELETE FROM audit_event WHERE sequence = {}", numbers[4])).await;
        app.tamper(&format!("DELETE FROM audit_link WHERE sequence = {}", numbers[4])).await;
        assert_eq!(difference(&app).await, Some((numbers[4], Kind::Missing)));
    }

    async fn an_added_entry_is_named(app) {
        let numbers = sealed(&app).await;
        let columns = "organization_id, path, acting_organization_id, actor_kind, actor_id, action, target_id, outcome,
          change, request_id, address, created_at";
        // In the place of the event behind the second charge's entry.
        let added = numbers[1] + 1;
        app.tamper(&format!(
            "INSERT INTO audit_event (realm_id, sequence, id, {columns})
             SELECT realm_id, {added}, id, {columns} FROM audit_event WHERE sequence = {}", numbers[1]
        )).await;
        assert_eq!(difference(&app).await, Some((added, Kind::Added)));
    }

    async fn reordered_entries_are_named(app) {
        let numbers = sealed(&app).await;
        for (from, to) in [(numbers[1], -1), (numbers[3], numbers[1]), (-1, numbers[3])] {
            app.tamper(&format!("UPDATE audit_event SET sequence = {to} WHERE sequence = {from}")).await;
        }
        assert_eq!(difference(&app).await, Some((numbers[1], Kind::Reordered(numbers[3]))));
    }

    async fn a_changed_link_or_end_is_named(app) {
        let numbers = sealed(&app).await;
        let last = numbers[4];
        app.tamper(&format!("UPDATE audit_chain SET entries = entries + 1 WHERE sequence = {last}")).await;
        assert_eq!(difference(&app).await, Some((last, Kind::Changed)));
        app.tamper(&format!("UPDATE audit_link SET hash = entry_hash WHERE sequence = {}", numbers[1])).await;
        assert_eq!(difference(&app).await, Some((numbers[1], Kind::Changed)));
    }

    async fn an_exported_file_is_whole_and_says_what_was_done_to_it(app) {
        let numbers = sealed(&app).await;
        let (_folder, path) = exported(&app).await;
        assert_eq!(flaw(&path), None);
        let text = std::fs::read_to_string(&path).expect("the file is text");
        let lines: Vec<&str> = text.lines().collect();
        let at = |n: usize| line_of(&lines, numbers[n]);

        let mut changed = lines.clone();
        let other = lines[at(1)].replace("\\\"amount\\\":2", "\\\"amount\\\":3");
        changed[at(1)] = &other;
        assert_ne!(changed, lines);
        assert_eq!(flaw_of(&path, &changed), Some((numbers[1], Kind::Changed)));

        let mut removed = lines.clone();
        removed.remove(at(2));
        assert_eq!(flaw_of(&path, &removed), Some((numbers[2], Kind::Missing)));

        let mut cut = lines.clone();
        cut.remove(at(4));
        assert_eq!(flaw_of(&path, &cut), Some((numbers[4], Kind::Missing)));

        let mut added = lines.clone();
        added.insert(at(3), lines[at(1)]);
        assert_eq!(flaw_of(&path, &added), Some((numbers[2], Kind::Added)));

        let mut reordered = lines.clone();
        reordered.swap(at(1), at(2));
        assert_eq!(flaw_of(&path, &reordered), Some((numbers[1], Kind::Reordered(0))));
    }

    async fn every_flipped_bit_of_an_exported_file_is_found(app) {
        app.root("Quinn's").create().await;
        let (_folder, path) = exported(&app).await;
        let whole = std::fs::read(&path).expect("the file is there");
        let altered = path.with_extension("altered");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&altered, &bytes).expect("the file is written");
            assert!(flaw(&altered).is_some(), "byte {at} of {}", String::from_utf8_lossy(&whole));
        }
    }
}
