//! Acting on an organization: the question, the sending, and finding out what happened.
//!
//! Invariants: one act is sent under one idempotency key until its outcome is known; after a
//! refusal a changed act gets a new key; an outcome is never guessed.

use jiff::{SignedDuration, Timestamp};

use super::{Effects, browse, link};
use crate::command::CommandId;
use crate::effect::{Copied, Effect, RequestId};
use crate::graphql::scalar::EffectiveStatus;
use crate::graphql::{Act, Failure, Outcome, Receipt};
use crate::model::detail::REFETCH;
use crate::model::dialog::{Dialog, GUARD, Kind, Named, Refusal, SecretPanel, Stage, Value};
use crate::model::{Model, Overlay, Purpose};
use crate::msg::Live;
use crate::text;

/// How often the outcome is looked for before the console waits to be told.
const ATTEMPTS_MAX: u32 = 8;
const RESEND_FIRST: SignedDuration = SignedDuration::from_secs(1);
const RESEND_MAX: SignedDuration = SignedDuration::from_secs(15);
/// A gateway that asks to be left alone for longer is asked all the same.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_mins(2);

pub fn run(model: &mut Model, command: CommandId, effects: &mut Effects) {
    match command {
        CommandId::Suspend => open(model, Kind::Suspend),
        CommandId::Resume => open(model, Kind::Resume),
        CommandId::Transfer => open(model, Kind::Transfer),
        CommandId::MintKey => open(model, Kind::MintKey),
        CommandId::CopySecret => {
            if let Overlay::Secret(panel) = &model.overlay {
                effects.push(Effect::Copy(Copied::Secret(panel.secret.clone())));
                model.notify("Sent the secret to the terminal's clipboard (OSC 52)", false);
            }
        }
        _ => in_dialog(model, command, effects),
    }
}

fn open(model: &mut Model, kind: Kind) {
    let Some(target) = model.tree.chosen().and_then(|id| model.named(id)) else {
        return model.notify("Choose an organization first", false);
    };
    let source = match kind {
        Kind::Transfer => match source_for(model, &target) {
            Ok(source) => Some(source),
            Err(why) => return model.notify(why, true),
        },
        Kind::Suspend | Kind::Resume | Kind::MintKey => None,
    };
    let source_row = source.as_ref().and_then(|source| model.organizations.get(&source.id));
    let source_available = source_row.and_then(|row| row.summary.available);
    let mut dialog = Dialog {
        kind,
        target,
        source,
        source_available,
        fields: kind.fields(&model.environment()),
        field: 0,
        problem: None,
        stage: Stage::Editing,
        idempotency_key: model.ids.idempotency_key(),
        guarded_until: model.now.checked_add(GUARD).unwrap_or(model.now),
        yes_marked: false,
    };
    if dialog.fields.is_empty() {
        ask_to_confirm(&mut dialog);
    }
    model.overlay = Overlay::Dialog(Box::new(dialog));
}

/// Who gives: a key's own organization; for the operator, the parent of the one that receives.
fn source_for(model: &Model, target: &Named) -> Result<Named, &'static str> {
    let own = model.viewer.as_ref().and_then(|viewer| viewer.organization.as_ref());
    if let Some(own) = own {
        return match own.id == target.id {
            true => Err("Choose an organization below yours to transfer to"),
            false => Ok(Named { id: own.id.clone(), name: own.name.clone() }),
        };
    }
    let row = model.organizations.get(&target.id);
    let parent = row.and_then(|row| row.parent.as_ref());
    parent
        .map(|parent| Named { id: parent.id.clone(), name: parent.name.clone() })
        .ok_or("A root has no parent to transfer from")
}

fn ask_to_confirm(dialog: &mut Dialog) {
    match dialog.act() {
        Ok(act) => {
            dialog.problem = None;
            dialog.yes_marked = false;
            dialog.stage = Stage::Confirming { act };
        }
        Err((field, problem)) => {
            dialog.field = field;
            dialog.problem = Some(problem);
        }
    }
}

