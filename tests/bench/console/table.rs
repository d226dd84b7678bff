//! Figures beside their bars.

use std::fmt;
use std::time::Duration;

#[derive(Default)]
pub struct Table(Vec<Figure>);

struct Figure {
    what: String,
    measured: String,
    bar: String,
    holds: bool,
}

impl Table {
    pub fn add(&mut self, what: impl Into<String>, measured: impl Into<String>, bar: impl Into<String>, holds: bool) {
        self.0.push(Figure { what: what.into(), measured: measured.into(), bar: bar.into(), holds });
    }

    pub fn holds(&self) -> bool {
        self.0.iter().all(|figure| figure.holds)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | measured | at most | holds |\n|---|---|---|---|")?;
        for figure in &self.0 {
            let holds = if figure.holds { "yes" } else { "NO" };
            writeln!(f, "| {} | {} | {} | {holds} |", figure.what, figure.measured, figure.bar)?;
        }
        Ok(())
    }
}

/// Times, the shortest first.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that this share of them does not exceed; the greatest of all for 1.
    pub fn at(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * share).ceil() as usize).copied().unwrap_or_default()
    }

    pub fn p50_p99_most(&self) -> String {
        format!("{} / {} / {}", ms(self.at(0.5)), ms(self.at(0.99)), ms(self.at(1.0)))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
