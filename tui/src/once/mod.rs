//! One command without a screen: `banyan-tui get keys org_…`, `banyan-tui suspend org_… --reason fraud --yes`.
//!
//! The lists are the console's resources and the acts are its acts: same names, same fields, same
//! plans, same questions. Data goes to stdout, everything said about it to stderr, and the exit code
//! tells a script how it ended.
//!
//! Invariants: nothing is changed without `--yes` where the console asks a question that matters, nor
//! without the target's name where it has to be typed; one act has one idempotency key, however often
//! it is sent.

mod flags;

use std::io::Write;
use std::time::Duration;

pub use flags::{EXIT_CODES, Once, Scene, commands, read};

use crate::act::{Act, Field, Form, Kind, Named, Occasion, Pinned, Problem, Risk, Spec, Value};
use crate::connection::http::Http;
use crate::graphql::{Answer, Environment, Failure, OrganizationId, Outcome, Plan, Query, Request, UserError};
use crate::model::dialog::Dialog;
use crate::resource::{Ask, Cell, Filter, Record, RecordPage, Resource, ResourceId, Slice, Within};
use crate::text;

/// How often an act whose outcome is not known is sent again under its key.
const ATTEMPTS_MAX: u32 = 6;
const RESEND_FIRST: Duration = Duration::from_millis(500);

/// How a command ended: the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// The gateway could not be reached, or did not answer so that it could be understood.
    Unreachable = 1,
    /// The command was not right, or was not confirmed. Nothing was sent.
    Usage = 2,
    /// The gateway refused. Nothing was changed.
    Refused = 3,
    NotFound = 4,
    /// An act was sent and its outcome is not known: send it again under the same idempotency key.
    Unknown = 5,
}

/// Why a command did not end as it should.
struct Ended {
    exit: Exit,
    code: Option<String>,
    words: String,
}

impl Ended {
    fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self { exit, code: None, words: words.into() }
    }
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        let flag = problem.label.to_lowercase().replace(' ', "-");
        let words = if flag.is_empty() { problem.words } else { format!("--{flag}: {}", problem.words) };
        Self::new(Exit::Usage, words)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        let code = match &failure {
            Failure::Errors(errors) => errors.iter().find_map(|error| error.code.as_ref()),
            _ => None,
        };
        let exit = match code.map(|code| code.word()) {
            Some("NOT_FOUND") => Exit::NotFound,
            Some(_) => Exit::Refused,
            None => Exit::Unreachable,
        };
        Self { exit, code: code.map(|code| code.word().to_owned()), words: failure.to_string() }
    }
}

fn refusal(errors: &[UserError]) -> Ended {
    let code = errors.first().map(|error| error.code.word().to_owned());
    let words: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    let exit = if code.as_deref() == Some("NOT_FOUND") { Exit::NotFound } else { Exit::Refused };
    Ended { exit, code, words: words.join("; ") }
}

/// Runs a command and says how it ended.
pub async fn run(once: &Once, scene: &Scene, http: &Http, out: &mut impl Write, said: &mut impl Write) -> Exit {
    let ended = match once {
        Once::Get { id, target, filter, limit } => get(*id, target.as_deref(), filter, *limit, scene, http, out).await,
        Once::Act { .. } => act(once, scene, http, out, said).await,
    };
    let Err(ended) = ended else { return Exit::Done };
    let words = text::neutral(&ended.words);
    // There is nowhere left to say it when stderr is closed.
    let _told = match scene.json {
        true => {
            let error = serde_json::json!({ "error": { "code": ended.code, "message": words } });
            writeln!(said, "{}", text::json_line(&error))
        }
        false => {
            // A failure of the whole request says its code itself.
            let code = ended.code.filter(|code| !words.starts_with(&**code));
            let code = code.map_or_else(String::new, |code| format!("{code}: "));
            writeln!(said, "banyan-tui: {code}{words}")
        }
    };
    ended.exit
}

async fn ask(http: &Http, request: &Request<Answer>) -> Result<Answer, Ended> {
    Ok(http.exchange(request).await?)
}