fn in_dialog(model: &mut Model, command: CommandId, effects: &mut Effects) {
    let now = model.now;
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    let last_field = dialog.fields.len().saturating_sub(1);
    match command {
        CommandId::NextField => dialog.field = (dialog.field + 1).min(last_field),
        CommandId::PreviousField => dialog.field = dialog.field.saturating_sub(1),
        CommandId::NextChoice => {
            let field = dialog.fields.get_mut(dialog.field);
            if let Some(Value::Choice { words, chosen }) = field.map(|field| &mut field.value) {
                *chosen = (*chosen + 1) % words.len().max(1);
            }
        }
        CommandId::Submit if dialog.field < last_field => dialog.field += 1,
        CommandId::Submit => {
            ask_to_confirm(dialog);
            dialog.guarded_until = now.checked_add(GUARD).unwrap_or(now);
        }
        CommandId::SwitchAnswer => dialog.yes_marked = !dialog.yes_marked,
        CommandId::Answer if dialog.yes_marked => send(model, effects),
        CommandId::Answer => model.overlay = Overlay::None,
        CommandId::Confirm | CommandId::CheckAgain => send(model, effects),
        CommandId::Edit => {
            dialog.stage = Stage::Editing;
            if dialog.fields.is_empty() {
                ask_to_confirm(dialog);
            }
            dialog.guarded_until = now.checked_add(GUARD).unwrap_or(now);
            // The refused request may be remembered under its key; a changed one needs its own.
            let key = model.ids.idempotency_key();
            if let Overlay::Dialog(dialog) = &mut model.overlay {
                dialog.idempotency_key = key;
            }
        }
        CommandId::Close => close(model),
        _ => {}
    }
}

fn close(model: &mut Model) {
    if let Overlay::Dialog(dialog) = &model.overlay
        && let Stage::Unknown { .. } = dialog.stage
    {
        let (title, target) = (dialog.kind.title(), &dialog.target);
        let warning = format!(
            "{title}: outcome for {} ({}) is not known; look at it before you try again",
            text::neutral(&target.name),
            target.id
        );
        model.notify(warning, true);
    }
    model.overlay = Overlay::None;
}

/// Sends what the question showed. The second and every later time it goes out under the same
/// idempotency key, so that the gateway answers what became of the first.
fn send(model: &mut Model, effects: &mut Effects) {
    if model.settings.read_only {
        return;
    }
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    let (act, attempt) = match &dialog.stage {
        Stage::Confirming { act } => (act.clone(), 1),
        Stage::Unknown { act, attempt, .. } => (act.clone(), attempt.saturating_add(1)),
        Stage::Editing | Stage::Sending { .. } | Stage::Refused { .. } => return,
    };
    let request = model.ids.request();
    model.pending.insert(request, Purpose::Act);
    let idempotency_key = dialog.idempotency_key.clone();
    dialog.stage = Stage::Sending { act: act.clone(), request, attempt };
    effects.push(Effect::Act { request, act, idempotency_key });
}

pub fn resend_when_due(model: &mut Model, effects: &mut Effects) {
    if let Overlay::Dialog(dialog) = &model.overlay
        && let Stage::Unknown { resend_at: Some(at), .. } = dialog.stage
        && at <= model.now
    {
        send(model, effects);
        effects.draw();
    }
}

/// The connection is back: no need to wait for the deadline.
pub fn resend_now(model: &mut Model, effects: &mut Effects) {
    if let Overlay::Dialog(dialog) = &model.overlay
        && let Stage::Unknown { .. } = dialog.stage
    {
        send(model, effects);
    }
}

