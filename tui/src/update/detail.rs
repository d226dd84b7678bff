//! Reading the chosen organization, once and whenever something about it moved.

use super::Effects;
use crate::effect::RequestId;
use crate::graphql::{Answer, Failure, Query};
use crate::model::detail::REFETCH;
use crate::model::{Model, Purpose};

pub fn ask(model: &mut Model, effects: &mut Effects) {
    model.detail.ask_at = None;
    let Some(organization) = model.detail.of.clone() else { return };
    if model.detail.asked.is_some() {
        // Replacing the request that is out would, under steady charges, drop every answer.
        model.detail.ask_again = true;
        return;
    }
    model.detail.asked_at = Some(model.now);
    let query = Query::Detail { organization, environment: model.environment() };
    model.detail.asked = Some(effects.ask(model, Purpose::Detail, query));
}

pub fn answered(model: &mut Model, request: RequestId, answer: Result<Answer, Failure>) {
    if model.detail.asked != Some(request) {
        return;
    }
    model.detail.asked = None;
    if std::mem::take(&mut model.detail.ask_again) {
        model.detail.plan(model.now, REFETCH);
    }
    match answer {
        Ok(Answer::Detail(Some(arrived), errors)) => {
            if let Some(row) = model.organizations.get_mut(&arrived.id) {
                row.name.clone_from(&arrived.name);
                row.effective_status.clone_from(&arrived.effective_status);
            }
            model.detail.take(arrived, errors);
        }
        Ok(Answer::Detail(None, errors)) => {
            // An organization that went away answers null without an error; an error beside the
            // null means that it could not be read.
            if errors.is_empty()
                && let Some(gone) = model.detail.of.clone()
            {
                super::browse::forget(model, &[gone]);
            } else {
                model.detail.failure = Some(Failure::Errors(errors).to_string());
            }
        }
        Ok(_) => {}
        Err(failure) => model.detail.failure = Some(failure.to_string()),
    }
}
