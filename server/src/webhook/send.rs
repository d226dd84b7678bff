//! Sending over HTTP to an address that strangers chose.
//!
//! Names are resolved here, once for each connection, and only what passed [`address`] is handed to the connector: what
//! was checked is what is dialled, so a name that points elsewhere a moment later leads nowhere. Addresses written out in
//! the URL never meet a resolver and are checked on the URL as it was parsed. Redirects are not followed, no proxy is
//! taken from the environment, nothing is decompressed, and time and size of the answer are bounded.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::timestamp::Timestamp;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use crate::kernel::error::Fault;
use crate::webhook::address::{self, Loopback};
use crate::webhook::message::Message;
use crate::webhook::schedule::{self, Answer};

/// How long an attempt may take, from dialling to the head of the answer.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the body of an answer is read; whether it was a success is known before.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// How much of the body is read.
const BODY_READ_BYTES: usize = 16 * 1_024;
/// How much of it is kept for the log.
pub const BODY_KEPT_BYTES: usize = 1_024;
/// Idle connections kept to one host.
const IDLE_PER_HOST: usize = 4;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("Banyan-Webhooks/", env!("CARGO_PKG_VERSION"));

/// What knows the addresses of names.
pub trait Names: Send + Sync + 'static {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|found| found.ip()).collect()) }.boxed()
    }
}

/// An address that is not dialled.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    host: String,
    what: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads to an address that is not public: {}. Nothing was sent.", self.host, self.what)
    }
}

impl StdError for Refused {}

/// A name without an address.
#[derive(Debug)]
struct Unknown(String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no address.", self.0)
    }
}

impl StdError for Unknown {}

/// Resolves names and lets public addresses through.
struct Filter {
    names: Arc<dyn Names>,
    loopback: Loopback,
}

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.names.addresses(name.as_str().to_owned());
        let loopback = self.loopback;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = found.await.map_err(|_| Unknown(host.clone()))?;
            let refused = found.iter().find_map(|address| address::refusal(*address, loopback));
            let public: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| address::refusal(*address, loopback).is_none())
                // The connector puts the URL's port in the place of 0.
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            match (public.is_empty(), refused) {
                (true, Some(what)) => Err(Refused { host, what }.into()),
                (true, None) => Err(Unknown(host).into()),
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub struct Attempted {
    pub answer: Answer,
    pub duration: Duration,
    /// The beginning of the answer's body.
    pub body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// An HTTP client that dials nothing but public addresses.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    loopback: Loopback,
    timeout: Duration,
}

impl Sender {
    pub fn new(loopback: Loopback, names: Arc<dyn Names>, timeout: Duration) -> Result<Self, Fault> {
        let client = Client::builder()
            .dns_resolver(Arc::new(Filter { names, loopback }))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|e| Fault::caused_by("the client of webhooks cannot be made", e))?;
        Ok(Self { client, loopback, timeout })
    }

    /// One attempt. Whatever goes wrong is in the answer. `now` is what an instant in `Retry-After` is counted from.
    pub async fn send(&self, url: &str, message: Message, now: Timestamp) -> Attempted {
        let begun = Instant::now();
        let outcome = match self.check(url) {
            Ok(url) => tokio::time::timeout(self.timeout, self.post(url, message)).await,
            Err(error) => Ok(Err(error)),
        };
        let duration = begun.elapsed();
        let failed = |error: String| Attempted { answer: Answer::default(), duration, body: None, error: Some(error) };
        match outcome {
            Err(_) => failed(format!("No answer within {:?}.", self.timeout)),
            Ok(Err(error)) => failed(error),
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = header.and_then(|text| schedule::retry_after(text, now));
                let error = response
                    .status()
                    .is_redirection()
                    .then(|| "Redirects are not followed. Register the address it leads to.".to_owned());
                let body = beginning(response).await;
                Attempted { answer: Answer { status: Some(status), retry_after }, duration, body: Some(body), error }
            }
        }
    }

    /// The URL again, as it is dialled: what was registered may be older than a rule.
    fn check(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("The URL cannot be read: {error}."))?;
        let plain_allowed = self.loopback == Loopback::Allowed;
        if url.scheme() != "https" && !(url.scheme() == "http" && plain_allowed) {
            return Err("An endpoint is reached over https://. Nothing was sent.".to_owned());
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err("The URL names no host.".to_owned()),
        };
        let refused = literal.and_then(|address| Some((address, address::refusal(address, self.loopback)?)));
        match refused {
            Some((address, what)) => Err(Refused { host: address.to_string(), what }.to_string()),
            None => Ok(url),
        }
    }

    async fn post(&self, url: Url, message: Message) -> Result<Response, String> {
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(standardwebhooks::HEADER_WEBHOOK_ID, message.id)
            .header(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, message.timestamp_seconds)
            .header(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, message.signature)
            .body(message.body);
        request.send().await.map_err(|error| why(&error))
    }
}

