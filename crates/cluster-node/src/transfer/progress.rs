//! How far a transfer is, for the person who waits.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error. It shows only on a terminal; clones are one bar.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

const OPENING: &str = "{spinner} opening";
const BYTES: &str = "{bar:30} {bytes}/{total_bytes} {eta} left";
const DOCUMENTS: &str = "{spinner} {pos} documents, {elapsed}";

impl Progress {
    /// A bar that draws itself while work goes on.
    #[must_use]
    pub fn shown() -> Self {
        let progress = Self(ProgressBar::no_length());
        progress.start(OPENING);
        progress.0.enable_steady_tick(Duration::from_millis(200));
        progress
    }

    /// No bar at all.
    #[must_use]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Counts bytes from now on, up to `total`.
    pub(crate) fn bytes(&self, total: u64) {
        self.start(BYTES);
        self.0.set_length(total);
    }

    /// Counts documents from now on, nobody knows how many.
    pub(crate) fn documents(&self) {
        self.start(DOCUMENTS);
    }

    fn start(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.reset();
    }

    pub(crate) fn advance(&self, by: u64) {
        self.0.inc(by);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
