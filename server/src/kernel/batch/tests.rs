use serde_json::json;

use super::*;
use crate::access::store as access_store;
use crate::kernel::error::Result;
use crate::schema::testing::Gateway;

/// Answers what it is asked, and falls over at 13.
struct Echo;

impl Rules for Echo {
    type Request = u8;
    type State = ();

    async fn load(&self, _: &Tx, (): &mut (), _: &[(&Item<u8>, &Target)]) -> Result<()> {
        Ok(())
    }

    fn decide(&self, _: &Tx, (): &mut (), item: &Item<u8>, _: &Target) -> Result<Decided> {
        match item.request {
            13 => Err(Fault::new("thirteen").into()),
            other => Ok(Decided { output: other.into(), events: Vec::new(), change: serde_json::Map::default() }),
        }
    }

    fn save(&self, _: &Tx, (): &mut (), _: &mut Bundle) -> Result<()> {
        Ok(())
    }

    fn settle(&self, (): &mut ()) -> usize {
        0
    }
}

#[tokio::test]
async fn a_poisoned_item_fails_alone() {
    let gateway = Gateway::start().await;
    let create = "mutation { organizationCreate(input: { name: \"Root\" }) { organization { id } } }";
    let made = gateway.operator(create, json!({})).await;
    let id: OrganizationId = made["organizationCreate"]["organization"]["id"].as_str().unwrap().parse().unwrap();
    let found = access_store::paths(&gateway.kernel().db.snapshot(), &[], &[id]).await.unwrap();
    let realm = found[&id].0;
    let items: Vec<Item<u8>> = [1, 13, 2]
        .into_iter()
        .map(|request| Item {
            caller: Caller::system(Uuid::nil()),
            name: "echo",
            permission: Permission::CreditSpend,
            subject: Subject::Organization(Some(id)),
            also: Vec::new(),
            presented: None,
            idempotency_key: Some(request.to_string()),
            input_hash: String::new(),
            request,
        })
        .collect();
    let verdicts = gateway.kernel().execute_batch(realm, &Echo, &items, &mut None).await;
    let outputs: Vec<_> =
        verdicts.into_iter().map(|verdict| verdict.map(|answer| answer.output).map_err(drop)).collect();
    assert_eq!(outputs, [Ok(json!(1)), Err(()), Ok(json!(2))]);
}
