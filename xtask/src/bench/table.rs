//! The result as people read it.

/// What a row is measured against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Budget {
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
}

/// One measured value.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) scenario: String,
    /// The value with its unit, and what it was compared with.
    pub(super) detail: String,
    /// What is held against the budget.
    pub(super) value: f64,
    /// The unit of `value` and of the budget.
    pub(super) unit: &'static str,
    pub(super) budget: Option<Budget>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a row and says that it is there, because a run takes minutes.
    pub(super) fn add(&mut self, row: Row) {
        println!("measured {}: {}", row.scenario, row.detail);
        self.rows.push(row);
    }

    /// How many rows miss their budget.
    pub(super) fn missed(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict() == Some(false))
            .count()
    }

    pub(super) fn print(&self) {
        println!(
            "\n{:<32} {:>14} {:>14} {:<7} measured",
            "scenario", "result", "budget", "verdict"
        );
        for row in &self.rows {
            let verdict = match row.verdict() {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            println!(
                "{:<32} {:>14} {:>14} {verdict:<7} {}",
                row.scenario,
                row.quantity(row.value),
                row.budget_text(),
                row.detail
            );
        }
    }
}

impl Row {
    fn verdict(&self) -> Option<bool> {
        Some(match self.budget? {
            Budget::AtLeast(least) => self.value >= least,
            Budget::AtMost(most) => self.value <= most,
        })
    }

    fn budget_text(&self) -> String {
        match self.budget {
            None => "-".into(),
            Some(Budget::AtLeast(least)) => format!("≥ {}", self.quantity(least)),
            Some(Budget::AtMost(most)) => format!("≤ {}", self.quantity(most)),
        }
    }

    fn quantity(&self, value: f64) -> String {
        match value {
            value if value >= 100.0 => format!("{} {}", grouped(value), self.unit),
            value => format!("{value:.1} {}", self.unit),
        }
    }
}

/// A whole number with a space between thousands.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_kept_apart() {
        assert_eq!(grouped(7.2), "7");
        assert_eq!(grouped(1234.0), "1 234");
        assert_eq!(grouped(1_234_567.0), "1 234 567");
    }

    #[test]
    fn a_row_on_its_budget_meets_it() {
        let row = |value, budget| Row {
            scenario: String::new(),
            detail: String::new(),
            value,
            unit: "%",
            budget: Some(budget),
        };
        assert_eq!(row(60.0, Budget::AtLeast(60.0)).verdict(), Some(true));
        assert_eq!(row(59.9, Budget::AtLeast(60.0)).verdict(), Some(false));
        assert_eq!(row(40.1, Budget::AtMost(40.0)).verdict(), Some(false));
    }
}
