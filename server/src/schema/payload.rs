//! What mutations answer with.

/// A payload type: what changed, whether it is a replay where that can be, why not, and the query root.
///
/// `Payload::refused` answers a refusal; `Payload::done` is for the resolver to fill.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty, )* } $($replayed:ident)?) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: Option<$type>, )*
            $(
                /// Whether this is the first answer to the same idempotency key, told again.
                pub $replayed: bool,
            )?
            /// Why not. Empty when it was done.
            pub user_errors: Vec<$crate::schema::user_error::UserError>,
            /// The query root, to read what the change touched in the same round trip.
            pub query: $crate::schema::Query,
        }

        impl $name {
            fn refused(refusal: $crate::kernel::error::Refusal) -> Self {
                Self {
                    $( $field: None, )*
                    $( $replayed: false, )?
                    user_errors: vec![refusal.into()],
                    query: $crate::schema::Query::default(),
                }
            }
        }
    };
}
pub(crate) use payload;
