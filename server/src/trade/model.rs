//! Parties and invoices and what makes them valid. Pure.

use entity::kind::InvoiceStatus;
use serde::{Deserialize, Serialize};

use crate::kernel::error::Refusal;
use crate::organization::model::{has_chars, is_currency, is_email, is_name, is_tax_number};

pub use entity::buyer::Model as Buyer;
pub use entity::invoice::Model as Invoice;
pub use entity::seller::Model as Seller;

/// The meter that a submission is charged by.
pub const SUBMIT_METER: &str = "invoice.submit";
/// The most lines of an invoice.
pub const LINES_MAX: usize = 500;
pub const LINE_DESCRIPTION_MAX_CHARS: usize = 500;
/// Units of one line.
pub const QUANTITY_RANGE: std::ops::RangeInclusive<i64> = 1..=1_000_000;
/// The largest amount of money, in minor units: what a JSON number carries exactly.
pub const MONEY_MAX_MINOR: i64 = 9_007_199_254_740_991;

/// What is known of a seller or buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    pub name: String,
    pub tax_number: Option<String>,
    pub email: Option<String>,
}

impl Party {
    pub fn check(&self) -> Result<(), Refusal> {
        if !is_name(&self.name) {
            return Err(Refusal::invalid("name", "A name has 2 to 255 characters and is not only spaces."));
        }
        if self.tax_number.as_deref().is_some_and(|text| !is_tax_number(text)) {
            return Err(Refusal::invalid("taxNumber", "A tax number has the form XXXXXXXX-XXXX, in digits."));
        }
        if self.email.as_deref().is_some_and(|text| !is_email(text)) {
            return Err(Refusal::invalid("email", "This is no e-mail address, such as ops@example.com."));
        }
        Ok(())
    }
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub description: String,
    pub quantity: i64,
    /// In minor units of the invoice's currency.
    pub unit_price: i64,
}

impl Line {
    /// `None` when it is more than [`MONEY_MAX_MINOR`].
    pub fn total(&self) -> Option<i64> {
        self.quantity.checked_mul(self.unit_price).filter(|total| *total <= MONEY_MAX_MINOR)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if !has_chars(&self.description, 1..=LINE_DESCRIPTION_MAX_CHARS) {
            return Err((
                "description",
                format!("A line's description has 1 to {LINE_DESCRIPTION_MAX_CHARS} characters."),
            ));
        }
        if !QUANTITY_RANGE.contains(&self.quantity) {
            return Err(("quantity", "A quantity is 1 to 1000000.".to_owned()));
        }
        if !(0..=MONEY_MAX_MINOR).contains(&self.unit_price) {
            return Err(("unitPrice", "A unit price is 0 or more, in the currency's minor unit.".to_owned()));
        }
        Ok(())
    }
}

/// The total of valid lines, in minor units.
pub fn total(lines: &[Line]) -> Result<i64, Refusal> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("An invoice has 1 to {LINES_MAX} lines.")));
    }
    let mut total: i64 = 0;
    for (index, line) in lines.iter().enumerate() {
        line.check().map_err(|(field, message)| Refusal {
            path: ["input", "lines", &index.to_string(), field].map(str::to_owned).to_vec(),
            ..Refusal::invalid("lines", message)
        })?;
        let sum = line.total().and_then(|line| total.checked_add(line)).filter(|sum| *sum <= MONEY_MAX_MINOR);
        total = sum.ok_or_else(|| {
            Refusal::invalid("lines", "The total is more than 9007199254740991 minor units. Split the invoice.")
        })?;
    }
    Ok(total)
}

pub fn check_currency(text: &str) -> Result<(), Refusal> {
    if is_currency(text) {
        return Ok(());
    }
    Err(Refusal::invalid("currency", "A currency is three letters of ISO 4217, such as NGN."))
}

/// A draft is submitted, once.
pub fn check_submittable(invoice: &Invoice) -> Result<(), Refusal> {
    match invoice.status {
        InvoiceStatus::Draft => Ok(()),
        InvoiceStatus::Submitted => Err(not_now(invoice, "was submitted before; nothing was charged again")),
        InvoiceStatus::Cancelled => Err(not_now(invoice, "is cancelled; make a new one")),
    }
}

/// A draft or a submitted invoice is cancelled, once.
pub fn check_cancellable(invoice: &Invoice) -> Result<(), Refusal> {
    match invoice.status {
        InvoiceStatus::Draft | InvoiceStatus::Submitted => Ok(()),
        InvoiceStatus::Cancelled => Err(not_now(invoice, "is cancelled already")),
    }
}

fn not_now(invoice: &Invoice, state: &str) -> Refusal {
    Refusal::conflict(format!("{} {state}.", invoice.id)).at("invoiceId")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: i64, unit_price: i64) -> Line {
        Line { description: "Coffee, 1 kg".into(), quantity, unit_price }
    }

    #[test]
    fn a_total_is_the_sum_of_quantities_times_prices() {
        assert_eq!(total(&[line(3, 1_250), line(1, 0), line(2, 99)]), Ok(3_948));
    }

    #[test]
    fn money_stops_at_two_to_the_53_minus_one() {
        assert_eq!(total(&[line(1, MONEY_MAX_MINOR)]), Ok(MONEY_MAX_MINOR));
        for lines in [vec![line(1, MONEY_MAX_MINOR), line(1, 1)], vec![line(1_000_000, MONEY_MAX_MINOR)]] {
            assert_eq!(total(&lines).unwrap_err().path, ["input", "lines"]);
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_place() {
        let nameless = Line { description: String::new(), ..line(1, 1) };
        for (bad, field) in [
            (line(0, 1), "quantity"),
            (line(1_000_001, 1), "quantity"),
            (line(1, -1), "unitPrice"),
            (nameless, "description"),
        ] {
            assert_eq!(total(&[line(1, 1), bad]).unwrap_err().path, ["input", "lines", "1", field]);
        }
        assert!(total(&[]).is_err());
        assert!(total(&vec![line(1, 1); LINES_MAX + 1]).is_err());
    }

    #[test]
    fn a_party_is_checked_field_by_field() {
        let good =
            Party { name: "Acme".into(), tax_number: Some("12345678-0001".into()), email: Some("a@acme.ng".into()) };
        assert!(good.check().is_ok());
        for (bad, field) in [
            (Party { name: "A".into(), ..good.clone() }, "name"),
            (Party { tax_number: Some("1".into()), ..good.clone() }, "taxNumber"),
            (Party { email: Some("acme".into()), ..good.clone() }, "email"),
        ] {
            assert_eq!(bad.check().unwrap_err().path, ["input", field]);
        }
    }
}