/// Why a request got no answer, without the URL, which may hold a secret.
fn why(error: &reqwest::Error) -> String {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(cause) = next {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused.to_string();
        }
        if let Some(unknown) = cause.downcast_ref::<Unknown>() {
            return unknown.to_string();
        }
        last = cause.to_string();
        next = cause.source();
    }
    let kind = if error.is_timeout() {
        "The connection took too long"
    } else if error.is_connect() {
        "No connection could be made"
    } else {
        "The connection broke off"
    };
    format!("{kind}: {last}.")
}

/// The first bytes of the body as text. PostgreSQL keeps no NUL, so neither does the log.
async fn beginning(mut response: Response) -> String {
    let mut kept = Vec::with_capacity(BODY_KEPT_BYTES);
    let read = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = BODY_KEPT_BYTES - kept.len();
            kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            read += chunk.len();
            if read >= BODY_READ_BYTES {
                break;
            }
        }
    };
    // What came in time is kept; the rest is not worth waiting for.
    let _ = tokio::time::timeout(BODY_TIMEOUT, read).await;
    String::from_utf8_lossy(&kept).replace('\0', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<IpAddr>);

    impl Names for Fixed {
        fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let found = self.0.clone();
            async move { Ok(found) }.boxed()
        }
    }

    async fn dialled(found: &[&str], loopback: Loopback) -> Result<Vec<String>, String> {
        let found = found.iter().map(|text| text.parse().unwrap()).collect();
        let filter = Filter { names: Arc::new(Fixed(found)), loopback };
        let passed = filter.resolve("rebind.example.com".parse().unwrap()).await;
        passed.map(|all| all.map(|one| one.ip().to_string()).collect()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn of_a_names_addresses_only_public_ones_are_dialled() {
        let mixed = ["10.0.0.1", "93.184.215.14", "::ffff:127.0.0.1", "2606:4700::1"];
        assert_eq!(dialled(&mixed, Loopback::Refused).await.unwrap(), ["93.184.215.14", "2606:4700::1"]);
        assert_eq!(dialled(&["127.0.0.1", "10.0.0.1"], Loopback::Allowed).await.unwrap(), ["127.0.0.1"]);
        let refused = dialled(&["169.254.169.254"], Loopback::Allowed).await.unwrap_err();
        assert!(refused.contains("link-local"), "{refused}");
        assert_eq!(dialled(&[], Loopback::Refused).await.unwrap_err(), "rebind.example.com has no address.");
    }

    #[tokio::test]
    async fn an_address_in_the_url_is_checked_though_nothing_resolves_it() {
        let sender = Sender::new(Loopback::Refused, Arc::new(Fixed(Vec::new())), ATTEMPT_TIMEOUT).unwrap();
        for url in ["https://0x7f.1/", "https://[::ffff:10.0.0.1]/", "https://2852039166/latest/meta-data/"] {
            assert!(sender.check(url).unwrap_err().contains("not public"), "{url}");
        }
        assert!(sender.check("http://example.com/").unwrap_err().contains("https://"));
        assert!(sender.check("https://1.1.1.1/").is_ok());
    }
}
