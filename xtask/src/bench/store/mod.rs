//! `cargo xtask bench store`: what reading and writing documents costs, per store.

mod load;
mod requests;

use anyhow::Context;

use super::Plan;
use super::process::{Documents, ServerProcess};
use super::table::{Budget, Row, Table, grouped};
use load::Outcome;
use requests::{LISTS, Scenario};

/// How many clients there are, and how many requests each has under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InFlight {
    clients: usize,
    each: usize,
}

/// The last two have as many under way; what they differ in is what sockets cost.
const IN_FLIGHT: [InFlight; 4] = [
    InFlight::new(1, 1),
    InFlight::new(16, 1),
    InFlight::new(256, 1),
    InFlight::new(16, 16),
];

impl InFlight {
    const fn new(clients: usize, each: usize) -> Self {
        Self { clients, each }
    }

    const fn requests(self) -> usize {
        self.clients * self.each
    }
}

/// Names the MongoDB server to measure.
const MONGO_URL: &str = "HAPPN_TEST_MONGO_URL";

pub(super) async fn measure(
    plan: Plan,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    if Scenario::ALL
        .iter()
        .any(|scenario| wanted(&label(&Documents::Sqlite, *scenario)))
    {
        measure_on(plan, &Documents::Sqlite, wanted, table).await?;
    }
    match mongo() {
        Some(mongo)
            if Scenario::ALL
                .iter()
                .any(|scenario| wanted(&label(&mongo, *scenario))) =>
        {
            measure_on(plan, &mongo, wanted, table).await?;
        }
        Some(_) => {}
        None => println!("LEFT OUT: MongoDB, because {MONGO_URL} is not set"),
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a task reads its environment")]
fn mongo() -> Option<Documents> {
    std::env::var(MONGO_URL).ok().map(Documents::Mongo)
}

async fn measure_on(
    plan: Plan,
    documents: &Documents,
    wanted: &impl Fn(&str) -> bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    let server = ServerProcess::start_on(documents).await?;
    for size in LISTS
        .into_iter()
        .filter(|size| *size <= documents.list_max())
    {
        load::fill(&server, size)
            .await
            .with_context(|| format!("cannot store {size} documents"))?;
    }
    let scenarios = Scenario::ALL.into_iter().filter(|scenario| {
        scenario.documents() <= documents.list_max() && wanted(&label(documents, *scenario))
    });
    for scenario in scenarios {
        let fitting = IN_FLIGHT.into_iter();
        for load in fitting.filter(|load| load.requests() <= scenario.requests_max()) {
            let outcome = load::run(plan, &server, scenario, load).await?;
            table.add(row(documents, scenario, load, &outcome));
        }
    }
    Ok(())
}

fn label(documents: &Documents, scenario: Scenario) -> String {
    format!("{} {}", documents.name(), scenario.name())
}

fn row(documents: &Documents, scenario: Scenario, load: InFlight, outcome: &Outcome) -> Row {
    let spent = &outcome.spent;
    let per_second = spent.per_second();
    let micros_each = 1e6 / spent.per_cpu_second();
    let (value, unit, budget) = match scenario {
        Scenario::List(documents) => {
            let each = micros_each / documents as f64;
            let budget = (documents == 1000).then_some(Budget::AtMost(3.0));
            (each, "µs CPU/doc", budget)
        }
        Scenario::Set => (per_second, "/s", Some(Budget::AtLeast(20_000.0))),
        Scenario::Get => (
            spent.per_cpu_second(),
            "/CPU s",
            Some(Budget::AtLeast(70_000.0)),
        ),
        _ => (spent.per_cpu_second(), "/CPU s", None),
    };
    let most = load == IN_FLIGHT[3] || matches!(scenario, Scenario::List(_));
    Row {
        scenario: format!(
            "{} {}×{}",
            label(documents, scenario),
            load.clients,
            load.each
        ),
        detail: detail(load, outcome),
        value,
        unit,
        budget: budget.filter(|_| most && *documents == Documents::Sqlite),
    }
}

/// What was measured, and what of it was not answered as asked.
fn detail(load: InFlight, outcome: &Outcome) -> String {
    let spent = &outcome.spent;
    let mut detail = match spent.count {
        0 => format!("nothing was answered well within {:.1} s", spent.seconds),
        _ => format!(
            "{} per second, {} per CPU second, {:.2} ms each",
            grouped(spent.per_second()),
            grouped(spent.per_cpu_second()),
            1e3 * load.requests() as f64 / spent.per_second(),
        ),
    };
    if let Some(refusal) = &outcome.refusal {
        detail += &format!("; {} refused, such as: {refusal}", outcome.refused);
    }
    if outcome.is_stuck {
        detail += "; some were never answered";
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fan_out::Spent;

    #[test]
    fn a_row_says_when_nothing_was_answered_and_why() {
        let spent = Spent {
            count: 0,
            cpu_seconds: 0.1,
            seconds: 0.8,
        };
        let outcome = Outcome {
            spent,
            refused: 3,
            refusal: Some("too many".to_owned()),
            is_stuck: true,
        };
        let load = InFlight::new(16, 1);
        assert_eq!(
            detail(load, &outcome),
            "nothing was answered well within 0.8 s; 3 refused, such as: too many; some were \
             never answered"
        );
        let row = row(&Documents::Sqlite, Scenario::List(1000), load, &outcome);
        assert!(row.value.is_infinite(), "no answer meets no budget");
    }
}
