//! The health reports, as lines for people and for log collectors.

use std::io::Write;
use std::sync::Arc;

use cluster_orchestrator::{HealthReport, State};
use happn_core::Clock;
use tokio::sync::watch;

use crate::config::{HealthReportSettings, ReportLines, ReportOutput};

/// Writes what `health` brings until its orchestrator has stopped.
pub(crate) async fn write(
    settings: HealthReportSettings,
    mut health: watch::Receiver<Option<HealthReport>>,
    clock: Arc<dyn Clock>,
) {
    let mut news = News::default();
    while health.changed().await.is_ok() {
        let Some(report) = health.borrow_and_update().clone() else {
            continue;
        };
        let changed = news.is_new(&report);
        if settings.lines == ReportLines::Always
            || (settings.lines == ReportLines::Change && changed)
        {
            tracing::info!("{}", report.member_line());
            tracing::info!("{}", report.breakdown());
        }
        if changed {
            let line = report.json_line(clock.wall_ms());
            match settings.json {
                ReportOutput::Stdout => to_stdout(line).await,
                ReportOutput::Log => to_log(report.status, &line),
                ReportOutput::Off => {}
            }
        }
    }
}

/// What tells a report from the one before: the unhealthy members and the state.
#[derive(Default)]
struct News {
    last: Option<(Vec<String>, State)>,
}

impl News {
    fn is_new(&mut self, report: &HealthReport) -> bool {
        let now = Some((report.unhealthy_members.clone(), report.status));
        let is_new = self.last != now;
        self.last = now;
        is_new
    }
}

/// A reader that does not read holds up the next report only.
async fn to_stdout(line: String) {
    let written = tokio::task::spawn_blocking(move || {
        let mut output = std::io::stdout().lock();
        writeln!(output, "{line}").and_then(|()| output.flush())
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a health report could not be written"),
        Err(error) => tracing::debug!(%error, "a health report was not written"),
    }
}

fn to_log(state: State, line: &str) {
    match state {
        State::Stable => tracing::info!(target: HealthReport::TAG, "{line}"),
        _ => tracing::warn!(target: HealthReport::TAG, "{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(unhealthy: &[&str], status: State) -> HealthReport {
        HealthReport {
            member_id: "n".to_owned(),
            member_endpoint: "n:1".to_owned(),
            total_cluster_members: 1,
            total_cluster_peers: 1,
            unhealthy_members: unhealthy.iter().map(|&it| it.to_owned()).collect(),
            status,
            service: "s".to_owned(),
            services: Vec::new(),
        }
    }

    #[test]
    fn the_first_report_and_every_other_one_are_news() {
        let mut news = News::default();
        for (unhealthy, state, expected) in [
            (&[][..], State::Stable, true),
            (&[], State::Stable, false),
            (&["b:1"], State::Stable, true),
            (&["b:1"], State::Stable, false),
            (&["b:1"], State::Connecting, true),
            (&[], State::Stable, true),
        ] {
            let is_new = news.is_new(&report(unhealthy, state));
            assert_eq!(is_new, expected, "{unhealthy:?} {state}");
        }
    }
}
