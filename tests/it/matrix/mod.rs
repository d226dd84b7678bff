//! Everything the schema has × everybody who may ask: the outcome that SPEC §3 wants, and the one there is.
//!
//! [`shape`] reads the schema and makes documents and inputs from it, so that a field added later is asked too; [`world`]
//! makes two trees and the principals; [`oracle`] says what should come of it, from the SPEC and not from the code;
//! [`ask`] sends. What is allowed must answer with what the operator sees; what is not must answer with nothing. At the
//! end the harness compares the audit trail: every mutation done or denied has its entry.
//!
//! A cell that differs is printed as `field, principal: wanted, came`. If a new field made it fail: say what SPEC §3 asks for
//! it in `oracle.rs`, give its inputs values in `values.rs` and its ids in `world.rs`.

mod ask;
mod oracle;
mod report;
mod shape;
mod values;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tests::{Answer, TestApp, both};

use ask::{arguments, question, read, root_question, send};
use oracle::{Outcome, Sight, Standing, expect, expect_of_archived, expect_of_suspended};
use report::{Report, anonymous, unknown, with_id};
use shape::Shape;
use world::{ARCHIVED, OVER_OWNED, Principal, ROOT, SUSPENDED, World};

/// Fields whose value is another for everybody: who asks, what is above, what was asked for by an id of its own.
fn is_told_from_the_askers_view(of: &str, field: &str) -> bool {
    match of {
        "Query" => matches!(field, "viewer" | "organizations"),
        "Organization" => matches!(field, "parent" | "root" | "ancestors"),
        _ => false,
    }
}

fn wanted(of: &str, field: &str, principal: &Principal) -> Outcome {
    let who = &principal.who;
    let by_target = match principal.target {
        ARCHIVED => expect_of_archived,
        SUSPENDED => expect_of_suspended,
        _ => expect,
    };
    // The organization has to be found first.
    if matches!(of, "Organization" | "OrganizationSummary") && who.sight != Sight::Own && principal.header.is_none() {
        let found = expect("Query", "organization", who);
        if found != Outcome::Answers {
            return found;
        }
    }
    match by_target(of, field, who) {
        // What may not be seen by its id is not there.
        Outcome::Forbidden if of == "Node" => Outcome::Nothing,
        outcome => outcome,
    }
}

/// Asks one cell and notes it.
async fn ask_cell(
    app: &TestApp,
    (shape, world, truth): (&Shape, &World, &BTreeMap<(String, usize), Value>),
    (of, field): (&str, &str),
    principal: &Principal,
    report: &mut Report,
) {
    let target = &world.targets[principal.target];
    let serial = u64::try_from(report.cells).unwrap_or(0);
    let asked = question(shape, of, field, principal, target, serial);
    let answer = send(app, principal.key.as_deref(), principal.header.as_deref(), &asked).await;
    let wanted = wanted(of, field, principal);
    let (came, value) = read(&answer, &asked.pointer);
    let is_read = of != "Mutation" && of != "Subscription";
    // A read that finds nothing is null; so may be a field of what it finds.
    let found = (is_read && matches!(of, "Query" | "Node")) || answer.data().pointer(&asked.pointer).is_none();
    let came = match came {
        Ok(Outcome::Answers) if found && value.is_null() => Ok(Outcome::Nothing),
        // What settles may have been settled before, and a key rotated before is a conflict too.
        Ok(Outcome::Ended) if wanted == Outcome::Answers && of == "Mutation" => Ok(Outcome::Answers),
        came => came,
    };
    let name = || format!("{of}.{field}, {}", principal.name);
    report.cell(came == Ok(wanted), || match &came {
        Ok(came) => format!("{}: wanted {wanted:?}, came {came:?}", name()),
        Err(body) => format!("{}: wanted {wanted:?}, came\n{body}", name()),
    });
    if is_read && wanted == Outcome::Answers && came == Ok(Outcome::Answers) {
        if is_told_from_the_askers_view(of, field) {
            check_own_view(world, (of, field), principal, &value, report);
        } else {
            let true_value = &truth[&(format!("{of}.{field}"), principal.target)];
            report.cell(value == *true_value, || format!("{}: answers {value}, and not {true_value}", name()));
        }
    } else if is_read && wanted != Outcome::Answers {
        report.cell(value.is_null(), || format!("{}: shows {value}", name()));
    }
}

