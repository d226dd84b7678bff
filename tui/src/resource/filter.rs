//! What a list is narrowed to, as it is typed: `acme status:suspended`.

/// A condition the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterKey {
    pub key: &'static str,
    /// The words it may be; none when it is free text.
    pub words: &'static [&'static str],
}

impl FilterKey {
    pub const fn text(key: &'static str) -> Self {
        Self { key, words: &[] }
    }

    pub const fn word(key: &'static str, words: &'static [&'static str]) -> Self {
        Self { key, words }
    }
}

/// A typed filter, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub text: String,
    /// For the server.
    pub conditions: Vec<(&'static str, String)>,
    /// Looked for in what is loaded, in lower case; only where the server has no filter for words.
    pub words: Vec<String>,
}

impl Filter {
    /// Takes a filter apart for a list, or says what is wrong with it and what there is.
    pub fn parse(text: &str, resource: &super::Resource) -> Result<Self, String> {
        let mut conditions: Vec<(&'static str, String)> = Vec::new();
        let mut words: Vec<&str> = Vec::new();
        for part in text.split_whitespace() {
            let Some((key, value)) = part.split_once(':') else {
                words.push(part);
                continue;
            };
            let known = resource.filters.iter().find(|filter| filter.key.eq_ignore_ascii_case(key));
            let Some(filter) = known else {
                // A colon may well be part of a name; only something like a key is taken for one.
                if !key.chars().all(|letter| letter.is_ascii_alphabetic()) {
                    words.push(part);
                    continue;
                }
                let keys: Vec<_> = resource.filters.iter().map(|filter| filter.key).collect();
                return Err(match keys.is_empty() {
                    true => format!("{} have no filter but words", resource.name),
                    false => format!("no filter {key:?}: there is {}", keys.join(", ")),
                });
            };
            let fits = filter.words.is_empty() || filter.words.iter().any(|word| word.eq_ignore_ascii_case(value));
            if !fits {
                return Err(format!("{} is one of {}", filter.key, filter.words.join(", ")));
            }
            conditions.retain(|(name, _)| *name != filter.key);
            conditions.push((filter.key, value.to_owned()));
        }
        let mut local = Vec::new();
        match resource.words_filter {
            Some(key) if !words.is_empty() => conditions.push((key, words.join(" "))),
            Some(_) => {}
            None => local = words.into_iter().map(str::to_lowercase).collect(),
        }
        Ok(Self { text: text.trim().to_owned(), conditions, words: local })
    }

    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.words.is_empty()
    }

    /// Whether a record has every word in one of its cells.
    pub fn admits(&self, record: &super::Record) -> bool {
        self.words.iter().all(|word| {
            let has = |text: &str| text.to_lowercase().contains(word);
            has(&record.id) || record.cells.iter().any(|cell| has(&cell.words()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ResourceId;
    use super::*;

    fn parse(text: &str, id: ResourceId) -> Result<Filter, String> {
        Filter::parse(text, id.spec())
    }

    #[test]
    fn words_are_the_servers_where_it_has_a_filter_for_them() {
        let filter = parse("acme status:suspended coffee", ResourceId::Organizations).unwrap();
        assert_eq!(filter.conditions, [("status", "suspended".to_owned()), ("name", "acme coffee".to_owned())]);
        assert!(filter.words.is_empty());
        let filter = parse("Till backend", ResourceId::Keys).unwrap();
        assert_eq!((filter.conditions.len(), filter.words), (0, vec!["till".to_owned(), "backend".to_owned()]));
    }

    #[test]
    fn what_is_no_filter_is_refused_with_what_there_is() {
        let unknown = parse("colour:red", ResourceId::Organizations).unwrap_err();
        assert!(unknown.contains("status"), "{unknown}");
        let word = parse("status:asleep", ResourceId::Organizations).unwrap_err();
        assert!(word.contains("SUSPENDED"), "{word}");
    }
}
