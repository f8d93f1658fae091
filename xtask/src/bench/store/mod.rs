//! `cargo xtask bench store`: what reading and writing documents costs, per store.

mod load;
mod requests;

use anyhow::Context;

use super::Plan;
use super::fan_out::Spent;
use super::process::{Documents, ServerProcess};
use super::table::{Budget, Row, Table, grouped};
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
            let mut spent = Spent::default();
            for _ in 0..plan.rounds {
                spent.add(load::run(plan, &server, scenario, load).await?);
            }
            table.add(row(documents, scenario, load, &spent));
        }
    }
    Ok(())
}

fn label(documents: &Documents, scenario: Scenario) -> String {
    format!("{} {}", documents.name(), scenario.name())
}

fn row(documents: &Documents, scenario: Scenario, load: InFlight, spent: &Spent) -> Row {
    let per_second = spent.per_second();
    let micros_each = 1e6 / spent.per_cpu_second();
    let latency_ms = 1e3 * load.requests() as f64 / per_second;
    let detail = format!(
        "{} per second, {} per CPU second, {latency_ms:.2} ms each",
        grouped(per_second),
        grouped(spent.per_cpu_second()),
    );
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
        detail,
        value,
        unit,
        budget: budget.filter(|_| most && *documents == Documents::Sqlite),
    }
}
