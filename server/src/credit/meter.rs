//! The catalogue of priced actions.

use entity::credits::Credits;
use entity::id::OrganizationId;
use entity::meter;
use sea_orm::{EntityTrait, IntoActiveModel, sea_query};
use serde::Serialize;

use crate::credit::model::METER_KEY_MAX_CHARS;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::tx::Tx;

/// Sets the price of a meter in the realm's catalogue.
#[derive(Clone, Debug, Serialize)]
pub struct SetMeter {
    pub organization: Option<OrganizationId>,
    pub key: String,
    pub credits: Credits,
    pub description: Option<String>,
}

impl Command for SetMeter {
    const NAME: &'static str = "meterSet";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope];
    type Output = meter::Model;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    async fn run(&self, tx: &mut Tx) -> Result<meter::Model> {
        let well_formed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
        if self.key.is_empty() || self.key.len() > METER_KEY_MAX_CHARS || !self.key.bytes().all(well_formed) {
            let message = "A meter's key has 1 to 100 of a–z, 0–9, '.', '_' and '-', such as invoice.submit.";
            return Err(Refusal::invalid("key", message).into());
        }
        if !self.credits.is_positive() {
            return Err(Refusal::invalid("credits", "A meter's price is more than 0.").into());
        }
        let row = meter::Model {
            realm_id: tx.realm(),
            meter_key: self.key.clone(),
            credits: self.credits,
            description: self.description.clone(),
            updated_at: tx.now(),
        };
        meter::Entity::insert(row.clone().into_active_model())
            .on_conflict(
                sea_query::OnConflict::columns([meter::Column::RealmId, meter::Column::MeterKey])
                    .update_columns([meter::Column::Credits, meter::Column::Description, meter::Column::UpdatedAt])
                    .to_owned(),
            )
            .exec_without_returning(&*tx)
            .await?;
        tx.note("meter", self.key.as_str());
        tx.note("credits", self.credits.get());
        Ok(row)
    }
}