/// What a list of one's own, or what is above, shows is one's own.
fn check_own_view(world: &World, (of, field): (&str, &str), principal: &Principal, value: &Value, report: &mut Report) {
    if field == "viewer" || principal.who.sight == Sight::All {
        return;
    }
    let target = &world.targets[principal.target].organization.id;
    let top = match principal.who.sight {
        Sight::Own => target.clone(),
        Sight::Below(_) if principal.header.is_some() && of == "Query" => target.clone(),
        // Sibling, stranger and descendant list what is theirs.
        Sight::Nowhere => {
            let outsider = world.outsiders.iter().find(|(_, key, _)| Some(key) == principal.key.as_ref());
            outsider.map(|(_, _, place)| world.targets[*place].organization.id.clone()).unwrap_or_default()
        }
        _ => world.root.clone(),
    };
    let listed = value["nodes"].as_array().or(value.as_array());
    let listed: Vec<&Value> = listed.map_or_else(|| vec![value], |nodes| nodes.iter().collect());
    let ids: Vec<&str> = listed.iter().filter_map(|node| node["id"].as_str()).collect();
    let foreign: Vec<&&str> = ids.iter().filter(|id| !world.is_within(id, &top)).collect();
    report.cell(foreign.is_empty(), || format!("{of}.{field}, {}: shows {foreign:?}", principal.name));
    if let Some(total) = value["totalCount"].as_u64() {
        let theirs = world.parents.keys().filter(|id| world.is_within(id, &top)).count();
        let counted = usize::try_from(total).unwrap_or(usize::MAX);
        report.cell(counted == theirs && ids.len() == theirs, || {
            format!("{of}.{field}, {}: counts {total} and lists {}, of {theirs}", principal.name, ids.len())
        });
    }
}

/// Everything that is read: root fields, fields of an organization and its summary, types by `node`.
fn reads(shape: &Shape) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    for of in ["Query", "Organization", "OrganizationSummary"] {
        // `node` is asked once for each type, and a summary field by field.
        let apart =
            |name: &String| matches!((of, name.as_str()), ("Query", "node" | "nodes") | ("Organization", "summary"));
        let names = shape.names(of).into_iter().filter(|name| !apart(name));
        cells.extend(names.map(|name| (of.to_owned(), name)));
    }
    cells.extend(shape.node_types().into_iter().map(|ty| ("Node".to_owned(), ty)));
    cells
}

/// What the operator reads of every target.
async fn truth(app: &TestApp, shape: &Shape, world: &World) -> BTreeMap<(String, usize), Value> {
    let mut truth = BTreeMap::new();
    let operator = world.principals[0].clone();
    for (index, target) in world.targets.iter().enumerate() {
        for (of, field) in reads(shape) {
            let asked = question(shape, &of, &field, &operator, target, 0);
            let answer = send(app, operator.key.as_deref(), None, &asked).await.clean();
            truth.insert((format!("{of}.{field}"), index), answer.at(&asked.pointer).clone());
        }
    }
    truth
}

