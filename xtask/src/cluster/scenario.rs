//! The story: start, publish everywhere, kill one, stop one, bring both back, publish again.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use happn_client::Client;
use testkit::Relay;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::access::Access;
use super::ledger::{Route, routes};
use super::node::{Node, free_ports};
use super::report;
use super::traffic::{Phase, connect, everyone_hears_everyone};
use super::{Options, Scenario};

const EVENTS_PER_NODE: u64 = 200;
/// How long a storm blows before and after its victim falls.
const STORM_EVENTS: u64 = 150;
const NOTICE_LIMIT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);

/// How a node is taken away.
#[derive(Clone, Copy)]
enum End {
    Killed,
    Terminated,
}

/// The running cluster. Its directory goes away with it.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    /// In front of each node's inner port, where the others connect.
    pub(super) relays: Vec<Relay>,
    pub(super) failures: Vec<String>,
    access: Access,
    folder: Folder,
}

/// Plays the story and answers what did not hold.
pub(super) async fn play(binary: &Path, options: &Options) -> anyhow::Result<Vec<String>> {
    let mut cluster = Cluster::start(binary, options).await?;
    let mut verdicts = Vec::new();
    for scenario in chosen(&options.scenarios) {
        println!("{scenario:?}");
        let (before, start) = (cluster.failures.len(), Instant::now());
        let suffered = cluster.suffer(scenario).await;
        suffered.with_context(|| format!("in scenario {scenario:?}"))?;
        verdicts.push(report::Verdict {
            scenario,
            took: start.elapsed(),
            complaints: cluster.failures.len() - before,
        });
    }
    report::verdicts(&verdicts);
    report::table(&cluster.nodes);
    if options.keep && cluster.failures.is_empty() {
        cluster.keep().await?;
    }
    cluster.stop().await?;
    Ok(cluster.failures)
}

/// What was asked for, each once, all of them if that was.
fn chosen(asked: &[Scenario]) -> Vec<Scenario> {
    use clap::ValueEnum;

    let all = asked.contains(&Scenario::All);
    let scenarios = Scenario::value_variants().iter().copied();
    scenarios
        .filter(|it| *it != Scenario::All && (all || asked.contains(it)))
        .collect()
}

impl Cluster {
    async fn suffer(&mut self, scenario: Scenario) -> anyhow::Result<()> {
        let last = self.nodes.len() - 1;
        match scenario {
            Scenario::Story => {
                self.calm("calm", "everywhere to everywhere").await?;
                self.storm(last, End::Killed).await?;
                self.storm(last - 1, End::Terminated).await?;
                self.calm("after", "after both came back").await
            }
            Scenario::RollingRestart => {
                for victim in 0..=last {
                    self.storm(victim, End::Terminated).await?;
                }
                self.all_steady().await
            }
            Scenario::Kill => {
                self.storm(0, End::Killed).await?;
                self.all_steady().await
            }
            Scenario::Pause => self.pause().await,
            Scenario::Partition => self.partition().await,
            Scenario::DbOutage => self.db_outage().await,
            Scenario::Skew => self.skew().await,
            Scenario::SlowPeer => self.slow_peer().await,
            Scenario::All => Ok(()),
        }
    }

    /// Every node comes back with another clock, and nothing else changes.
    async fn skew(&mut self) -> anyhow::Result<()> {
        for (node, hours) in (0..self.nodes.len()).zip([7, 0, 19, 3].into_iter().cycle()) {
            self.nodes[node].clock_ahead_hours = hours;
            self.storm(node, End::Terminated).await?;
        }
        self.calm("skew", "with clocks hours apart").await?;
        self.all_steady().await
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.0.join("happn.sqlite")
    }