async fn get(
    id: ResourceId,
    target: Option<&str>,
    filter: &str,
    limit: usize,
    scene: &Scene,
    http: &Http,
    out: &mut impl Write,
) -> Result<(), Ended> {
    let resource = id.spec();
    let columns = (resource.columns)();
    if id == ResourceId::Organizations
        && let Some(target) = target
    {
        let record = one(resource, target, http).await?;
        return print_record(&record, resource, scene, out);
    }
    let page = resource.page.ok_or_else(|| {
        Ended::new(Exit::Usage, format!("{} are streamed; open the console to watch them", resource.name))
    })?;
    let of = match resource.within {
        Within::Everything => None,
        Within::Organization => Some(Kind::Organization),
        Within::Record(of) => of.spec().kind,
    };
    if let (Some(of), None) = (of, target) {
        return Err(Ended::new(Exit::Usage, format!("name the {} whose {} are meant", of.word(), resource.name)));
    }
    let filter = Filter::parse(filter, resource).map_err(|words| Ended::new(Exit::Usage, words))?;
    let mut slice = Slice::First;
    let mut printed = 0;
    let mut first = true;
    while printed < limit {
        let question = Ask {
            organization: target.map(OrganizationId::new),
            within: target.map(str::to_owned),
            environment: scene.environment.clone(),
            filter: filter.conditions.clone(),
            order: None,
            slice,
        };
        let Answer::List(answer, errors) = ask(http, &page(&question)).await? else {
            return Err(Ended::new(Exit::Unreachable, "that is no list"));
        };
        let Some(found) = answer else {
            return Err(match errors.is_empty() {
                true => Ended::new(Exit::NotFound, format!("there is no {}", target.unwrap_or(resource.name))),
                false => Failure::Errors(errors).into(),
            });
        };
        let next = found.records.last().map(|record| record.cursor.clone()).filter(|_| found.more_after);
        printed += print_page(&found, &columns, &filter, limit - printed, first, scene, out)?;
        first = false;
        match next {
            Some(cursor) => slice = Slice::After(cursor),
            None => break,
        }
    }
    Ok(())
}

