//! A gateway for benchmarks: the system's clock and chance, on whatever database is named.

use std::path::Path;

use banyan::app::App;
use banyan::kernel::clock::World;
use banyan::settings::SettingsInput;

/// Any 32 bytes: the keys of a benchmark are nobody's.
const PEPPER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const POSTGRES_CONNECTIONS: u32 = 16;

pub async fn app(database_url: &str, data: &Path) -> App {
    let settings = SettingsInput {
        database_url: Some(database_url.to_owned()),
        data: Some(data.to_owned()),
        demo: Some(false),
        pepper: Some(PEPPER.to_owned()),
        postgres_connections: Some(POSTGRES_CONNECTIONS),
        // What is measured is the gateway and not its limits.
        key_points_per_second: Some(0),
        root_points_per_second: Some(0),
        ..SettingsInput::default()
    };
    let settings = settings.resolve().expect("the settings of the benchmark are valid");
    App::open(settings, World::system()).await.expect("the database opens")
}
