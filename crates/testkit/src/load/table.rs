//! The table: one line per measurement, then one line per promise.

use super::drive::Measured;
use std::time::Duration;

/// One measurement. What does not apply stays `None` and is printed as a dash.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What was done.
    pub what: String,
    /// How many asked at the same time.
    pub clients: Option<usize>,
    /// How often it was done.
    pub operations: Option<u64>,
    /// How often per second.
    pub rate: Option<f64>,
    /// Half were faster.
    pub p50: Option<Duration>,
    /// All but one in a hundred were faster.
    pub p99: Option<Duration>,
    /// The server's processor time for each.
    pub cpu: Option<Duration>,
    /// The server's largest resident memory meanwhile, in bytes.
    pub peak: Option<u64>,
    /// How many requests were not answered with 2xx.
    pub failed: u64,
    /// Anything else.
    pub remark: String,
}

impl Row {
    /// The row of a load; `cpu` is the server's processor time for all of it.
    pub fn of_load(
        what: String,
        clients: usize,
        measured: &Measured,
        cpu: Duration,
        peak: Option<u64>,
    ) -> Self {
        // Requests that failed cost the server time too.
        let asked = u32::try_from(measured.asked).unwrap_or(u32::MAX).max(1);
        Row {
            what,
            clients: Some(clients),
            operations: Some(measured.done()),
            rate: Some(measured.rate()),
            p50: Some(measured.percentile(50)),
            p99: Some(measured.percentile(99)),
            cpu: Some(cpu / asked),
            peak,
            failed: measured.failed(),
            remark: measured.troubles().unwrap_or_default(),
        }
    }
}

/// One promise, and whether it is kept.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What was promised.
    pub what: String,
    /// What was found.
    pub measured: f64,
    /// What it may be.
    pub bound: Bound,
    /// The unit of both.
    pub unit: &'static str,
}

/// Which side of a number is good.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

impl Verdict {
    /// Whether the promise is kept.
    pub fn kept(&self) -> bool {
        match self.bound {
            Bound::Most(most) => self.measured <= most,
            Bound::Least(least) => self.measured >= least,
        }
    }
}

const COLUMNS: [&str; 9] =
    ["measurement", "clients", "done", "per s", "p50 ms", "p99 ms", "CPU us", "peak MiB", "remark"];

/// The whole result as text.
pub fn render(rows: &[Row], verdicts: &[Verdict]) -> String {
    let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| {
        vec![
            row.what.clone(),
            or_dash(row.clients),
            or_dash(row.operations),
            or_dash(row.rate.map(rounded)),
            or_dash(row.p50.map(milliseconds)),
            or_dash(row.p99.map(milliseconds)),
            or_dash(row.cpu.map(|cpu| format!("{:.1}", cpu.as_secs_f64() * 1e6))),
            or_dash(row.peak.map(|peak| format!("{:.1}", peak as f64 / f64::from(1 << 20)))),
            row.remark.clone(),
        ]
    }));
    let mut promises = vec![["promise", "measured", "bound", "kept"].map(str::to_owned).to_vec()];
    promises.extend(verdicts.iter().map(|verdict| {
        let bound = match verdict.bound {
            Bound::Most(most) => format!("<= {}", rounded(most)),
            Bound::Least(least) => format!(">= {}", rounded(least)),
        };
        let with_unit = |number: String| format!("{number} {}", verdict.unit).trim_end().to_owned();
        let kept = if verdict.kept() { "yes" } else { "NO" };
        vec![verdict.what.clone(), with_unit(rounded(verdict.measured)), with_unit(bound), kept.to_owned()]
    }));
    format!("{}\n{}", aligned(&lines), aligned(&promises))
}

fn or_dash(cell: Option<impl ToString>) -> String {
    cell.map_or("-".to_owned(), |cell| cell.to_string())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

/// Three significant places are more than such numbers are worth.
fn rounded(number: f64) -> String {
    if number.abs() >= 100.0 || number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

/// Columns side by side: the first to the left, a last one of words too, numbers to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let mut out = String::new();
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let cell = match column {
                0 => format!("{cell:<width$}"),
                last if last + 1 == columns => format!("  {cell}"),
                _ => format!("  {cell:>width$}"),
            };
            out.push_str(&cell);
        }
        text.push_str(out.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_says_yes_or_no() {
        let row = Row {
            what: "GET 1 KiB".to_owned(),
            rate: Some(12_345.6),
            remark: "1 x 503".to_owned(),
            ..Row::default()
        };
        let verdict =
            |measured| Verdict { what: "GET CPU".to_owned(), measured, bound: Bound::Most(4.0), unit: "x" };
        let text = render(&[row], &[verdict(3.456), verdict(5.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "measurement  clients  done  per s  p50 ms  p99 ms  CPU us  peak MiB  remark",
                "GET 1 KiB          -     -  12346       -       -       -         -  1 x 503",
                "",
                "promise  measured   bound  kept",
                "GET CPU    3.46 x  <= 4 x  yes",
                "GET CPU       5 x  <= 4 x  NO",
            ]
        );
    }
}
