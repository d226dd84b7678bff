//! One world: a tree in a realm of its own, what the rules say of it, and everything that was done to it.

use banyan::kernel::sql::Sql;
use entity::kind::AuditOutcome;
use sea_orm::ConnectionTrait;
use serde_json::Value;

use crate::oracle::command::{Actor, Command, Serial};
use crate::oracle::document::{self, Foretold};
use crate::oracle::generate::{Generator, Kind};
use crate::oracle::names::Names;
use crate::oracle::order;
use crate::oracle::picture;
use crate::oracle::rules::Oracle;
use crate::{Answer, TestApp};

/// What happens to a world.
#[derive(Clone, Debug)]
pub enum Step {
    Command(Command),
    /// Each in a request of its own, all at once.
    Race(Vec<Command>),
    /// Charges in one `creditChargeBatch`.
    Batch(Vec<Command>),
    /// The clock moves by so many seconds.
    Advance(i64),
    /// The workers do what is due.
    Work,
}

pub struct World {
    oracle: Oracle,
    names: Names,
    /// The last change of the realm whose order is known.
    sequence: i64,
    /// All that was done, in order.
    pub steps: Vec<Step>,
    /// How many commands were compared.
    pub commands: usize,
    /// Whether its documents are kept for the comparison with the audit trail, which costs a parse each.
    audited: bool,
}

/// The first difference between the rules and the gateway.
pub type Compared = Result<(), String>;

impl World {
    pub fn new(now: i64, audited: bool) -> Self {
        let oracle = Oracle::at(now);
        Self { oracle, names: Names::default(), sequence: 0, steps: Vec::new(), commands: 0, audited }
    }

    /// Makes the tree.
    pub async fn begin(&mut self, app: &TestApp, generator: &mut Generator) -> Compared {
        for command in generator.beginning() {
            self.one(app, command).await?;
        }
        Ok(())
    }

    /// One command in a document of its own; nothing when it names what there is not.
    pub async fn one(&mut self, app: &TestApp, command: Command) -> Compared {
        if !self.secret(app, command.actor).is_empty()
            && let Some(foretold) = Foretold::of(&command, &mut self.oracle, &self.names)
        {
            self.send(app, command.actor, vec![foretold]).await?;
        }
        Ok(())
    }

    /// So many random commands.
    pub async fn many(&mut self, app: &TestApp, generator: &mut Generator, count: usize) -> Compared {
        let end = self.commands + count;
        while self.commands < end {
            match generator.kind() {
                Kind::Group => {}
                Kind::Race => {
                    let commands = generator.race(&self.oracle);
                    self.race(app, commands).await?;
                    continue;
                }
                Kind::Batch => {
                    let commands = generator.batch(&self.oracle);
                    self.batch(app, commands).await?;
                    continue;
                }
            }
            let mut group = Vec::new();
            let names = &self.names;
            generator.group(&mut self.oracle, end - self.commands, |oracle, command| {
                group.push(Foretold::of(command, oracle, names).expect("the generator names what there is"));
            });
            let actor = group[0].command.actor;
            self.send(app, actor, group).await?;
        }
        Ok(())
    }

    async fn send(&mut self, app: &TestApp, actor: Actor, group: Vec<Foretold>) -> Compared {
        let (text, variables) = document::document(&group);
        let request = app.request(&text).key(self.secret(app, actor)).variables(variables);
        let answer: Answer = if self.audited { request.send().await } else { request.send_unrecorded().await };
        for (at, foretold) in group.iter().enumerate() {
            self.steps.push(Step::Command(foretold.command.clone()));
            self.commands += 1;
            let payload = &answer.body["data"][format!("c{at}")];
            document::compare(&foretold.command, &foretold.answer, payload, &answer.body, &mut self.names)
                .map_err(|difference| format!("{difference}\n  in {:?}", foretold.command))?;
        }
        Ok(())
    }

    /// Requests that are under way together. In which order they are decided, and which of them in one transaction, nobody
    /// can foretell: one of all the possibilities must explain all answers.
    pub async fn race(&mut self, app: &TestApp, commands: Vec<Command>) -> Compared {
        let mut requests = Vec::new();
        for command in &commands {
            let secret = self.secret(app, command.actor);
            let Some((text, variables)) = document::single(command, &self.names).filter(|_| !secret.is_empty()) else {
                return Ok(());
            };
            let request = app.request(&text).key(secret).variables(variables);
            let audited = self.audited;
            requests.push(async move { if audited { request.send().await } else { request.send_unrecorded().await } });
        }
        let answers: Vec<Answer> = futures_util::future::join_all(requests).await;
        let payloads = answers.iter().map(|answer| (answer.body["data"]["c0"].clone(), answer.body.clone())).collect();
        let orders = order::permutations(commands.len());
        self.steps.push(Step::Race(commands.clone()));
        self.explain(&commands, &orders, payloads)
    }

