//! Plain types that the database, the rules and the API share: typed ids, credits and instants.

pub mod credits;
pub mod id;
pub mod timestamp;

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{ColumnType, ValueType};
    use sea_orm::{EntityTrait, PrimaryKeyTrait};

    use crate::credits::Credits;
    use crate::id::{OrganizationId, RealmId, WalletId};
    use crate::timestamp::Timestamp;

    mod sample {
        use sea_orm::entity::prelude::*;

        use super::*;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "sample")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub realm_id: RealmId,
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: OrganizationId,
            pub wallet_id: Option<WalletId>,
            pub balance: Credits,
            pub cap: Option<Credits>,
            pub created_at: Timestamp,
            pub archived_at: Option<Timestamp>,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    #[test]
    fn the_types_are_columns_and_keys_of_an_entity() {
        type Key = <<sample::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;
        let key: Key = (uuid::Uuid::nil().into(), uuid::Uuid::nil().into());
        let _ = sample::Entity::find_by_id(key);
        assert_eq!(OrganizationId::column_type(), ColumnType::Uuid);
        assert_eq!(Credits::column_type(), ColumnType::BigInteger);
        assert_eq!(Timestamp::column_type(), ColumnType::BigInteger);
    }
}
