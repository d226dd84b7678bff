use async_graphql::{Value, Variables};
use serde_json::{Map, Value as Json};

/// The four parameters of a GraphQL request, of the right types.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) extensions: Map<String, Json>,
}

/// A request that is not well formed; the text is for the client.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed(pub(super) &'static str);

const BATCH: &str = "Several operations in one array are not supported. Send one object for each request; \
                     one operation may have several top-level fields.";

impl Parameters {
    pub(super) fn from_json_bytes(body: &[u8]) -> Result<Self, Malformed> {
        let json = serde_json::from_slice(body).map_err(|_| Malformed("The body is not valid JSON."))?;
        Self::from_json(json)
    }

    pub(super) fn from_json(json: Json) -> Result<Self, Malformed> {
        let mut object = match json {
            Json::Object(object) => object,
            Json::Array(_) => return Err(Malformed(BATCH)),
            _ => return Err(Malformed("The body must be a JSON object with the member `query`.")),
        };
        let query = match object.remove("query") {
            Some(Json::String(query)) => query,
            Some(Json::Null) | None => return Err(Malformed("The parameter `query` is missing.")),
            Some(_) => return Err(Malformed("The parameter `query` must be a string.")),
        };
        let operation_name = match object.remove("operationName") {
            Some(Json::String(name)) => Some(name),
            Some(Json::Null) | None => None,
            Some(_) => return Err(Malformed("The parameter `operationName` must be a string.")),
        };
        Ok(Self {
            query,
            operation_name,
            variables: variables(object.remove("variables"))?,
            extensions: extensions(object.remove("extensions"))?,
        })
    }

    /// Of a URL's query. A parameter given twice is refused: proxies and servers disagree on which one counts.
    pub(super) fn from_url_query(url_query: &str) -> Result<Self, Malformed> {
        let mut object = Map::new();
        for (name, value) in url::form_urlencoded::parse(url_query.as_bytes()) {
            let value = match name.as_ref() {
                "query" => Json::String(value.into_owned()),
                // Some clients send an empty operationName for none.
                "operationName" if value.is_empty() => Json::Null,
                "operationName" => Json::String(value.into_owned()),
                "variables" | "extensions" if value.is_empty() => Json::Null,
                "variables" | "extensions" => serde_json::from_str(&value)
                    .map_err(|_| Malformed("The parameters `variables` and `extensions` must be JSON objects."))?,
                _ => continue,
            };
            if object.insert(name.into_owned(), value).is_some() {
                return Err(Malformed("A parameter is given twice."));
            }
        }
        Self::from_json(Json::Object(object))
    }
}

fn variables(json: Option<Json>) -> Result<Variables, Malformed> {
    match json {
        None | Some(Json::Null) => Ok(Variables::default()),
        Some(object @ Json::Object(_)) => Ok(Variables::from_json(object)),
        Some(_) => Err(Malformed("The parameter `variables` must be an object.")),
    }
}

fn extensions(json: Option<Json>) -> Result<Map<String, Json>, Malformed> {
    match json {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(object)) => Ok(object),
        Some(_) => Err(Malformed("The parameter `extensions` must be an object.")),
    }
}

impl From<Parameters> for async_graphql::Request {
    fn from(parameters: Parameters) -> Self {
        let mut request = async_graphql::Request::new(parameters.query).variables(parameters.variables);
        request.operation_name = parameters.operation_name;
        for (name, value) in parameters.extensions {
            // Text that came out of JSON goes back into a value; anything else would be a fault of the conversion.
            request.extensions.insert(name, Value::from_json(value).unwrap_or_default());
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Name;
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_as_good_as_absent() {
        let json = json!({"query": "{ a }", "operationName": null, "variables": null, "extensions": null});
        let parameters = Parameters::from_json(json).expect("well formed");
        assert_eq!(parameters.operation_name, None);
        assert!(parameters.variables.is_empty());
    }

    #[test]
    fn parameters_of_the_wrong_type_are_malformed() {
        for json in [
            json!({"query": 1}),
            json!({}),
            json!({"query": "{a}", "operationName": 1}),
            json!({"query": "{a}", "variables": []}),
            json!({"query": "{a}", "extensions": "x"}),
            json!("{a}"),
        ] {
            assert!(Parameters::from_json(json.clone()).is_err(), "{json}");
        }
    }

    #[test]
    fn an_array_of_operations_is_refused_with_its_own_words() {
        assert_eq!(Parameters::from_json(json!([{"query": "{ a }"}])).unwrap_err(), Malformed(BATCH));
    }

    #[test]
    fn a_url_carries_variables_as_json() {
        let url_query = "query=%7Ba%7D&variables=%7B%22n%22%3A1%7D";
        let parameters = Parameters::from_url_query(url_query).expect("well formed");
        assert_eq!(parameters.query, "{a}");
        assert_eq!(parameters.variables.get(&Name::new("n")), Some(&Value::from(1)));
    }

    #[test]
    fn a_parameter_given_twice_is_malformed() {
        assert!(Parameters::from_url_query("query=%7Ba%7D&query=%7Bb%7D").is_err());
    }

    #[test]
    fn json_nested_without_end_is_malformed() {
        let body = format!("{{\"query\":\"{{a}}\",\"variables\":{{\"a\":{}", "[".repeat(100_000));
        assert!(Parameters::from_json_bytes(body.as_bytes()).is_err());
    }
}
