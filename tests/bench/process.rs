//! What a process uses, as Linux tells it.

use std::time::Instant;

/// Ticks of a second; the same on every Linux that matters.
const TICKS_PER_SECOND: f64 = 100.0;

/// Time on the CPU so far, and memory now and at its most.
pub struct Usage {
    at: Instant,
    cpu_seconds: f64,
    pub memory_mb: u64,
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub memory_most_mb: u64,
}

impl Usage {
    /// Zeros where there is no `/proc`.
    pub fn of(process: u32) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
        let stat = read("stat");
        // Behind the name, which may hold anything: state is the first field, utime the 12th, stime the 13th.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |n: usize| fields.get(n).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
        let status = read("status");
        let megabytes = |name: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = text.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
            kilobytes.unwrap_or_default() / 1_024
        };
        Self {
            at: Instant::now(),
            cpu_seconds: (ticks(11) + ticks(12)) / TICKS_PER_SECOND,
            memory_mb: megabytes("VmRSS:"),
            memory_most_mb: megabytes("VmHWM:"),
        }
    }

    /// Percent of one core.
    pub fn cpu_share_since(&self, earlier: &Self) -> f64 {
        let time = self.at.duration_since(earlier.at).as_secs_f64();
        100.0 * (self.cpu_seconds - earlier.cpu_seconds) / time.max(f64::EPSILON)
    }
}
