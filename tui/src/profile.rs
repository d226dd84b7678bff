//! Where to connect and with which key: a profile by name, else the flags, else the environment, else
//! the default profile, else what a gateway left in its data directory when it started.
//!
//! Profiles stand in a TOML file. It holds no key: a profile names a command that prints one, or a
//! variable that has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use url::Url;

use crate::graphql::Secret;

pub const DEFAULT_URL: &str = "http://127.0.0.1:4000/graphql";
/// Where a gateway started in this directory writes its demo keys.
pub const DEMO_KEYS: &str = "./data/demo-keys.toml";

/// Characters of a key command's answer that are looked at; a key is far shorter.
const KEY_CHARS_MAX: usize = 4096;

#[derive(Clone, Debug)]
pub struct Profile {
    /// The name it was chosen by, when it was.
    pub name: Option<String>,
    pub url: Url,
    pub key: Option<Secret>,
    pub read_only: bool,
    pub production: bool,
    pub colour: Option<String>,
    pub mouse: bool,
}

impl Profile {
    fn unnamed(url: Url, key: Option<Secret>) -> Self {
        Self { name: None, url, key, read_only: false, production: false, colour: None, mouse: false }
    }
}

/// The file of profiles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The one that is meant when none is named.
    default: Option<String>,
    #[serde(default)]
    profile: BTreeMap<String, Written>,
}

/// A profile as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    url: String,
    /// A program and its arguments, run as they are and not by a shell; it prints the key.
    key_command: Option<Vec<String>>,
    /// The variable that has the key.
    key_env: Option<String>,
    /// One of the sixteen colours every terminal has, by name.
    colour: Option<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    production: bool,
    /// Whether clicks and the wheel are the console's.
    #[serde(default)]
    mouse: bool,
}

impl Profiles {
    /// Reads the file; a file that is not there has no profiles.
    pub fn read(path: &Path) -> Result<Self, ProfileProblem> {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ProfileProblem::Unreadable { path: shown, source }),
        };
        toml::from_str(&text).map_err(|source| ProfileProblem::NotProfiles { path: shown, source: Box::new(source) })
    }

    pub fn names(&self) -> Vec<String> {
        self.profile.keys().cloned().collect()
    }

    /// The profile of a name, with its key fetched. `env` looks a variable up.
    pub fn named(&self, name: &str, env: impl Fn(&str) -> Option<String>) -> Result<Profile, ProfileProblem> {
        let unknown = || ProfileProblem::Unknown { name: name.to_owned(), known: self.names().join(", ") };
        let written = self.profile.get(name).ok_or_else(unknown)?;
        let key = match (&written.key_command, &written.key_env) {
            (Some(command), None) => Some(printed_by(name, command)?),
            (None, Some(variable)) => {
                let key = env(variable).filter(|key| !key.trim().is_empty());
                let unset = || ProfileProblem::Unset { name: name.to_owned(), variable: variable.clone() };
                Some(Secret::new(key.ok_or_else(unset)?.trim()))
            }
            (None, None) => None,
            (Some(_), Some(_)) => return Err(ProfileProblem::TwoKeys(name.to_owned())),
        };
        Ok(Profile {
            name: Some(name.to_owned()),
            url: parse(&written.url)?,
            key,
            read_only: written.read_only,
            production: written.production,
            colour: written.colour.clone(),
            mouse: written.mouse,
        })
    }
}

/// What the key command prints, without blanks around it. It may ask for something on the terminal.
fn printed_by(name: &str, command: &[String]) -> Result<Secret, ProfileProblem> {
    let failed = |why: String| ProfileProblem::Command { name: name.to_owned(), why };
    let (program, arguments) = command.split_first().ok_or_else(|| failed("it is empty".to_owned()))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::inherit()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("it ended with {}", output.status)));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let key = printed.trim();
    match key.is_empty() || key.len() > KEY_CHARS_MAX || key.contains(char::is_whitespace) {
        true => Err(failed("it did not print a key and nothing else".to_owned())),
        false => Ok(Secret::new(key)),
    }
}

