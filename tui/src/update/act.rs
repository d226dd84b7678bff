//! Acting: the plan, the question, the sending, and finding out what happened.
//!
//! Invariants: targets are pinned when the dialog opens; one act is sent under one idempotency key
//! until its outcome is known; after a refusal a changed act gets a new key; an outcome is never
//! guessed. Several targets are acted upon one after the other: a refusal of one does not touch the
//! others, and an unknown outcome stops them until it is known.

use jiff::{SignedDuration, Timestamp};

use super::{Effects, browse, link, list};
use crate::act::{Act, Field, Inverse, Kind, Named, Occasion, Pinned, Problem, Risk, Spec, Undoing, Value};
use crate::command::Step;
use crate::effect::{Copied, Effect, RequestId};
use crate::graphql::{Answer, Failure, Outcome, Query, Receipt};
use crate::model::detail::REFETCH;
use crate::model::dialog::{
    Dialog, Fate, GUARD, Item, Offer, Planned, Refusal, SecretPanel, Secrets, Stage, TARGETS_MAX,
};
use crate::model::{Model, Overlay, Purpose};
use crate::msg::Live;
use crate::text;

/// How often the outcome is looked for before the console waits to be told.
const ATTEMPTS_MAX: u32 = 8;
const RESEND_FIRST: SignedDuration = SignedDuration::from_secs(1);
const RESEND_MAX: SignedDuration = SignedDuration::from_secs(15);
/// A gateway that asks to be left alone for longer is asked all the same.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_mins(2);

/// Opens the dialog of an act on what is marked, or under the cursor.
pub fn open(model: &mut Model, spec: &'static Spec, effects: &mut Effects) {
    let targets = model.targets(spec);
    if targets.is_empty() {
        let kind = spec.on.word();
        let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        return model.notify(format!("Choose {article} {kind} first"), false);
    }
    open_on(model, spec, targets, None, &[], effects);
}

/// Opens the dialog that undoes the last act.
pub fn open_undo(model: &mut Model, effects: &mut Effects) {
    match model.offer.clone() {
        None => model.notify("There is nothing here to undo", false),
        Some(offer) => open_on(model, offer.spec, offer.targets, offer.source, &offer.filled, effects),
    }
}

