//! The catalogue of priced actions that each root has for its tree.

use entity::credits::Credits;
use entity::id::OrganizationId;
use entity::meter;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query};
use serde::Serialize;

use crate::credit::model::METER_KEY_MAX_CHARS;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

const KEY: [meter::Column; 3] = [meter::Column::RealmId, meter::Column::OrganizationId, meter::Column::MeterKey];

/// Gives what became a root the catalogue of the one it was below, as it is: its prices stay, and neither of the two has a
/// say in the other's any more. What it had as a root before, if it was one, is forgotten.
pub async fn inherit(tx: &Tx, from: OrganizationId, to: OrganizationId) -> Result<()> {
    let of_the_new = meter::Entity::delete_many().filter(meter::Column::RealmId.eq(tx.realm()));
    of_the_new.filter(meter::Column::OrganizationId.eq(to)).exec(tx).await?;
    let mut sql = Sql::new(
        "INSERT INTO meter (realm_id, organization_id, meter_key, credits, description, updated_at)
         SELECT o.realm_id, o.id, m.meter_key, m.credits, m.description, m.updated_at
         FROM meter m JOIN organization o ON o.realm_id = m.realm_id WHERE m.realm_id = ",
    );
    sql.bind(tx.realm()).push(" AND m.organization_id = ").bind(from).push(" AND o.id = ").bind(to);
    tx.execute_raw(sql.statement(tx)).await?;
    Ok(())
}

/// Sets the price of a meter in the root's catalogue.
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
            organization_id: tx.target().id(),
            meter_key: self.key.clone(),
            credits: self.credits,
            description: self.description.clone(),
            updated_at: tx.now(),
        };
        meter::Entity::insert(row.clone().into_active_model())
            .on_conflict(
                sea_query::OnConflict::columns(KEY)
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