    async fn start(binary: &Path, options: &Options) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let access = Access::prepare(options.secure, &folder.0)?;
        let count = options.nodes;
        println!("starting {count} nodes");
        let mut nodes = Vec::new();
        let mut relays = Vec::new();
        for (index, ports) in free_ports(count).await?.into_iter().enumerate() {
            // Peers connect to the announced host and the inner port: there the relay listens.
            let announced = IpAddr::from([127, 0, 1, u8::try_from(index + 1)?]);
            let inner = SocketAddr::from(([127, 0, 0, 1], ports.0));
            let address = SocketAddr::from((announced, ports.0));
            let relay = Relay::start(address, inner).await;
            relays.push(relay.with_context(|| format!("cannot relay at {address}"))?);
            let node = Node::prepare(binary, &folder.0, index, count, ports, announced, &access)?;
            nodes.push(node);
        }
        for node in &mut nodes {
            node.start()?;
        }
        for node in &mut nodes {
            node.serves().await?;
        }
        report::table(&nodes);
        Ok(Self {
            nodes,
            relays,
            failures: Vec::new(),
            access,
            folder,
        })
    }

    pub(super) async fn clients(&self) -> anyhow::Result<Vec<Client>> {
        let mut clients = Vec::new();
        for node in &self.nodes {
            clients.push(connect(node.proxy_port, &self.access).await?);
        }
        everyone_hears_everyone(&clients).await?;
        Ok(clients)
    }

    /// All nodes publish at once while nothing happens to them.
    async fn calm(&mut self, slug: &'static str, name: &str) -> anyhow::Result<()> {
        let clients = self.clients().await?;
        let phase = Phase::new(slug);
        let mut observers = Vec::new();
        for (to, client) in clients.iter().enumerate() {
            observers.push(phase.observe(to, client).await?);
        }
        let mut publishers = tokio::task::JoinSet::new();
        for (from, client) in clients.iter().cloned().enumerate() {
            let phase = phase.clone();
            publishers.spawn(async move { phase.publish(from, &client, EVENTS_PER_NODE).await });
        }
        while let Some(ended) = publishers.join_next().await {
            ended??;
        }
        let all = routes(&(0..self.nodes.len()).collect::<Vec<_>>());
        phase.arrives(&all).await;
        // On the same links, behind everything judged here: no duplicate is still on its way.
        everyone_hears_everyone(&clients).await?;
        let complaints = phase.books(|ledger| report::judge(name, ledger, &all));
        self.failures.extend(complaints);
        Ok(())
    }

    /// All nodes publish while `victim` is taken away and brought back.
    async fn storm(&mut self, victim: usize, end: End) -> anyhow::Result<()> {
        let clients = self.clients().await?;
        let (slug, name) = match end {
            End::Killed => ("killed", "while one was killed"),
            End::Terminated => ("stopped", "while one stopped"),
        };
        let phase = Phase::new(slug);
        let (stop, stopped) = watch::channel(false);
        let mut observers = Vec::new();
        for (to, client) in clients.iter().enumerate() {
            observers.push(phase.observe(to, client).await?);
        }
        let storms: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(from, client)| phase.storm(from, client.clone(), stopped.clone()))
            .collect();
        let survivors: Vec<usize> = (0..self.nodes.len())
            .filter(|node| *node != victim)
            .collect();
        let before = self.gaps_of(victim, &survivors);

        self.go_and_come_back(&phase, victim, end, &survivors)
            .await?;
        let _ = stop.send(true);
        for (from, storm) in storms.into_iter().enumerate() {
            let ended = storm.await?;
            if from != victim {
                ended.with_context(|| format!("the publisher at node-{} failed", from + 1))?;
            }
        }
        let judged = routes(&survivors);
        phase.arrives(&judged).await;
        let surviving: Vec<Client> = survivors
            .iter()
            .map(|node| clients[*node].clone())
            .collect();
        everyone_hears_everyone(&surviving).await?;
        let complaints = phase.books(|ledger| report::judge(name, ledger, &judged));
        self.failures.extend(complaints);
        let from_victim: Vec<Route> = survivors
            .iter()
            .map(|to| Route {
                from: victim,
                to: *to,
            })
            .collect();
        self.account_for(&phase, victim, end, &from_victim, before)
            .await;
        Ok(())
    }

    /// What a node published last: nothing is missing when it stopped; what is missing when it
    /// was killed has been declared.
    async fn account_for(
        &mut self,
        phase: &Phase,
        victim: usize,
        end: End,
        from_victim: &[Route],
        before: Vec<usize>,
    ) {
        let own = "  of its own events";
        if matches!(end, End::Terminated) {
            phase.arrives(from_victim).await;
            let complaints = phase.books(|ledger| report::judge(own, ledger, from_victim));
            self.failures.extend(complaints);
            return;
        }
        phase.books(|ledger| report::mention(own, ledger, from_victim));
        let receivers: Vec<usize> = from_victim.iter().map(|route| route.to).collect();
        let declared = self.gaps_of(victim, &receivers);
        for ((route, before), now) in from_victim.iter().zip(before).zip(declared) {
            let tally = phase.books(|ledger| ledger.tally(*route));
            if tally.lost > 0 && now <= before {
                let (from, to) = (route.from + 1, route.to + 1);
                let lost = tally.lost;
                self.failures.push(format!(
                    "{lost} events of node-{from} were lost at node-{to} without a sign"
                ));
            }
            if tally.duplicated + tally.reordered > 0 {
                self.failures
                    .push(format!("duplicates or disorder: {tally:?}"));
            }
        }
    }

    fn gaps_of(&self, victim: usize, receivers: &[usize]) -> Vec<usize> {
        let name = &self.nodes[victim].name;
        let gaps = receivers.iter().map(|node| self.nodes[*node].gaps_of(name));
        gaps.collect()
    }

    async fn go_and_come_back(
        &mut self,
        phase: &Phase,
        victim: usize,
        end: End,
        survivors: &[usize],
    ) -> anyhow::Result<()> {
        self.events_pass(phase, survivors, STORM_EVENTS).await?;
        self.take_away(victim, end, survivors).await?;
        self.events_pass(phase, survivors, STORM_EVENTS).await?;
        self.nodes[victim].start()?;
        self.nodes[victim].serves().await?;
        println!("  {} is back", self.nodes[victim].name);
        self.events_pass(phase, survivors, STORM_EVENTS).await
    }

    /// Waits until each survivor's events have reached it `count` times more than now.
    pub(super) async fn events_pass(
        &self,
        phase: &Phase,
        survivors: &[usize],
        count: u64,
    ) -> anyhow::Result<()> {
        let delivered = |node: &usize| {
            let route = Route {
                from: *node,
                to: *node,
            };
            phase.books(|ledger| ledger.tally(route).delivered)
        };
        let goals: Vec<u64> = survivors
            .iter()
            .map(|node| delivered(node) + count)
            .collect();
        let deadline = Instant::now() + NOTICE_LIMIT * 2;
        while survivors
            .iter()
            .zip(&goals)
            .any(|(node, goal)| delivered(node) < *goal)
        {
            if Instant::now() > deadline {
                bail!("the survivors stopped publishing");
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn take_away(
        &mut self,
        victim: usize,
        end: End,
        survivors: &[usize],
    ) -> anyhow::Result<()> {
        let name = self.nodes[victim].name.clone();
        let before: Vec<usize> = survivors
            .iter()
            .map(|node| self.nodes[*node].departures_of(&name))
            .collect();
        let start = Instant::now();
        match end {
            End::Killed => {
                self.nodes[victim].kill().await?;
                println!("  {name} was killed");
            }
            End::Terminated => {
                let status = self.nodes[victim].terminate().await?;
                println!(
                    "  {name} stopped in {:.1} s: {status}",
                    start.elapsed().as_secs_f64()
                );
                if !status.success() {
                    self.failures
                        .push(format!("{name} ended with {status} after SIGTERM"));
                }
            }
        }
        for (node, before) in survivors.iter().zip(before) {
            self.notices(*node, &name, before).await?;
        }
        println!(
            "  the others noticed within {:.1} s",
            start.elapsed().as_secs_f64()
        );
        Ok(())
    }

    async fn notices(&self, node: usize, gone: &str, before: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + NOTICE_LIMIT;
        while self.nodes[node].departures_of(gone) <= before {
            if Instant::now() > deadline {
                bail!(
                    "{} did not notice that {gone} is gone",
                    self.nodes[node].name
                );
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn keep(&self) -> anyhow::Result<()> {
        println!("the cluster stays up; Ctrl-C ends it. Clients connect to:");
        for node in &self.nodes {
            println!("  {}  ws://127.0.0.1:{}", node.name, node.proxy_port);
        }
        tokio::signal::ctrl_c()
            .await
            .context("cannot wait for Ctrl-C")
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            let status = node.terminate().await?;
            if !status.success() {
                self.failures
                    .push(format!("{} ended with {status} after SIGTERM", node.name));
            }
        }
        Ok(())
    }
}

/// A directory of this run's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("happn-test-cluster-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
