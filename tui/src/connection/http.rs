//! Queries and mutations over HTTP.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, redirect};
use url::Url;

use super::{ConnectionProblem, Gateway};
use crate::graphql::{Failure, Outcome, Request};

/// A longer answer is not read to its end.
const ANSWER_BYTES_MAX: usize = 4 << 20;
const RESPONSE_TYPES: &str = "application/graphql-response+json, application/json;q=0.9";

#[derive(Clone)]
pub struct Http {
    client: Client,
    url: Url,
    read_only: bool,
}

impl Http {
    pub fn new(gateway: &Gateway) -> Result<Self, ConnectionProblem> {
        let mut headers = HeaderMap::new();
        let mut key = HeaderValue::from_str(&format!("Bearer {}", gateway.key.expose()))?;
        key.set_sensitive(true);
        headers.insert(AUTHORIZATION, key);
        headers.insert(ACCEPT, HeaderValue::from_static(RESPONSE_TYPES));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = Client::builder()
            .default_headers(headers)
            .connect_timeout(gateway.patience.connect)
            .timeout(gateway.patience.answer)
            // Following one would send the key to wherever it leads.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self { client, url: gateway.url.clone(), read_only: gateway.read_only })
    }

    pub async fn act(&self, request: &Request<Outcome>) -> Result<Outcome, Failure> {
        if self.read_only {
            return Err(Failure::Unreachable("this console is read-only".to_owned()));
        }
        self.exchange(request).await
    }

    pub async fn exchange<T>(&self, request: &Request<T>) -> Result<T, Failure> {
        let mut post = self.client.post(self.url.clone()).json(&request.body);
        if let Some(key) = &request.idempotency_header {
            post = post.header("Idempotency-Key", key);
        }
        let mut response = post.send().await.map_err(|error| failure_of(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure_of(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failure::Unreadable(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = request.read(&body);
        if let Err(failure) = &answer {
            tracing::info!(operation = request.name, %status, %failure, "no answer");
        }
        match answer {
            // Not GraphQL: a proxy's page, say. Its status tells more than its markup.
            Err(Failure::Unreadable(_)) if !status.is_success() => {
                Err(Failure::Unreadable(format!("HTTP status {status}")))
            }
            answer => answer,
        }
    }
}

fn failure_of(error: &reqwest::Error) -> Failure {
    // The innermost cause says it best ("Connection refused"); the outer ones repeat the address.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let reason = match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => cause.to_string(),
    };
    match error.is_connect() || error.is_builder() {
        true => Failure::Unreachable(reason),
        false => Failure::Interrupted(reason),
    }
}
