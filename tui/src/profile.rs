//! Where to connect and with which key: the flags, else the environment, else what the gateway
//! left in its data directory when it started.

use std::path::Path;

use serde::Deserialize;
use url::Url;

use crate::graphql::Secret;

pub const DEFAULT_URL: &str = "http://127.0.0.1:4000/graphql";
/// Where a gateway started in this directory writes its demo keys.
pub const DEMO_KEYS: &str = "./data/demo-keys.toml";

#[derive(Clone, Debug)]
pub struct Profile {
    pub url: Url,
    pub key: Option<Secret>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileProblem {
    #[error("{0:?} is no address of a gateway; give one such as {DEFAULT_URL}")]
    Url(String),
    #[error("{path} could not be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is not a file of demo keys")]
    NotDemoKeys { path: String, source: toml::de::Error },
}

/// The file the gateway writes. The console needs only the operator's key, which sees every root.
#[derive(Deserialize)]
struct DemoKeys {
    url: String,
    operator: Option<Secret>,
}

/// Decides with what is given. A demo key is used only at the gateway it was made by: a key sent
/// to another address would be given away.
pub fn choose(url: Option<&str>, key: Option<Secret>, demo_keys: &Path) -> Result<Profile, ProfileProblem> {
    if key.is_some() {
        return Ok(Profile { url: parse(url.unwrap_or(DEFAULT_URL))?, key });
    }
    let demo = read(demo_keys)?;
    let Some(demo) = demo else {
        return Ok(Profile { url: parse(url.unwrap_or(DEFAULT_URL))?, key: None });
    };
    let home = parse(&demo.url)?;
    let url = url.map_or_else(|| Ok(home.clone()), parse)?;
    let key = demo.operator.filter(|_| url == home);
    Ok(Profile { url, key })
}

fn parse(url: &str) -> Result<Url, ProfileProblem> {
    Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| ProfileProblem::Url(url.to_owned()))
}

fn read(path: &Path) -> Result<Option<DemoKeys>, ProfileProblem> {
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ProfileProblem::Unreadable { path: shown, source }),
    };
    // The parser's message quotes the line, which may hold a key; only its kind is passed on.
    toml::from_str(&text).map(Some).map_err(|mut source: toml::de::Error| {
        source.set_input(None);
        ProfileProblem::NotDemoKeys { path: shown, source }
    })
}

/// The gateway as the header shows it: without scheme, credentials and the usual path.
pub fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let path = url.path().trim_end_matches("/graphql").trim_end_matches('/');
    format!("{host}{port}{path}")
}

/// What to do when there is no key, for the screen. An indented line is something to type.
pub fn without_key(demo_keys: &str) -> Vec<String> {
    [
        "The console needs a key to a gateway, and none was given.",
        "",
        "Start a gateway with a demo tree in this directory, in another terminal:",
        "  cargo run",
        &format!("It writes {demo_keys}, and the console finds that by itself."),
        "",
        "Or name a gateway and a key of yours:",
        "  BANYAN_KEY=byn_live_... banyan-tui --url https://example.com/graphql",
        "",
        "q leaves.",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"
        url = "http://127.0.0.1:4000/graphql"
        operator = "byn_op_example"

        [[key]]
        name = "Quinn"
        organization = "org_1"
        secret = "byn_live_example"
    "#;

    fn with_demo_keys(check: impl FnOnce(&Path)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo-keys.toml");
        std::fs::write(&path, WRITTEN).unwrap();
        check(&path);
    }

    #[test]
    fn with_no_argument_it_is_the_operator_of_the_gateway_that_runs_here() {
        with_demo_keys(|path| {
            let profile = choose(None, None, path).unwrap();
            assert_eq!(shown(&profile.url), "127.0.0.1:4000");
            assert_eq!(profile.key, Some(Secret::new("byn_op_example")));
        });
    }

    #[test]
    fn a_demo_key_is_not_sent_to_another_gateway() {
        with_demo_keys(|path| {
            let profile = choose(Some("https://elsewhere.example/graphql"), None, path).unwrap();
            assert_eq!(profile.key, None);
        });
    }

    #[test]
    fn a_key_that_is_given_wins_and_the_file_is_not_read() {
        let nowhere = Path::new("/nonexistent/demo-keys.toml");
        let profile = choose(None, Some(Secret::new("byn_live_mine")), nowhere).unwrap();
        assert_eq!(profile.key, Some(Secret::new("byn_live_mine")));
        assert_eq!(choose(None, None, nowhere).unwrap().key, None);
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["", "localhost:4000", "ftp://example.com", "http://"] {
            assert!(choose(Some(url), None, Path::new("/nonexistent")).is_err(), "{url}");
        }
    }
}
