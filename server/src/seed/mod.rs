//! Data to look at: the demo tree that tells the stories of the four products Banyan unifies, and trees of any size for
//! load work. Everything is made by the commands the API uses.

mod demo;
mod load;

use std::path::PathBuf;

use entity::id::OperatorKeyId;
use entity::operator_key;
use sea_orm::EntityTrait;

use crate::api_key::secret::{Named, Token};
use crate::api_key::store;
use crate::app::App;
use crate::http::{GraphiqlSettings, Tab};
use crate::kernel::error::Result;
use crate::settings::Settings;

pub use demo::demo;
pub use load::many;

/// Where the demo's keys are written.
pub fn keys_path(settings: &Settings) -> PathBuf {
    settings.data.join("demo-keys.toml")
}

/// Makes a key for the operator. The only thing that is written outside of a command: nobody could be authorized to.
pub async fn operator_key(app: &App, name: &str) -> Result<Token> {
    let world = &app.kernel.world;
    let now = world.clock.now();
    let id: OperatorKeyId = world.ids.id(now).into();
    let token = Token::new(Named::Operator { key: id }, world.ids.secret());
    let (pepper_id, secret_hash) = app.peppers.hash(&token);
    let row =
        operator_key::Model { id, name: name.to_owned(), secret_hash, pepper_id, created_at: now, revoked_at: None };
    store::insert_operator_key(app.kernel.db.connection(), row).await?;
    Ok(token)
}

/// Seeds an empty database; answers what GraphiQL opens with: the demo's key and a tab for each task.
pub async fn demo_if_empty(app: &App) -> Result<GraphiqlSettings> {
    let snapshot = app.kernel.db.snapshot();
    let empty = entity::organization::Entity::find().one(&snapshot).await?.is_none();
    if empty {
        demo(app).await?;
    }
    let key = std::fs::read_to_string(keys_path(&app.settings)).ok().and_then(|text| demo::graphiql_key(&text));
    let headers = key.map(|key| serde_json::json!({ "Authorization": format!("Bearer {key}") }).to_string());
    Ok(GraphiqlSettings { headers, ..plain_tabs() })
}

/// What GraphiQL opens with: a tab for each thing people come to do.
pub fn plain_tabs() -> GraphiqlSettings {
    let tab = |title: &str, query: &str, variables: Option<&str>| Tab {
        title: Some(title.to_owned()),
        query: query.trim().to_owned(),
        variables: variables.map(str::to_owned),
        headers: None,
    };
    GraphiqlSettings {
        tabs: vec![
            tab("Who am I, and what is below me?", include_str!("tabs/tree.graphql"), None),
            tab("A customer's wallet, limits and ledger", include_str!("tabs/wallet.graphql"), None),
            tab("Create, fund and charge a customer", include_str!("tabs/onboard.graphql"), None),
            tab("Watch wallets live", include_str!("tabs/watch.graphql"), None),
        ],
        headers: None,
    }
}
