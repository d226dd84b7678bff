//! A nullable field that fails is null, and its siblings stay.
//!
//! async-graphql 8.0.0-rc.5 nulls the parent when a resolver of type `Result<Option<T>>` fails, where the specification
//! (§6.4.4) nulls the field. Two mutations in one document would then lose both answers when one is refused.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo};
use async_graphql::{Response, ServerError, ServerResult, Value};

/// Puts the errors of nullable fields where the specification wants them.
pub struct NullOnError;

impl ExtensionFactory for NullOnError {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Collected(Mutex::default()))
    }
}

struct Collected(Mutex<Vec<ServerError>>);

#[async_trait::async_trait]
impl Extension for Collected {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        response.errors.append(&mut collected);
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let nullable = !info.return_type.ends_with('!');
        match next.run(ctx, info).await {
            Err(error) if nullable => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                Ok(None)
            }
            resolved => resolved,
        }
    }
}
