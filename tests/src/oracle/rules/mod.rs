//! The rules of SPEC §5 once more, in the plainest words: lists are walked, sums are added up, nothing is remembered that
//! can be counted. It shares no line with the engine it is compared with; only the names of fixed choices are common.
//!
//! Where SPEC is silent the engine's own pages decide: the order of refusals, when a refill is looked at, and that an
//! empty bucket is forgotten.

mod access;
mod moves;
mod refill;
mod refusal;
mod restructure;
mod settings;
mod settle;
mod spend;
mod state;
mod wallet;

use access::Need;
use serde_json::json;

use crate::oracle::command::{Act, Command};

pub use refusal::{Answer, No};
pub use state::{MOST, Oracle, Place, Refill, Subject};

/// How long an answer is told again to the same idempotency key: 30 days.
const TOLD_AGAIN_FOR: i64 = 30 * 24 * 3_600;

impl Oracle {
    /// What the command comes to, and what it leaves.
    pub fn run(&mut self, command: &Command) -> Answer {
        let mut answer = self.answer(command)?;
        if let Act::Transfer { source, target, .. } = &command.act {
            // Credits are moved over any edge; the wallets at the ends are shown to those who may read them.
            let ends = [("sourceWallet", self.about(command.actor, *source)?), ("targetWallet", *target)];
            for (field, end) in ends {
                if self.may(command.actor, end, Need::Read).is_err() {
                    answer[field] = serde_json::Value::Null;
                }
            }
        }
        Ok(answer)
    }

    fn answer(&mut self, command: &Command) -> Answer {
        self.admit(command.actor).map_err(No::Failed)?;
        if command.act.is_unreadable() {
            return Err(No::Failed("INVALID_INPUT"));
        }
        self.authorize(command)?;
        if !command.act.moves_credits() {
            return self.decide(command);
        }
        let name = (command.actor, command.act.field(), command.repeats.unwrap_or(command.serial));
        if let Some(first) = self.answers.get(&name)
            && first.until > self.now
        {
            if first.act != command.act {
                return Err(refusal::refused_at("IDEMPOTENCY_CONFLICT", "idempotencyKey"));
            }
            let mut answer = first.answer.clone();
            answer["replayed"] = json!(true);
            return Ok(answer);
        }
        let answer = self.decide(command)?;
        let until = self.now + TOLD_AGAIN_FOR;
        self.answers.insert(name, state::Answered { act: command.act.clone(), answer: answer.clone(), until });
        Ok(answer)
    }

    /// The same for commands that were decided in one transaction, in this order.
    pub fn run_together(&mut self, commands: &[&Command]) -> Vec<Answer> {
        let loaded = commands.iter().filter(|command| {
            let name = (command.actor, command.act.field(), command.repeats.unwrap_or(command.serial));
            let answered = self.answers.get(&name).is_some_and(|first| first.until > self.now);
            !answered && self.admit(command.actor).is_ok() && self.authorize(command).is_ok()
        });
        let holds = loaded.filter_map(|command| match command.act {
            Act::Capture { hold, .. } | Act::Void { hold } | Act::Refund { hold, .. } => Some(hold),
            _ => None,
        });
        let named = self.named_by(&holds.collect::<Vec<_>>());
        self.begin(&named);
        self.together = true;
        let answers = commands.iter().map(|command| self.run(command)).collect();
        self.together = false;
        answers
    }

    /// Whether the actor may do such a thing there. Comes before everything but what cannot be read at all.
    fn authorize(&self, command: &Command) -> Result<(), No> {
        let actor = command.actor;
        match &command.act {
            Act::Create { parent: None, .. } | Act::Quote(_) => Ok(()),
            Act::Grant(grant) => self.may(actor, grant.organization, Need::Operator),
            Act::Hold { seconds: Some(..0), .. } => Err(refusal::invalid("expiresInSeconds")),
            Act::Charge(spend) | Act::Hold { spend, .. } => {
                self.may(actor, self.about(actor, spend.organization)?, Need::Spend)
            }
            Act::Capture { hold, .. } | Act::Void { hold } | Act::Refund { hold, .. } => {
                self.may(actor, self.holds[hold].organization, Need::Spend)
            }
            Act::Transfer { source, target, .. } => {
                self.may(actor, self.about(actor, *source)?, Need::Control)?;
                self.may(actor, *target, Need::Control).map_err(|no| match no {
                    No::Refused(mut error) => {
                        error["path"] = json!(["input", "targetOrganizationId"]);
                        No::Refused(error)
                    }
                    failed => failed,
                })
            }
            Act::Rotate { key } => self.may(actor, self.keys[key].organization, Need::Control),
            Act::Create { parent: Some(organization), .. }
            | Act::Mint { organization, .. }
            | Act::Meter { organization, .. }
            | Act::Fund(crate::oracle::command::Funding { organization, .. })
            | Act::Limit(crate::oracle::command::Limits { organization, .. })
            | Act::Update { organization, .. }
            | Act::Delegate { organization, .. }
            | Act::Suspend { organization }
            | Act::Resume { organization }
            | Act::Archive { organization, .. }
            | Act::Move { organization, .. }
            | Act::Detach { organization } => self.may(actor, *organization, Need::Control),
        }
    }

    fn decide(&mut self, command: &Command) -> Answer {
        let (serial, actor) = (command.serial, command.actor);
        match &command.act {
            act @ Act::Create { .. } => self.create(serial, act),
            act @ Act::Mint { .. } => self.mint(serial, act),
            Act::Rotate { key } => self.rotate(serial, *key),
            Act::Meter { organization, key, credits } => self.meter(*organization, key, *credits),
            Act::Grant(grant) => self.grant(grant),
            Act::Charge(spend) => self.charge(serial, actor, spend),
            Act::Hold { spend, seconds } => self.hold(serial, actor, spend, *seconds),
            Act::Capture { hold, amount } => self.capture(actor, *hold, *amount),
            Act::Void { hold } => self.void(actor, *hold),
            Act::Refund { hold, amount } => self.refund(actor, *hold, *amount),
            Act::Transfer { source, target, amount } => {
                let source = self.about(actor, *source)?;
                self.transfer(actor, source, *target, *amount)
            }
            Act::Quote(spend) => self.quote(actor, spend),
            Act::Fund(funding) => self.fund(actor, funding),
            Act::Limit(limits) => self.limit_to(actor, limits),
            act @ Act::Update { .. } => self.update(act),
            Act::Delegate { organization, delegation } => self.delegate(actor, *organization, delegation),
            Act::Suspend { organization } => self.suspend(actor, *organization),
            Act::Resume { organization } => self.resume(actor, *organization),
            Act::Archive { organization, cascade } => self.archive(actor, *organization, *cascade),
            Act::Move { organization, parent } => self.move_below(actor, *organization, *parent),
            Act::Detach { organization } => self.detach(actor, *organization),
        }
    }
}