fn open_on(
    model: &mut Model,
    spec: &'static Spec,
    targets: Vec<Pinned>,
    source: Option<Named>,
    filled: &[(&'static str, String)],
    effects: &mut Effects,
) {
    if model.settings.read_only {
        return;
    }
    if targets.len() > TARGETS_MAX {
        return model.notify(format!("At most {TARGETS_MAX} at a time, and {} are marked", targets.len()), true);
    }
    let source = match (spec.has_source, source) {
        (false, _) => None,
        (true, Some(source)) => Some(source),
        (true, None) => match source_for(model, &targets) {
            Ok(source) => Some(source),
            Err(why) => return model.notify(why, true),
        },
    };
    let source_row = source.as_ref().and_then(|source| model.organizations.get(&source.id));
    let source_available = source_row.and_then(|row| row.summary.available);
    let risk = spec.risk.raised(model.settings.production);
    let one = if let [target] = &*targets { Some(target) } else { None };
    let known = model.detail.shown().filter(|known| one.is_some_and(|target| target.organization.id == known.id));
    let occasion = Occasion { target: &targets[0], environment: &model.environment(), known };
    let mut fields = (spec.fields)(&occasion);
    for (label, value) in filled {
        if let Some(field) = fields.iter_mut().find(|field| field.label == *label) {
            // What was in such a field before fits into it again.
            let _fits = field.fill(value);
        }
    }
    if risk == Risk::High {
        fields.push(Dialog::echo_field(&targets));
    }
    let items = targets.into_iter().map(|target| Item {
        target,
        idempotency_key: model.ids.idempotency_key(),
        plan: Planned::Not,
        fate: Fate::Waiting,
    });
    let mut dialog = Dialog {
        spec,
        risk,
        items: items.collect(),
        source,
        source_available,
        fields,
        field: 0,
        problem: None,
        stage: Stage::Editing,
        guarded_until: guard(model.now),
        yes_marked: false,
        issued: Vec::new(),
    };
    if dialog.fields.is_empty() && spec.plan.is_none() {
        ask_to_confirm(&mut dialog);
    }
    model.overlay = Overlay::Dialog(Box::new(dialog));
    ask_plans(model, effects);
}

fn guard(now: Timestamp) -> Timestamp {
    now.checked_add(GUARD).unwrap_or(now)
}

/// Who gives: a key's own organization; for the operator, the parent of those that receive.
fn source_for(model: &Model, targets: &[Pinned]) -> Result<Named, &'static str> {
    let own = model.viewer.as_ref().and_then(|viewer| viewer.organization.as_ref());
    if let Some(own) = own {
        return match targets.iter().any(|target| target.organization.id == own.id) {
            true => Err("Choose an organization below yours to transfer to"),
            false => Ok(Named { id: own.id.clone(), name: own.name.clone() }),
        };
    }
    let parent = |target: &Pinned| {
        let row = model.organizations.get(&target.organization.id)?;
        row.parent.as_ref().map(|parent| Named { id: parent.id.clone(), name: parent.name.clone() })
    };
    let first = targets.first().and_then(parent).ok_or("Its parent gives, and none is known: find it in the tree")?;
    let same = targets.iter().all(|target| parent(target).as_ref() == Some(&first));
    if same { Ok(first) } else { Err("Those that are marked have different parents to transfer from") }
}

/// Asks what would happen to each target, as the fields stand.
fn ask_plans(model: &mut Model, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &model.overlay else { return };
    let waiting = dialog.items.iter().enumerate().filter(|(_, item)| item.fate != Fate::Done);
    let asked: Vec<_> = waiting.filter_map(|(at, item)| Some((at, dialog.plan_request(item)?))).collect();
    for (at, request) in asked {
        let request = effects.ask(model, Purpose::Plan, Query::Of(request));
        if let Overlay::Dialog(dialog) = &mut model.overlay {
            dialog.items[at].plan = Planned::Asked(request);
        }
    }
}

pub fn plan_answered(model: &mut Model, request: RequestId, answer: Result<Answer, Failure>) {
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    let Some(item) = dialog.items.iter_mut().find(|item| item.plan == Planned::Asked(request)) else { return };
    item.plan = match answer {
        Ok(Answer::Plan(Some(plan))) => Planned::Known(plan),
        Ok(_) => Planned::Failed("the gateway gave none".to_owned()),
        Err(failure) => Planned::Failed(failure.to_string()),
    };
}

/// A text that the plan depends on was left: a plan that was made for another one is none.
fn left(model: &mut Model, at: usize, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &model.overlay else { return };
    let is_typed = |field: &Field| field.decides && matches!(field.value, Value::Text { .. });
    if dialog.field != at && dialog.fields.get(at).is_some_and(is_typed) {
        ask_plans(model, effects);
    }
}

/// A field of a dialog changed: a plan that was made for another choice is none.
pub fn changed(model: &mut Model, effects: &mut Effects) {
    let is_choice = match &model.overlay {
        Overlay::Dialog(dialog) => {
            matches!(dialog.fields.get(dialog.field).map(|field| &field.value), Some(Value::Choice { .. }))
        }
        _ => false,
    };
    if is_choice {
        ask_plans(model, effects);
    }
}

pub fn run(model: &mut Model, step: Step, effects: &mut Effects) {
    if step == Step::CopySecret {
        if let Overlay::Secret(secrets) = &model.overlay
            && let Some(panel) = secrets.panels.first()
        {
            effects.push(Effect::Copy(Copied::Secret(panel.secret.clone())));
            model.notify("Sent the secret to the terminal's clipboard (OSC 52)", false);
        }
        return;
    }
    let now = model.now;
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    let last_field = dialog.fields.len().saturating_sub(1);
    match step {
        Step::NextField => {
            let at = dialog.field;
            dialog.field = (at + 1).min(last_field);
            left(model, at, effects);
        }
        Step::PreviousField => {
            let at = dialog.field;
            dialog.field = at.saturating_sub(1);
            left(model, at, effects);
        }
        Step::NextChoice => {
            let field = dialog.fields.get_mut(dialog.field);
            if let Some(Value::Choice { words, chosen }) = field.map(|field| &mut field.value) {
                *chosen = (*chosen + 1) % words.len().max(1);
            }
            changed(model, effects);
        }
        Step::Submit if dialog.field < last_field => {
            let at = dialog.field;
            dialog.field = at + 1;
            left(model, at, effects);
        }
        Step::Submit => {
            ask_to_confirm(dialog);
            dialog.guarded_until = guard(now);
        }
        Step::SwitchAnswer => dialog.yes_marked = !dialog.yes_marked,
        Step::Answer if dialog.yes_marked => confirm(model, effects),
        Step::Answer => model.overlay = Overlay::None,
        Step::CheckAgain => send(model, effects),
        Step::CopyGraphql => copy_graphql(model, effects),
        Step::Edit => edit(model, effects),
        Step::Close => close(model),
        _ => {}
    }
}

fn ask_to_confirm(dialog: &mut Dialog) {
    match dialog.acts() {
        Ok(acts) => {
            dialog.problem = None;
            dialog.yes_marked = false;
            dialog.stage = Stage::Confirming { acts };
        }
        Err(Problem { label, words }) => {
            dialog.field = dialog.fields.iter().position(|field| field.label == label).unwrap_or(dialog.field);
            dialog.problem = Some(words);
        }
    }
}

/// Back to the fields, with new idempotency keys: the refused requests may be remembered under
/// theirs. What was typed to show that it is meant has to be typed again.
fn edit(model: &mut Model, effects: &mut Effects) {
    let now = model.now;
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    dialog.items.retain(|item| item.fate != Fate::Done);
    dialog.stage = Stage::Editing;
    dialog.field = 0;
    dialog.problem = None;
    dialog.guarded_until = guard(now);
    let targets: Vec<Pinned> = dialog.items.iter().map(|item| item.target.clone()).collect();
    if let Some(field) = dialog.fields.iter_mut().find(|field| matches!(field.value, Value::Echo { .. })) {
        *field = Dialog::echo_field(&targets);
    }
    for item in &mut dialog.items {
        item.idempotency_key = model.ids.idempotency_key();
        item.fate = Fate::Waiting;
    }
    if dialog.fields.is_empty() && dialog.spec.plan.is_none() {
        ask_to_confirm(dialog);
    }
    ask_plans(model, effects);
}

fn close(model: &mut Model) {
    if let Overlay::Dialog(dialog) = &model.overlay
        && let Stage::Unknown { acts, at, .. } = &dialog.stage
        && let Some(act) = acts.get(*at)
    {
        let target = described(&act.target);
        let warning = format!("{}: outcome for {target} is not known; look at it before you try again", act.spec.title);
        model.notify(warning, true);
    }
    model.overlay = Overlay::None;
}

fn described(target: &Pinned) -> String {
    format!("{} ({})", text::neutral(&target.name), text::neutral(&target.id))
}

fn copy_graphql(model: &mut Model, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &model.overlay else { return };
    let acts = match &dialog.stage {
        Stage::Confirming { acts } | Stage::Unknown { acts, .. } => acts,
        Stage::Editing | Stage::Sending { .. } | Stage::Refused => return,
    };
    let documents: Vec<String> = acts.iter().map(|act| act.request.as_graphql()).collect();
    effects.push(Effect::Copy(Copied::Graphql(documents.join("\n"))));
    model.notify("Sent the GraphQL to the terminal's clipboard (OSC 52); nothing was done", false);
}

fn confirm(model: &mut Model, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &model.overlay else { return };
    if let Stage::Confirming { acts } = &dialog.stage {
        let acts = acts.clone();
        send_at(model, acts, 0, 1, effects);
    }
}

/// Sends an act. The second and every later time it goes out under the same idempotency key, so
/// that the gateway answers what became of the first.
fn send_at(model: &mut Model, acts: Vec<Act>, at: usize, attempt: u32, effects: &mut Effects) {
    // The second lock beside the first: a read-only console has no dialog to come here from.
    if model.settings.read_only {
        return;
    }
    let Some(act) = acts.get(at).cloned() else { return };
    let request = model.ids.request();
    model.pending.insert(request, Purpose::Act);
    if let Overlay::Dialog(dialog) = &mut model.overlay {
        dialog.stage = Stage::Sending { acts, at, request, attempt };
    }
    effects.push(Effect::Act { request, act: Box::new(act) });
}

/// Sends what is in doubt once more.
fn send(model: &mut Model, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &model.overlay else { return };
    if let Stage::Unknown { acts, at, attempt, .. } = &dialog.stage {
        let (acts, at, attempt) = (acts.clone(), *at, attempt.saturating_add(1));
        send_at(model, acts, at, attempt, effects);
    }
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
    let Stage::Sending { acts, at, request: sent, attempt } = &dialog.stage else { return };
    if *sent != request {
        return;
    }
    effects.draw();
    let (acts, at, attempt) = (acts.clone(), *at, *attempt);
    // Once an answer was lost, only the gateway's decision about this very key ends the doubt.
    let doubtful = attempt > 1;
    let refusals = match outcome {
        Ok(Outcome::Done(receipt)) => {
            done(model, &acts[at], receipt, effects);
            return go_on(model, acts, at, Fate::Done, effects);
        }
        Ok(Outcome::Refused(errors)) => {
            let running = errors.iter().find(|error| error.code.leaves_outcome_unknown());
            if let Some(running) = running {
                let reason = running.message.clone();
                dialog.stage = unknown(acts, at, attempt, reason, None, now);
                return;
            }
            let refusal = |error: crate::graphql::UserError| Refusal {
                code: Some(error.code.word().to_owned()),
                message: error.message,
            };
            errors.into_iter().map(refusal).collect()
        }
        Err(failure) if doubtful || failure.leaves_outcome_unknown() => {
            dialog.stage = unknown(acts, at, attempt, failure.to_string(), failure.retry_after_ms(), now);
            return;
        }
        Err(failure) => refusals_of(failure),
    };
    go_on(model, acts, at, Fate::Refused(refusals), effects);
}

/// One is decided: the next one goes out, or the dialog ends.
fn go_on(model: &mut Model, acts: Vec<Act>, at: usize, fate: Fate, effects: &mut Effects) {
    let Overlay::Dialog(dialog) = &mut model.overlay else { return };
    if let Some(item) = dialog.items.iter_mut().find(|item| item.target == acts[at].target) {
        item.fate = fate;
    }
    if at + 1 < acts.len() {
        return send_at(model, acts, at + 1, 1, effects);
    }
    let (done, refused) = dialog.tally();
    let panels = std::mem::take(&mut dialog.issued);
    let is_of_many = dialog.is_of_many();
    dialog.stage = Stage::Refused;
    let rest = match std::mem::take(&mut model.overlay) {
        Overlay::Dialog(dialog) if refused > 0 => Some(dialog),
        _ => None,
    };
    if is_of_many && refused == 0 {
        let (verb, plural) = (acts[0].done.clone(), acts[0].target.kind.plural());
        model.notify(format!("{verb} {done} {plural}"), false);
    }
    model.overlay = match (panels.is_empty(), rest) {
        (false, after) => Overlay::Secret(Secrets { panels, after, guarded_until: guard(model.now) }),
        (true, Some(dialog)) => Overlay::Dialog(dialog),
        (true, None) => Overlay::None,
    };
    after(model, effects);
}

/// A secret leaves the model with its panel; the next one, or what is left to say, comes after it.
pub fn close_secret(model: &mut Model) {
    let until = guard(model.now);
    let Overlay::Secret(secrets) = &mut model.overlay else { return };
    secrets.panels.remove(0);
    secrets.guarded_until = until;
    if secrets.panels.is_empty() {
        model.overlay = secrets.after.take().map_or(Overlay::None, Overlay::Dialog);
    }
}

/// A suspension shows on everything below, so every row on the screen may have changed.
fn after(model: &mut Model, effects: &mut Effects) {
    list::after_act(model, effects);
    link::catch_up(model, effects);
    model.detail.plan(model.now, REFETCH);
}

fn unknown(
    acts: Vec<Act>,
    at: usize,
    attempt: u32,
    reason: String,
    retry_after_ms: Option<u64>,
    now: Timestamp,
) -> Stage {
    let doublings = attempt.saturating_sub(1).min(8);
    let wait = RESEND_FIRST.checked_mul(1 << doublings).unwrap_or(RESEND_MAX).min(RESEND_MAX);
    let asked = retry_after_ms.and_then(|millis| i64::try_from(millis).ok()).map(SignedDuration::from_millis);
    let wait = asked.map_or(wait, |asked| asked.clamp(wait, RETRY_AFTER_MAX));
    let resend_at = (attempt < ATTEMPTS_MAX).then(|| now.checked_add(wait).ok()).flatten();
    Stage::Unknown { acts, at, attempt, resend_at, reason }
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

/// Takes in what the gateway says of an act that it did.
fn done(model: &mut Model, act: &Act, receipt: Receipt, effects: &mut Effects) {
    let target = described(&act.target);
    let once = if receipt.replayed { "; it had arrived, and happened once" } else { "" };
    let note = receipt.note.as_deref().map_or_else(String::new, |note| format!("; {note}"));
    let grave = receipt.note.is_some() && act.spec == &crate::act::RESUME;
    model.offer = offer(model, act, receipt.issued.as_ref());
    let undo = if model.offer.is_some() { "  (Z undoes it)" } else { "" };
    model.notify(format!("{} {target}{note}{once}{undo}", act.done), grave);
    if let Some(row) = receipt.organization {
        browse::take_row(model, row);
    }
    if !receipt.wallets.is_empty() {
        link::live(model, Live::Wallets(receipt.wallets), effects);
    }
    if let Some(issued) = receipt.issued {
        match issued.secret {
            Some(secret) => {
                let organization = act.target.organization.clone();
                let panel = SecretPanel { organization, name: issued.name, prefix: issued.prefix, secret };
                if let Overlay::Dialog(dialog) = &mut model.overlay {
                    dialog.issued.push(panel);
                }
            }
            None => {
                let then = match act.target.kind {
                    Kind::Endpoint => "rotate it again",
                    Kind::Organization | Kind::ApiKey | Kind::Delivery => "revoke it",
                };
                model.notify(format!("{} {target}, but its secret was lost: {then}", act.done), true);
            }
        }
    }
}

/// What would undo an act, on the very things it was done to.
fn offer(model: &Model, act: &Act, issued: Option<&crate::graphql::Issued>) -> Option<Offer> {
    let Inverse { spec, how } = act.spec.inverse?;
    let same = || vec![act.target.clone()];
    let offer = |targets, source, filled| Offer { spec: spec(), targets, source, filled };
    Some(match how {
        Undoing::SameTarget => {
            let mut targets = same();
            // One act on several is undone as one.
            if let Overlay::Dialog(dialog) = &model.overlay
                && dialog.is_of_many()
            {
                targets = dialog.items.iter().map(|item| item.target.clone()).collect();
            }
            offer(targets, None, Vec::new())
        }
        Undoing::Swapped => {
            let source = act.source.clone()?;
            let amount = act.says.iter().find(|(label, _)| *label == "Amount")?;
            let amount = amount.1.split(' ').next().unwrap_or_default().to_owned();
            let target = Pinned::organization(source, None);
            offer(vec![target], Some(act.target.organization.clone()), vec![("Amount", amount)])
        }
        Undoing::WhatWasMade => {
            let issued = issued?;
            let made = Pinned {
                kind: spec().on,
                id: issued.id.clone(),
                name: issued.name.clone(),
                organization: act.target.organization.clone(),
                version: None,
            };
            offer(vec![made], None, Vec::new())
        }
        Undoing::Before => {
            let Overlay::Dialog(dialog) = &model.overlay else { return None };
            let changed = dialog.fields.iter().filter(|field| !field.content().trim().is_empty());
            let before: Option<Vec<_>> = changed.map(|field| Some((field.label, field.before.clone()?))).collect();
            offer(same(), None, before?)
        }
    })
}