pub fn settled(model: &mut Model, request: RequestId, outcome: Result<Outcome, Failure>, effects: &mut Effects) {
    if model.pending.remove(&request).is_none() {
        return;
    }
    let now = model.now;
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    let Stage::Sending { act, request: sent, attempt } = &dialog.stage else { return };
    if *sent != request {
        return;
    }
    effects.draw();
    let (act, attempt) = (act.clone(), *attempt);
    // Once an answer was lost, only the gateway's decision about this very key ends the doubt.
    let doubtful = attempt > 1;
    match outcome {
        Ok(Outcome::Done(receipt)) => {
            let dialog = dialog.as_ref().clone();
            model.overlay = Overlay::None;
            done(model, &dialog, &act, receipt, effects);
        }
        Ok(Outcome::Refused(errors)) => {
            let running = errors.iter().find(|error| error.code.leaves_outcome_unknown());
            if let Some(running) = running {
                let reason = running.message.clone();
                dialog.stage = unknown(act, attempt, reason, None, now);
            } else {
                let refusal = |error: crate::graphql::UserError| Refusal {
                    code: Some(error.code.word().to_owned()),
                    message: error.message,
                };
                let refusals = errors.into_iter().map(refusal).collect();
                dialog.stage = Stage::Refused { refusals };
            }
        }
        Err(failure) if doubtful || failure.leaves_outcome_unknown() => {
            dialog.stage = unknown(act, attempt, failure.to_string(), failure.retry_after_ms(), now);
        }
        Err(failure) => dialog.stage = Stage::Refused { refusals: refusals_of(failure) },
    }
}

fn unknown(act: Act, attempt: u32, reason: String, retry_after_ms: Option<u64>, now: Timestamp) -> Stage {
    let doublings = attempt.saturating_sub(1).min(8);
    let wait = RESEND_FIRST.checked_mul(1 << doublings).unwrap_or(RESEND_MAX).min(RESEND_MAX);
    let asked = retry_after_ms.and_then(|millis| i64::try_from(millis).ok()).map(SignedDuration::from_millis);
    let wait = asked.map_or(wait, |asked| asked.clamp(wait, RETRY_AFTER_MAX));
    let resend_at = (attempt < ATTEMPTS_MAX).then(|| now.checked_add(wait).ok()).flatten();
    Stage::Unknown { act, attempt, resend_at, reason }
}

fn refusals_of(failure: Failure) -> Vec<Refusal> {
    match failure {
        Failure::Errors(errors) => errors
            .into_iter()
            .map(|error| Refusal { code: error.code.map(|code| code.word().to_owned()), message: error.message })
            .collect(),
        failure => vec![Refusal { code: None, message: format!("{failure}; nothing was sent") }],
    }
}

fn done(model: &mut Model, dialog: &Dialog, act: &Act, receipt: Receipt, effects: &mut Effects) {
    let name = text::neutral(&dialog.target.name);
    let target = format!("{name} ({})", dialog.target.id);
    match receipt {
        Receipt::Organization(row) => {
            let still_suspended = matches!(act, Act::Resume { .. })
                && row.as_ref().is_some_and(|row| row.effective_status != EffectiveStatus::Active);
            if let Some(row) = row {
                browse::take_row(model, row);
            }
            match (act, still_suspended) {
                (Act::Suspend { .. }, _) => model.notify(format!("Suspended {target}"), false),
                (_, true) => {
                    model.notify(format!("Lifted yours; {target} is still held by somebody else's suspension"), true)
                }
                (_, false) => model.notify(format!("Resumed {target}"), false),
            }
        }
        Receipt::Transferred { wallets, replayed } => {
            let amount = match act {
                Act::Transfer { amount, .. } => amount.to_string(),
                _ => String::new(),
            };
            let once = if replayed { "; it had arrived the first time, and moved once" } else { "" };
            model.notify(format!("Transferred {amount} credits to {target}{once}"), false);
            link::live(model, Live::Wallets(wallets), effects);
        }
        Receipt::Minted { api_key, secret } => match (api_key, secret) {
            (Some(key), Some(secret)) => {
                model.overlay = Overlay::Secret(SecretPanel {
                    organization: dialog.target.clone(),
                    key_name: key.name,
                    prefix: key.prefix,
                    secret,
                    guarded_until: model.now.checked_add(GUARD).unwrap_or(model.now),
                });
            }
            _ => model.notify(format!("A key of {target} was minted, but its secret was lost: revoke it"), true),
        },
    }
    // A suspension shows on everything below, so every row on the screen may have changed.
    link::catch_up(model, effects);
    model.detail.plan(model.now, REFETCH);
}