both! {
    async fn everybody_reads_what_the_spec_lets_them_read_and_nothing_else(app) {
        let (shape, world) = (Shape::read(), World::make(&app).await);
        let truth = truth(&app, &shape, &world).await;
        let mut report = Report::default();
        for (of, field) in reads(&shape) {
            for principal in &world.principals {
                ask_cell(&app, (&shape, &world, &truth), (&of, &field), principal, &mut report).await;
            }
        }
        report.end("reads");
    }

    async fn everybody_changes_what_the_spec_lets_them_change_and_nothing_else(app) {
        let (shape, mut world) = (Shape::read(), World::make(&app).await);
        let (truth, mut report) = (BTreeMap::new(), Report::default());
        for field in shape.names("Mutation") {
            let cell = ("Mutation", field.as_str());
            let allowed = |principal: &Principal| wanted("Mutation", &field, principal) == Outcome::Answers;
            let (through, refused): (Vec<_>, Vec<_>) = world.principals.clone().into_iter().partition(allowed);
            let before = app.contents().await;
            for principal in &refused {
                ask_cell(&app, (&shape, &world, &truth), cell, principal, &mut report).await;
            }
            let changed = app.contents().await != before;
            report.cell(!changed, || format!("Mutation.{field}: refused to all of them, and something changed"));
            for principal in &through {
                ask_cell(&app, (&shape, &world, &truth), cell, principal, &mut report).await;
                world.targets[principal.target].restore(&app, &field).await;
            }
        }
        report.end("mutations");
    }

    async fn everybody_hears_what_the_spec_lets_them_hear_and_nothing_else(app) {
        let (shape, world) = (Shape::read(), World::make(&app).await);
        let (truth, mut report) = (BTreeMap::new(), Report::default());
        for field in shape.names("Subscription") {
            for principal in &world.principals {
                ask_cell(&app, (&shape, &world, &truth), ("Subscription", &field), principal, &mut report).await;
                // A stream of others needs `org:admin` besides.
                let target = &world.targets[principal.target];
                let mut given = arguments(&shape, "Subscription", &field, target, principal.header.is_some(), 0);
                given.insert("scope".to_owned(), "SUBTREE".into());
                let asked = root_question(&shape, "Subscription", &field, given);
                let answer = send(&app, principal.key.as_deref(), principal.header.as_deref(), &asked).await;
                let wanted = match wanted("Subscription", &field, principal) {
                    Outcome::Answers if !principal.who.scopes.iter().any(|scope| scope == "org:admin") => {
                        Outcome::Forbidden
                    }
                    other => other,
                };
                let (came, _) = read(&answer, &asked.pointer);
                report.cell(came == Ok(wanted), || {
                    format!("{field} of the subtree, {}: wanted {wanted:?}, came {came:?}", principal.name)
                });
            }
        }
        report.end("subscriptions");
    }

    /// Every event since the beginning of the realm is there to be told: the first one that comes shows whose are meant.
    async fn a_stream_of_events_tells_of_nobody_but_its_audience(app) {
        let world = World::make(&app).await;
        let mut report = Report::default();
        let document = "subscription($organizationId: ID, $scope: EventScope!) { \
                        events(organizationId: $organizationId, scope: $scope, after: \"0\") { organizationId } }";
        for principal in &world.principals {
            let target = &world.targets[principal.target].organization.id;
            let scopes: &[&str] = match wanted("Subscription", "events", principal) {
                Outcome::Answers if principal.who.scopes.iter().any(|scope| scope == "org:admin") => &["OWN", "SUBTREE"],
                Outcome::Answers => &["OWN"],
                _ => continue,
            };
            for scope in scopes {
                let mut variables = Map::from_iter([("scope".to_owned(), (*scope).into())]);
                if principal.header.is_none() {
                    variables.insert("organizationId".to_owned(), target.clone().into());
                }
                let (document, pointer) = (document.to_owned(), "/events/organizationId".to_owned());
                let asked = ask::Question { document, variables, pointer };
                let answer = send(&app, principal.key.as_deref(), principal.header.as_deref(), &asked).await;
                let about = answer.at(&asked.pointer).as_str().unwrap_or_default();
                let meant = if *scope == "OWN" { about == target } else { world.is_within(about, target) };
                report.cell(meant, || format!("events {scope}, {}: {:#}", principal.name, answer.body));
            }
        }
        // How far a scope reaches: everything below the root was made in one realm, grandchildren before the last child.
        let made = "subscription($scope: EventScope!) { \
                    events(scope: $scope, types: [\"organization.created\"], after: \"0\") { organizationId } }";
        let key = &world.targets[ROOT].organization.key;
        for (scope, reach) in [("OWN", 0), ("CHILDREN", 1), ("SUBTREE", usize::MAX)] {
            let is_meant = |id: &&String| world.edges(id, &world.root).is_some_and(|edges| edges <= reach);
            let meant: BTreeSet<&String> = world.parents.keys().filter(is_meant).collect();
            let mut events = app.subscribe(key, made, json!({ "scope": scope })).await;
            for _ in 0..meant.len() {
                let about = events.item().await["organizationId"].as_str().unwrap_or_default().to_owned();
                report.cell(meant.contains(&about), || format!("events {scope} of the root: tells of {about}"));
            }
        }
        report.end("audiences");
    }

    /// Edge case 44: the two answers differ in nothing but the id that was asked for.
    async fn a_foreign_id_answers_like_an_unknown_one_wherever_an_id_is_taken(app) {
        let (shape, world) = (Shape::read(), World::make(&app).await);
        let foreign = &world.targets[OVER_OWNED];
        let mut report = Report::default();
        for of in ["Query", "Mutation", "Subscription", "Organization"] {
            for field in shape.names(of) {
                let paths = shape.id_paths(shape.field(of, &field));
                for (path, (name, key, place)) in paths.iter().flat_map(|path| world.outsiders.iter().map(move |o| (path, o))) {
                    let own = &world.targets[*place];
                    let last = path.last().map_or("", String::as_str);
                    let ids: Vec<&str> = match (field.as_str(), last) {
                        ("node" | "nodes", _) => shape.node_types().iter().map(|ty| foreign.node(ty)).collect(),
                        ("organization", _) => vec![foreign.node("Organization")],
                        _ => vec![foreign.id(last).unwrap_or_else(|| {
                            panic!("give the target an id for `{last}` of {of}.{field} in tests/it/matrix/world.rs")
                        })],
                    };
                    let mut given = match field.as_str() {
                        "node" | "nodes" => Map::new(),
                        _ => arguments(&shape, of, &field, own, false, u64::try_from(report.cells).unwrap_or(0)),
                    };
                    // Nobody moves themselves: it is a child that would go there.
                    if (field.as_str(), last) == ("organizationMove", "parentId") {
                        given["input"]["organizationId"] = own.child.id.clone().into();
                    }
                    for id in ids {
                        let mut told = Vec::new();
                        for id in [id, &unknown(id)] {
                            let given = with_id(&given, path, id);
                            let asked = if of == "Organization" {
                                let (definitions, call) = shape.call(shape.field(of, &field), &given);
                                let document = format!("query({definitions}) {{ viewer {{ organization {{ {call} }} }} }}");
                                ask::Question { document, variables: given, pointer: "/viewer/organization".to_owned() }
                            } else {
                                root_question(&shape, of, &field, given)
                            };
                            let answer = send(&app, Some(key), None, &asked).await;
                            let (came, value) = read(&answer, &asked.pointer);
                            let nothing = value.is_null() || value == json!([null]);
                            let nothing = came == Ok(Outcome::Nothing) || (came == Ok(Outcome::Answers) && nothing);
                            report.cell(nothing, || format!("{of}.{field} {path:?}, {name}: {:#}", answer.body));
                            told.push(anonymous(&answer, id));
                        }
                        report.cell(told[0] == told[1], || {
                            format!("{of}.{field} {path:?}, {name}:\n  foreign {}\n  unknown {}", told[0], told[1])
                        });
                    }
                }
            }
        }
        report.end("foreign ids");
    }

    async fn a_foreign_cursor_shows_nothing_foreign(app) {
        let (shape, world) = (Shape::read(), World::make(&app).await);
        let mut report = Report::default();
        let foreign = &world.targets[OVER_OWNED].organization.id;
        for field in shape.fields("Organization") {
            let (name, of) = (&field.name.node, shape::named(&field.ty.node));
            if !of.ends_with("Connection") {
                continue;
            }
            let page = "pageInfo { endCursor } totalCount nodes { id }";
            let theirs = format!("query($id: ID!) {{ organization(by: {{ id: $id }}) {{ {name}(first: 1) {{ {page} }} }} }}");
            let theirs = app.gql(app.operator(), &theirs, json!({ "id": foreign })).await.clean();
            let cursor = theirs.at(&format!("/organization/{name}/pageInfo/endCursor")).clone();
            assert!(cursor.is_string(), "{name} of the target is empty");
            for (outsider, key, _) in &world.outsiders {
                let own = format!("{{ viewer {{ organization {{ {name}(first: 100) {{ {page} }} }} }} }}");
                let own = app.gql(key, &own, json!({})).await.clean();
                let document = format!("query($after: String) {{ viewer {{ organization {{ {name}(first: 100, after: $after) {{ {page} }} }} }} }}");
                let after = app.gql(key, &document, json!({ "after": cursor })).await.clean();
                let list = |answer: &Answer| answer.at(&format!("/viewer/organization/{name}")).clone();
                let (own, after) = (list(&own), list(&after));
                let nodes = |list: &Value| list["nodes"].as_array().cloned().unwrap_or_default();
                let within = nodes(&after).iter().all(|node| nodes(&own).contains(node));
                report.cell(within && own["totalCount"] == after["totalCount"], || {
                    format!("{name}, {outsider}: {after} behind a foreign cursor, {own} without")
                });
            }
        }
        report.end("cursors");
    }

    async fn the_header_makes_nobody_act_where_they_may_not(app) {
        let world = World::make(&app).await;
        let mut report = Report::default();
        let document = "{ viewer { actingOrganization { id } } }";
        for principal in world.principals.iter().filter(|principal| principal.header.is_none()) {
            let target = &world.targets[principal.target].organization.id;
            let ask = |id: String| {
                let mut request = app.request(document).header("Banyan-Organization", &id);
                if let Some(key) = &principal.key {
                    request = request.key(key);
                }
                request.send()
            };
            let answer = ask(target.clone()).await;
            let admin = principal.who.scopes.iter().any(|scope| scope == "org:admin");
            let wanted = match (principal.who.standing, principal.who.sight) {
                (Standing::Suspended, _) => "ORGANIZATION_SUSPENDED",
                (Standing::Ended | Standing::Anonymous, _) => "UNAUTHENTICATED",
                (Standing::Live, _) if !admin => "FORBIDDEN_SCOPE",
                (Standing::Live, Sight::Nowhere) => "NOT_FOUND",
                (Standing::Live, _) => "",
            };
            report.cell(answer.code() == wanted, || format!("header, {}: {:#}", principal.name, answer.body));
            if wanted.is_empty() {
                let acts = answer.at("/viewer/actingOrganization/id") == target;
                report.cell(acts, || format!("header, {}: {:#}", principal.name, answer.body));
            } else if principal.who.standing == Standing::Live {
                let nobodys = ask(unknown(target)).await;
                let same = anonymous(&answer, target) == anonymous(&nobodys, &unknown(target));
                report.cell(same, || format!("header, {}: {:#} and {:#}", principal.name, answer.body, nobodys.body));
            }
        }
        report.end("headers");
    }
}