    /// Charges of one request. Their order is theirs, but the first may be gone before the others are queued.
    pub async fn batch(&mut self, app: &TestApp, commands: Vec<Command>) -> Compared {
        let Some((text, variables)) = document::batch(&commands, &self.names) else { return Ok(()) };
        let request = app.request(&text).key(self.secret(app, commands[0].actor)).variables(variables);
        let answer = if self.audited { request.send().await } else { request.send_unrecorded().await };
        let payload = |at: usize| (document::result_of(at, &answer.body), answer.body.clone());
        let payloads = (0..commands.len()).map(payload).collect();
        self.steps.push(Step::Batch(commands.clone()));
        self.explain(&commands, &[(0..commands.len()).collect()], payloads)
    }

    /// Goes on with the first of all possibilities that explains all answers.
    fn explain(&mut self, commands: &[Command], orders: &[Vec<usize>], payloads: Vec<(Value, Value)>) -> Compared {
        self.commands += commands.len();
        let mut first = None;
        for order in orders {
            for groups in order::cuts(order) {
                match self.would_explain(commands, &groups, &payloads) {
                    Ok((oracle, names)) => {
                        (self.oracle, self.names) = (oracle, names);
                        return Ok(());
                    }
                    Err(text) => first = first.or(Some(text)),
                }
            }
        }
        let text = first.unwrap_or_default();
        Err(format!("no order explains what became of {commands:#?}: the first has {text}\n{payloads:#?}"))
    }

    fn would_explain(
        &self,
        commands: &[Command],
        groups: &[&[usize]],
        payloads: &[(Value, Value)],
    ) -> Result<(Oracle, Names), String> {
        let (mut oracle, mut names) = (self.oracle.clone(), self.names.clone());
        for group in groups {
            let together: Vec<&Command> = group.iter().map(|at| &commands[*at]).collect();
            for (at, answer) in group.iter().zip(oracle.run_together(&together)) {
                let (payload, body) = &payloads[*at];
                document::compare(&commands[*at], &answer, payload, body, &mut names)?;
            }
        }
        Ok((oracle, names))
    }

    fn secret<'a>(&'a self, app: &'a TestApp, actor: Actor) -> &'a str {
        match actor {
            Actor::Operator => &app.operator().secret,
            Actor::Key(key) => self.names.secret(key).unwrap_or_default(),
        }
    }

    /// The clock was moved.
    pub fn advance(&mut self, seconds: i64) {
        self.steps.push(Step::Advance(seconds));
        self.oracle.now += seconds;
    }

    /// The workers have done what was due. In which order is theirs to choose: the audit trail tells, and the rules follow.
    pub async fn worked(&mut self, app: &TestApp) -> Compared {
        self.steps.push(Step::Work);
        for (action, organization) in self.work_done(app).await {
            let due = self.oracle.due_holds().into_iter();
            let holds: Vec<Serial> = due.filter(|hold| self.oracle.holds[hold].organization == organization).collect();
            let due = self.oracle.due_buckets().into_iter();
            let buckets: Vec<usize> =
                due.filter(|bucket| self.oracle.buckets[*bucket].organization == organization).collect();
            match action.as_str() {
                "creditHoldExpire" => self.oracle.expire_holds(&holds),
                _ => self.oracle.expire_buckets(&buckets),
            }
        }
        match (self.oracle.due_holds().first(), self.oracle.due_buckets().first()) {
            (Some(hold), _) => Err(format!("the workers left hold {hold} open though its time is up")),
            (None, Some(bucket)) => {
                Err(format!("the workers left {:?} though its time is up", self.oracle.buckets[*bucket]))
            }
            (None, None) => Ok(()),
        }
    }

    async fn work_done(&mut self, app: &TestApp) -> Vec<(String, Serial)> {
        let Some(root) = self.oracle.organizations.keys().next() else { return Vec::new() };
        let root = self.names.id(&crate::oracle::command::organization(*root)).unwrap_or_default();
        let Ok(root) = root.parse::<entity::id::OrganizationId>() else { return Vec::new() };
        let connection = app.kernel().db.connection();
        let mut sql =
            Sql::new("SELECT a.sequence, a.action, a.organization_id FROM audit_event a WHERE a.realm_id = (");
        sql.push("SELECT o.realm_id FROM organization o WHERE o.id = ").bind(root).push(") AND a.sequence > ");
        sql.bind(self.sequence).push(" AND a.outcome = ").bind(AuditOutcome::Done);
        sql.push(" AND a.action IN ('creditHoldExpire', 'creditExpire') ORDER BY a.sequence");
        let rows = connection.query_all_raw(sql.statement(connection)).await.expect("the audit trail can be read");
        let mut done = Vec::new();
        for row in rows {
            self.sequence = row.try_get("", "sequence").expect("a sequence");
            let id: entity::id::OrganizationId = row.try_get("", "organization_id").expect("an organization");
            let name = self.names.name(&id.to_string()).and_then(|name| name.strip_prefix("@org:"));
            let serial = name.and_then(|name| name.parse().ok()).expect("an organization of this world");
            done.push((row.try_get("", "action").expect("an action"), serial));
        }
        done
    }

    /// Compares what is shown; at the end, all of it.
    pub async fn look(&mut self, app: &TestApp, all: bool) -> Compared {
        picture::compare(app, &self.oracle, &mut self.names, all).await
    }
}