/// Lines of JSON, or columns with a head: as wide as what is in them, and nothing cut.
fn print_page(
    page: &RecordPage,
    columns: &[crate::resource::Column],
    filter: &Filter,
    room: usize,
    first: bool,
    scene: &Scene,
    out: &mut impl Write,
) -> Result<usize, Ended> {
    let records: Vec<&Record> = page.records.iter().filter(|record| filter.admits(record)).take(room).collect();
    let mut lines = Vec::new();
    if scene.json {
        lines.extend(records.iter().map(|record| text::json_line(&record.as_json(columns))));
    } else {
        if first {
            lines.extend(page.summary.iter().map(|(name, cell)| format!("{name} {}", shown(cell))));
        }
        let rows: Vec<Vec<String>> = records.iter().map(|record| record.cells.iter().map(shown).collect()).collect();
        let wide = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| text::width(cell));
            cells.chain([columns[at].title.len()]).max().unwrap_or(0)
        };
        let line = |cells: &[String]| {
            let padded = cells.iter().enumerate().map(|(at, cell)| {
                let blanks = " ".repeat(wide(at).saturating_sub(text::width(cell)));
                if columns[at].right { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        if first {
            lines.push(line(&columns.iter().map(|column| column.title.to_owned()).collect::<Vec<_>>()));
        }
        lines.extend(rows.iter().map(|row| line(row)));
    }
    for words in lines {
        writeln!(out, "{words}").map_err(|error| Ended::new(Exit::Unreachable, error.to_string()))?;
    }
    Ok(records.len())
}

fn shown(cell: &Cell) -> String {
    let words = text::neutral(&cell.words());
    if words.is_empty() { "-".to_owned() } else { words }
}

fn print_record(record: &Record, resource: &Resource, scene: &Scene, out: &mut impl Write) -> Result<(), Ended> {
    let columns = (resource.columns)();
    let lines: Vec<String> = match scene.json {
        true => vec![text::json_line(&record.as_json(&columns))],
        false => columns
            .iter()
            .zip(&record.cells)
            .map(|(column, cell)| format!("{:<14}{}", column.title, shown(cell)))
            .collect(),
    };
    for line in lines {
        writeln!(out, "{line}").map_err(|error| Ended::new(Exit::Unreachable, error.to_string()))?;
    }
    Ok(())
}

/// One record by its id.
async fn one(resource: &Resource, id: &str, http: &Http) -> Result<Record, Ended> {
    let refresh = resource.refresh.ok_or_else(|| Ended::new(Exit::Usage, "these have no ids"))?;
    let Answer::Records(mut records) = ask(http, &refresh(&[id.to_owned()])).await? else {
        return Err(Ended::new(Exit::Unreachable, "that is no record"));
    };
    records.pop().flatten().ok_or_else(|| Ended::new(Exit::NotFound, format!("there is no {id} in sight")))
}

/// The list that holds what an act is done to.
fn holder(spec: &Spec) -> Option<&'static Resource> {
    ResourceId::ALL.into_iter().map(ResourceId::spec).find(|resource| resource.kind == Some(spec.on))
}

async fn act(
    once: &Once,
    scene: &Scene,
    http: &Http,
    out: &mut impl Write,
    said: &mut impl Write,
) -> Result<(), Ended> {
    let Once::Act { spec, target, source, values, idempotency_key, yes, typed, dry_run } = once else {
        return Ok(());
    };
    if scene.read_only {
        return Err(Ended::new(Exit::Usage, "this profile is read-only"));
    }
    let resource = holder(spec).ok_or_else(|| Ended::new(Exit::Usage, "nothing has ids for that"))?;
    let record = one(resource, target, http).await?;
    let organization = record.organization.clone().map(|id| Named { id, name: String::new() });
    let target: Pinned = record.pinned(spec.on, organization.as_ref());
    let source = match source {
        Some(id) => {
            let record = one(ResourceId::Organizations.spec(), id, http).await?;
            Some(Named { id: OrganizationId::new(id), name: record.name })
        }
        None => None,
    };
    let occasion = Occasion { target: &target, environment: &scene.environment, known: None };
    let mut fields: Vec<Field> = (spec.fields)(&occasion);
    for (label, value) in values {
        if let Some(field) = fields.iter_mut().find(|field| field.label == *label) {
            field.fill(value)?;
        }
    }
    let unplanned = Form { target: &target, source: source.as_ref(), fields: &fields, plan: None, idempotency_key };
    let plan: Option<Box<Plan>> = match spec.plan {
        None => None,
        Some(plan) => match plan(&unplanned) {
            None => None,
            Some(request) => match ask(http, &request).await? {
                Answer::Plan(Some(plan)) => Some(plan),
                _ => return Err(Ended::new(Exit::NotFound, "the gateway gave no plan: check the ids")),
            },
        },
    };
    let act = Act::of(spec, &Form { plan: plan.as_deref(), ..unplanned })?;
    say(said, &act, plan.as_deref());
    if *dry_run {
        let written = writeln!(out, "{}", act.request.as_graphql());
        return written.map_err(|error| Ended::new(Exit::Unreachable, error.to_string()));
    }
    confirmed(spec.risk.raised(scene.production), &act, *yes, typed.as_deref())?;
    settle(&act, scene, http, out, said).await
}

/// What is about to happen, on stderr: the words of the console's question.
fn say(said: &mut impl Write, act: &Act, plan: Option<&Plan>) {
    let mut lines = vec![format!("{} {} ({})", act.spec.title, act.target.name, act.target.id)];
    lines.extend(text::spelled_out(&act.target.name).map(|spelled| format!("  spelled {spelled}")));
    if let Some(source) = &act.source {
        lines.push(format!("  from {} ({})", source.name, source.id));
    }
    if let Some(plan) = plan {
        lines.push(format!(
            "  concerns {} organizations below, {} keys, {} endpoints, {} open holds",
            plan.descendants, plan.api_keys, plan.webhook_endpoints, plan.open_holds
        ));
        lines.extend(plan.refusals.iter().map(|refusal| format!("  would be refused: {}", refusal.message)));
    }
    lines.extend(act.says.iter().map(|(label, words)| match label.is_empty() {
        true => format!("  {words}"),
        false => format!("  {}: {words}", label.to_lowercase()),
    }));
    for line in lines {
        let _told = writeln!(said, "{}", text::neutral(&line));
    }
}

fn confirmed(risk: Risk, act: &Act, yes: bool, typed: Option<&str>) -> Result<(), Ended> {
    if risk >= Risk::Medium && !yes {
        return Err(Ended::new(Exit::Usage, "nothing was done; add --yes to do it"));
    }
    let expected = Dialog::echo(std::slice::from_ref(&act.target));
    if risk == Risk::High && typed != Some(&*expected) {
        return Err(Ended::new(
            Exit::Usage,
            format!("nothing was done; add --type {expected:?} to show that it is meant"),
        ));
    }
    Ok(())
}

/// Sends an act until its outcome is known, or has been looked for often enough.
async fn settle(
    act: &Act,
    scene: &Scene,
    http: &Http,
    out: &mut impl Write,
    said: &mut impl Write,
) -> Result<(), Ended> {
    let mut wait = RESEND_FIRST;
    let mut doubtful = false;
    let mut last = String::new();
    for attempt in 1..=ATTEMPTS_MAX {
        match http.act(&act.request).await {
            Ok(Outcome::Done(receipt)) => {
                let done = format!("{} {} ({})", act.done, act.target.name, act.target.id);
                let _told = writeln!(said, "{}", text::neutral(&done));
                let issued = receipt.issued.as_ref();
                let secret = issued.and_then(|issued| issued.secret.as_ref());
                let line = match scene.json {
                    true => text::json_line(&serde_json::json!({
                        "done": act.spec.name, "target": act.target.id, "replayed": receipt.replayed,
                        "note": receipt.note, "id": issued.map(|issued| &issued.id),
                        "secret": secret.map(|secret| secret.expose()),
                        "idempotencyKey": act.idempotency_key,
                    })),
                    // A secret alone on stdout, so that it can be piped to where it is kept.
                    false => secret
                        .map(|secret| secret.expose().to_owned())
                        .or(receipt.note)
                        .map_or_else(String::new, |line| text::neutral(&line)),
                };
                let written = if line.is_empty() { Ok(()) } else { writeln!(out, "{line}") };
                return written.map_err(|error| Ended::new(Exit::Unreachable, error.to_string()));
            }
            Ok(Outcome::Refused(errors)) => {
                let running = errors.iter().find(|error| error.code.leaves_outcome_unknown());
                match running {
                    None => return Err(refusal(&errors)),
                    Some(error) => last.clone_from(&error.message),
                }
            }
            Err(failure) if doubtful || failure.leaves_outcome_unknown() => last = failure.to_string(),
            Err(failure) => return Err(failure.into()),
        }
        doubtful = true;
        if attempt < ATTEMPTS_MAX {
            let _told = writeln!(said, "unknown outcome, checking: {}", text::neutral(&last));
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }
    let key = &act.idempotency_key;
    Err(Ended::new(Exit::Unknown, format!("the outcome is not known: {last}. Ask again with --idempotency-key {key}")))
}

/// Everything a command has besides itself.
pub(crate) fn plain_target(spec: &Spec) -> Pinned {
    let organization = Named { id: OrganizationId::new(""), name: String::new() };
    Pinned { kind: spec.on, id: String::new(), name: String::new(), organization, version: None }
}

/// The fields that an act's flags are made from.
pub(crate) fn plain_fields(spec: &Spec) -> Vec<Field> {
    let target = plain_target(spec);
    let environment = Environment::Live;
    (spec.fields)(&Occasion { target: &target, environment: &environment, known: None })
}

/// The words a flag may be, when they are few.
pub(crate) fn choices(field: &Field) -> Option<&'static [&'static str]> {
    if let Value::Choice { words, .. } = field.value { Some(words) } else { None }
}

/// Asks who the key belongs to, for the environment whose credits are meant.
pub async fn environment_of(http: &Http) -> Result<Environment, Failure> {
    match http.exchange(&Query::Viewer.request()).await? {
        Answer::Viewer(viewer) => Ok(viewer.environment.unwrap_or(Environment::Live)),
        _ => Ok(Environment::Live),
    }
}
