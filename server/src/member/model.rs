//! People, roles, and who may give which. Pure.

use entity::kind::MemberRole;
use serde::{Deserialize, Serialize};

use crate::access::role::scopes_of;
use crate::access::scope::{ADMIN, KNOWN, SCOPES_MAX, Scopes};
use crate::kernel::error::{ErrorCode, Refusal};
use crate::organization::model::{has_chars, is_email, is_phone_number};

pub use entity::member::Model as Membership;
pub use entity::user::Model as User;

/// The longest first or last name, in characters.
pub const PERSON_NAME_MAX_CHARS: usize = 100;

/// A membership with the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub membership: Membership,
    pub user: User,
}

/// What a request says of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_number: Option<String>,
}

/// How an input calls the fields of a person.
#[derive(Clone, Copy, Debug)]
pub struct PersonFields {
    pub email: &'static str,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub phone_number: &'static str,
}

impl Person {
    pub fn check(&self, fields: PersonFields) -> Result<(), Refusal> {
        if !is_email(&self.email) {
            return Err(Refusal::invalid(fields.email, "This is no e-mail address, such as ada@example.com."));
        }
        for (name, field) in [(&self.first_name, fields.first_name), (&self.last_name, fields.last_name)] {
            if !has_chars(name, 1..=PERSON_NAME_MAX_CHARS) || name.trim().is_empty() {
                let message = format!("A person's name has 1 to {PERSON_NAME_MAX_CHARS} characters.");
                return Err(Refusal::invalid(field, message));
            }
        }
        if self.phone_number.as_deref().is_some_and(|text| !is_phone_number(text)) {
            return Err(Refusal::invalid(fields.phone_number, "A phone number has the form +14155550123 (E.164)."));
        }
        Ok(())
    }
}

/// How addresses are kept and compared.
pub fn fold_email(email: &str) -> String {
    email.to_lowercase()
}

/// Whether a caller may give a role, or take it away. `org:admin` may give any: who controls an organization decides who
/// is in it, even over an edge that delegates no data.
pub fn check_may_give(held: &Scopes, role: MemberRole) -> Result<(), Refusal> {
    if held.is_admin() {
        return Ok(());
    }
    match held.first_missing(&scopes_of(role)) {
        None => Ok(()),
        Some(missing) => Err(Refusal::new(
            ErrorCode::ForbiddenScope,
            format!("The role {role} holds {missing} and your key does not. Use a key that holds org:admin."),
        )
        .at("role")),
    }
}

/// What the first key of a provisioned organization holds when the request does not say: all that the caller may give.
pub fn default_key_scopes(held: &Scopes) -> Scopes {
    let given = KNOWN.iter().map(|(scope, _)| *scope).filter(|scope| *scope != ADMIN && held.allows(scope));
    Scopes::new(given.take(SCOPES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: PersonFields =
        PersonFields { email: "email", first_name: "firstName", last_name: "lastName", phone_number: "phoneNumber" };

    #[test]
    fn a_person_is_checked_field_by_field() {
        let ada = Person {
            email: "ada@example.com".into(),
            first_name: "Ada".into(),
            last_name: "Lovelace".into(),
            phone_number: None,
        };
        assert!(ada.check(FIELDS).is_ok());
        for (bad, field) in [
            (Person { email: "ada".into(), ..ada.clone() }, "email"),
            (Person { first_name: " ".into(), ..ada.clone() }, "firstName"),
            (Person { last_name: "x".repeat(101), ..ada.clone() }, "lastName"),
            (Person { phone_number: Some("555".into()), ..ada.clone() }, "phoneNumber"),
        ] {
            assert_eq!(bad.check(FIELDS).unwrap_err().path, ["input", field]);
        }
    }

    #[test]
    fn nobody_gives_a_role_that_does_more_than_they_may() {
        let members = Scopes::new(["members:*"]);
        for role in [MemberRole::Owner, MemberRole::Admin, MemberRole::Developer, MemberRole::Viewer] {
            assert_eq!(check_may_give(&members, role).unwrap_err().code, ErrorCode::ForbiddenScope, "{role}");
            assert!(check_may_give(&Scopes::new(["org:admin"]), role).is_ok());
        }
        let reader = Scopes::new(["members:*", "org:read", "credits:read", "usage:read", "audit:read"]);
        assert!(check_may_give(&reader, MemberRole::Viewer).is_ok());
        let all_but_admin = default_key_scopes(&Scopes::all_known());
        assert!(check_may_give(&all_but_admin, MemberRole::Owner).is_err());
    }

    #[test]
    fn a_first_key_holds_what_the_caller_may_give_and_never_admin() {
        assert!(!default_key_scopes(&Scopes::all_known()).is_admin());
        let held = Scopes::new(["org:admin", "trade:*", "content:read"]);
        assert_eq!(default_key_scopes(&held), Scopes::new(["trade:*"]));
    }
}
