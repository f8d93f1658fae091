//! The node's configuration: one table of keys, four layers, one report of everything wrong.
//!
//! Layers, each overriding the one before: defaults, what the program says, file, environment,
//! flags. The keys are those
//! of the JavaScript happn-cluster, nested and in camelCase; [`KEYS`] is the one place that lists
//! them. Reading order: [`Sources`] (where values come from) → [`Config::load`] → [`Settings`]
//! (the values, typed) and [`effective`] (the same, for people).
//!
//! Nothing here reads the process environment or starts anything: the environment and the network
//! interfaces are arguments.

mod environment;
mod file;
mod http;
mod key;
mod keys;
mod kind;
mod layers;
mod nearest;
mod print;
mod problem;
mod reference;
mod rules;
mod security;
mod settings;
mod store_keys;
mod stores;

pub use environment::{ENVIRONMENT_PREFIX, environment_name};
pub use http::{ConnectSettings, HttpSecuritySettings, MiddlewareSettings};
pub use key::{Key, Preset};
pub use keys::KEYS;
pub use kind::Kind;
pub use layers::Origin;
pub use print::effective;
pub use problem::{ConfigError, Problem};
pub use reference::reference;
pub use security::{
    AccountLockoutSettings, AdminGroupSettings, AdminUserSettings, RegisteredProviders,
    SecuritySettings,
};
pub use settings::{
    AdminSettings, CleanupSettings, DataSettings, HealthReportSettings, InterestSettings,
    LinkSettings, LogFormat, LogSettings, NetworkSettings, OrchestratorSettings, PrimusSettings,
    ProxySettings, PublicationSettings, PublisherSettings, RateLimitSettings, ReportLines,
    ReportOutput, SearchLimits, Services, SessionSettings, Settings, ShutdownSettings, Store,
    SubscriptionSettings, SubscriptionTreeSettings, TimingSettings, TransportMode,
    TransportSettings, WhenUnstable,
};
pub use store_keys::STORE_KEYS;
pub use stores::{PatternRule, Provider, StoreSettings, Synchronous};

use std::path::Path;

use serde_json::Value;

use crate::network::InterfaceAddress;
use layers::{Layers, Setting};
use problem::Report;

/// Where the values come from.
#[derive(Clone, Debug, Default)]
pub struct Sources<'a> {
    /// What a file would hold, from the program itself.
    pub tree: Option<&'a Value>,
    /// A file in JSON, JSON5 or TOML.
    pub file: Option<&'a Path>,
    /// The environment, name and value.
    pub environment: Vec<(String, String)>,
    /// Flags as they were typed, with the key each stands for.
    pub flags: Vec<FlagValue>,
    /// The machine's addresses, for hosts that name an interface: [`crate::network::interfaces`].
    pub interfaces: Vec<InterfaceAddress>,
}

/// A value given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// As typed, for messages: `--port`.
    pub flag: String,
    /// The key that it sets.
    pub key: String,
    /// The value as typed.
    pub text: String,
}

/// A complete and consistent configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The values.
    pub settings: Settings,
    /// What the author should know although the node can start: unknown keys, old spellings.
    pub warnings: Vec<String>,
    layers: Layers,
}

impl Config {
    /// A configuration that a program makes: `tree` holds what a file would, the rest are the
    /// defaults. Neither the environment nor the command line is looked at.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_tree(tree: &Value) -> Result<Self, ConfigError> {
        Self::load(&Sources {
            tree: Some(tree),
            interfaces: crate::network::interfaces(),
            ..Sources::default()
        })
    }

    /// Reads all sources and checks everything.
    ///
    /// # Errors
    /// Everything that is wrong, together, each with its origin, key, value and what is allowed.
    pub fn load(sources: &Sources<'_>) -> Result<Self, ConfigError> {
        let mut report = Report::default();
        let mut layers = Layers::of_defaults();
        if let Some(tree) = sources.tree {
            layers.add_tree(tree, &Origin::Program, &mut report);
        }
        if let Some(path) = sources.file {
            let origin = Origin::File(path.to_owned());
            match file::read(path) {
                Ok(root) => layers.add_tree(&root, &origin, &mut report),
                Err(problem) => report.problem(problem),
            }
        }
        let environment = environment::settings(&sources.environment, &mut report);
        layers.add_settings(environment, &mut report);
        let flags = sources.flags.iter().map(Setting::from_flag).collect();
        layers.add_settings(flags, &mut report);
        rules::apply(&mut layers, &sources.interfaces, &mut report);
        let settings = report.finish(|report| Settings::from_layers(&layers, report))?;
        Ok(Self {
            settings,
            warnings: report.into_warnings(),
            layers,
        })
    }
}

#[cfg(test)]
mod tests;
