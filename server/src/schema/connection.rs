//! Relay connections.

use std::sync::Arc;

use async_graphql::SimpleObject;
use futures_util::future::BoxFuture;

use crate::kernel::error::Result;
use crate::kernel::page::{Cursor, Slice};

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether there is more after the last edge.
    pub has_next_page: bool,
    /// Whether there is more before the first edge.
    pub has_previous_page: bool,
    /// The cursor of the first edge.
    pub start_cursor: Option<String>,
    /// The cursor of the last edge.
    pub end_cursor: Option<String>,
}

/// How many there are in all: counted only when somebody asks.
pub type Total = Arc<dyn Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync>;

/// What every connection is made of.
pub struct Paged<N> {
    pub slice: Slice<(Cursor, N)>,
    pub total: Total,
}

impl<N> Paged<N> {
    pub fn page_info(&self) -> PageInfo {
        let cursor = |row: Option<&(Cursor, N)>| row.map(|(cursor, _)| cursor.encode());
        PageInfo {
            has_next_page: self.slice.has_next,
            has_previous_page: self.slice.has_previous,
            start_cursor: cursor(self.slice.rows.first()),
            end_cursor: cursor(self.slice.rows.last()),
        }
    }
}

/// A connection type and its edge over one node type.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ty, $edge_doc:literal) => {
        $(#[$doc])*
        pub struct $connection(pub $crate::schema::connection::Paged<$node>);

        $(#[$doc])*
        #[async_graphql::Object]
        impl $connection {
            /// The page's members with their cursors.
            async fn edges(&self) -> Vec<$edge> {
                self.0.slice.rows.iter().map(|(cursor, node)| $edge { cursor: cursor.encode(), node: node.clone() }).collect()
            }

            /// The page's members without cursors.
            async fn nodes(&self) -> Vec<$node> {
                self.0.slice.rows.iter().map(|(_, node)| node.clone()).collect()
            }

            /// Where the page stands in the list.
            async fn page_info(&self) -> $crate::schema::connection::PageInfo {
                self.0.page_info()
            }

            /// How many the whole list has. Counted only when asked for.
            async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i32> {
                let total = (self.0.total)().await.map_err(|error| $crate::schema::session::expose(ctx, error))?;
                Ok(i32::try_from(total).unwrap_or(i32::MAX))
            }
        }

        #[doc = $edge_doc]
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Give it to `after` or `before`. Opaque.
            pub cursor: String,
            /// The member itself.
            pub node: $node,
        }
    };
}
pub(crate) use connection;