/// Where the file of profiles is looked for.
pub fn profiles_path(env: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let given = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = given("XDG_CONFIG_HOME").or_else(|| given("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("banyan").join("profiles.toml"))
}

/// What was asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub profile: Option<String>,
    pub url: Option<String>,
    pub key: Option<Secret>,
}

/// Decides. An address or a key that is given beats the default profile, and a profile that is named
/// beats both.
pub fn decide(
    asked: &Asked,
    profiles: &Profiles,
    demo_keys: &Path,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Profile, ProfileProblem> {
    let given = asked.url.is_some() || asked.key.is_some();
    let default = profiles.default.as_ref().filter(|_| !given);
    match asked.profile.as_ref().or(default) {
        Some(name) => profiles.named(name, env),
        None => choose(asked.url.as_deref(), asked.key.clone(), demo_keys),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileProblem {
    #[error("{0:?} is no address of a gateway; give one such as {DEFAULT_URL}")]
    Url(String),
    #[error("{path} could not be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is not a file of demo keys")]
    NotDemoKeys { path: String, source: toml::de::Error },
    #[error("{path} is not a file of profiles")]
    NotProfiles { path: String, source: Box<toml::de::Error> },
    #[error("there is no profile {name:?}; there is: {known}")]
    Unknown { name: String, known: String },
    #[error("profile {name:?} takes its key from {variable}, and that is not set")]
    Unset { name: String, variable: String },
    #[error("profile {0:?} has both key-command and key-env; keep one")]
    TwoKeys(String),
    #[error("the key command of profile {name:?} gave no key: {why}")]
    Command { name: String, why: String },
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
        return Ok(Profile::unnamed(parse(url.unwrap_or(DEFAULT_URL))?, key));
    }
    let demo = read(demo_keys)?;
    let Some(demo) = demo else {
        return Ok(Profile::unnamed(parse(url.unwrap_or(DEFAULT_URL))?, None));
    };
    let home = parse(&demo.url)?;
    let url = url.map_or_else(|| Ok(home.clone()), parse)?;
    let key = demo.operator.filter(|_| url == home);
    Ok(Profile::unnamed(url, key))
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

    const PROFILES: &str = r#"
        default = "local"

        [profile.local]
        url = "http://127.0.0.1:4000/graphql"

        [profile.production]
        url = "https://banyan.example/graphql"
        key-command = ["printf", "byn_op_printed\n"]
        production = true
        colour = "red"

        [profile.look]
        url = "https://banyan.example/graphql"
        key-env = "LOOK_KEY"
        read-only = true
    "#;

    fn profiles() -> Profiles {
        toml::from_str(PROFILES).unwrap()
    }

    fn env(name: &str) -> Option<String> {
        (name == "LOOK_KEY").then(|| " byn_live_look \n".to_owned())
    }

    #[test]
    fn a_named_profile_brings_its_address_key_and_manners() {
        let asked = Asked { profile: Some("production".to_owned()), ..Asked::default() };
        let profile = decide(&asked, &profiles(), Path::new("/nonexistent"), env).unwrap();
        assert_eq!(profile.key, Some(Secret::new("byn_op_printed")));
        assert!(profile.production && !profile.read_only);
        assert_eq!(profile.colour.as_deref(), Some("red"));
        let look = profiles().named("look", env).unwrap();
        assert_eq!((look.key, look.read_only), (Some(Secret::new("byn_live_look")), true));
    }

    #[test]
    fn what_is_given_beats_the_default_profile() {
        let nowhere = Path::new("/nonexistent");
        assert_eq!(decide(&Asked::default(), &profiles(), nowhere, env).unwrap().name.as_deref(), Some("local"));
        let asked = Asked { url: Some("http://127.0.0.1:9/graphql".to_owned()), ..Asked::default() };
        assert_eq!(decide(&asked, &profiles(), nowhere, env).unwrap().name, None);
    }

    #[test]
    fn a_profile_that_is_wrong_says_how_and_tells_no_key() {
        assert!(profiles().named("elsewhere", env).unwrap_err().to_string().contains("production"));
        assert!(profiles().named("look", |_| None).unwrap_err().to_string().contains("LOOK_KEY"));
        // A key has no place in the file.
        assert!(toml::from_str::<Profiles>("[profile.x]\nurl = \"http://a/\"\nkey = \"byn_1\"").is_err());
        let silent = "[profile.x]\nurl = \"http://a/\"\nkey-command = [\"true\"]";
        let silent: Profiles = toml::from_str(silent).unwrap();
        assert!(silent.named("x", env).is_err());
    }

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
