//! Trees made for load work.

use serde_json::json;
use tests::both;

both! {
    async fn a_seeded_tree_has_as_many_organizations_as_were_asked_for_and_its_ledger_adds_up(app) {
        let root = banyan::seed::many(app.app(), 123).await.expect("nothing of it is refused");
        let document = "query($id: ID!) { organization(by: { id: $id }) { wallet(environment: TEST) { balance }
          children(first: 1) { totalCount nodes { depth children { totalCount } } } descendants { totalCount } } }";
        let answer = app.gql(app.operator(), document, json!({ "id": root.to_string() })).await.clean();
        assert_eq!(*answer.at("/organization"), json!({ "wallet": { "balance": 1_000_000 }, "children": {
            "totalCount": 10, "nodes": [{ "depth": 2, "children": { "totalCount": 10 } }] },
            "descendants": { "totalCount": 123 } }));
    }
}
