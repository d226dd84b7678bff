//! Figures, their medians, and the table of ratios.

use std::fmt;
use std::time::Duration;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub per_second: f64,
    /// The median of what one request took, or the mean where only that is told.
    pub typical: Duration,
    /// Charges of one transaction, on average.
    pub batch: f64,
}

/// The same figure, once a round.
pub struct Series {
    name: &'static str,
    samples: Vec<Sample>,
}

impl Series {
    pub fn new(name: &'static str) -> Self {
        Self { name, samples: Vec::new() }
    }

    pub fn add(&mut self, sample: Sample) {
        println!(
            "  {:<72} {:>9.0}/s  {:>9.3} ms  batch {:>6.1}",
            self.name,
            sample.per_second,
            sample.typical.as_secs_f64() * 1e3,
            sample.batch
        );
        self.samples.push(sample);
    }

    fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        let mut values: Vec<f64> = self.samples.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn per_second(&self) -> f64 {
        self.median(|sample| sample.per_second)
    }

    fn typical_ms(&self) -> f64 {
        self.median(|sample| sample.typical.as_secs_f64() * 1e3)
    }

    fn batch(&self) -> f64 {
        self.median(|sample| sample.batch)
    }
}

/// What is printed at the end.
#[derive(Default)]
pub struct Table {
    settings: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    figures: String,
    ratio: f64,
    bar: String,
    reached: bool,
}

impl Table {
    pub fn setting(&mut self, line: String) {
        self.settings.push(line);
    }

    pub fn at_least(&mut self, name: &'static str, this: &Series, against: &Series, bar: f64) {
        let ratio = this.per_second() / against.per_second();
        let figures = format!(
            "{:.0}/s (batch {:.1}) : {:.0}/s (batch {:.1})",
            this.per_second(),
            this.batch(),
            against.per_second(),
            against.batch()
        );
        self.rows.push(Row { name, figures, ratio, bar: format!("≥ {bar}"), reached: ratio >= bar });
    }

    pub fn latency_at_most(&mut self, name: &'static str, this: &Series, against: &Series, bar: f64) {
        let ratio = this.typical_ms() / against.typical_ms();
        let figures = format!("{:.3} ms : {:.3} ms", this.typical_ms(), against.typical_ms());
        self.rows.push(Row { name, figures, ratio, bar: format!("≤ {bar}"), reached: ratio <= bar });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for line in &self.settings {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "\n| ratio | figures (medians) | measured | bar | |\n|---|---|---|---|---|")?;
        for row in &self.rows {
            let verdict = if row.reached { "reached" } else { "missed" };
            writeln!(f, "| {} | {} | {:.2} | {} | {verdict} |", row.name, row.figures, row.ratio, row.bar)?;
        }
        Ok(())
    }
}
