//! The command line. Its flags are those of the table of keys, so that help, messages and
//! documentation cannot disagree.

mod transfers;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Exit;
use crate::ProvisionRequest;
use crate::administer::{self, Access, AdminRequest};
use crate::config::{Config, ConfigError, FlagValue, KEYS, Key, Kind, Preset, Sources};
use crate::status::StatusRequest;
use crate::transfer::{ExportRequest, ImportRequest};

/// What the user wants.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Start a node, or show its configuration.
    pub wish: Wish,
    file: Option<PathBuf>,
    flags: Vec<FlagValue>,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Start a node and run until told to stop.
    Start,
    /// Print the effective configuration.
    ShowConfig,
    /// Print what every key means.
    ShowReference,
    /// Fill the configured stores from a file.
    Import(ImportRequest),
    /// Write documents of the configured stores to a file.
    Export(ExportRequest),
    /// Make sure of users, groups and tables.
    Provision(ProvisionRequest),
    /// Show how a running node and its cluster are.
    Status(StatusRequest),
    /// Look after the users of a running cluster.
    Admin(AdminRequest),
}

impl Invocation {
    /// Reads the arguments, the program's name first.
    ///
    /// # Errors
    /// When they are wrong, and also when they ask for the help or the version text;
    /// [`clap::Error::exit`] does the right thing.
    pub fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(arguments)?;
        let wish = match matches.subcommand() {
            Some(("config", inner)) if inner.get_flag("reference") => Wish::ShowReference,
            Some(("config", _)) => Wish::ShowConfig,
            Some(("import", inner)) => Wish::Import(transfers::import_request(inner)),
            Some(("export", inner)) => Wish::Export(transfers::export_request(inner)),
            Some(("provision", inner)) => Wish::Provision(provision_request(inner)),
            Some(("status", inner)) => Wish::Status(status_request(inner)),
            Some(("admin", inner)) => match administer::request(inner) {
                Some(request) => Wish::Admin(request),
                None => return Err(command().error(ErrorKind::InvalidSubcommand, "no such verb")),
            },
            _ => Wish::Start,
        };
        let matches = innermost(&matches);
        Ok(Self {
            wish,
            file: matches.get_one::<PathBuf>("config").cloned(),
            flags: flag_values(matches)?,
        })
    }

    /// The configuration file: from `--config`, else from the variable `HAPPN_CONFIG`.
    #[must_use]
    pub fn file(&self, environment: &[(String, String)]) -> Option<PathBuf> {
        let named = environment.iter().find(|(name, _)| name == "HAPPN_CONFIG");
        let named = named.filter(|(_, file)| !file.is_empty());
        let named = || named.map(|(_, file)| PathBuf::from(file));
        self.file.clone().or_else(named)
    }

    /// Reads the configuration that the arguments and `environment` describe.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(self, environment: Vec<(String, String)>) -> Result<Config, ConfigError> {
        let file = self.file(&environment);
        Config::load(&Sources {
            tree: None,
            file: file.as_deref(),
            environment,
            flags: self.flags,
            interfaces: crate::network::interfaces(),
        })
    }
}

/// Global flags show up at the level of the last subcommand.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    let mut matches = matches;
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}

/// The command line's definition.
#[must_use]
pub fn command() -> Command {
    Command::new("cluster-node")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A node of a happn cluster: real-time publish and subscribe over websockets")
        .after_help(after_help())
        .args(settings())
        .subcommand(Command::new("start").about("Starts the node (the default)"))
        .subcommand(
            Command::new("config")
                .about("Prints the effective configuration and where each value comes from")
                .arg(
                    Arg::new("reference")
                        .long("reference")
                        .action(ArgAction::SetTrue)
                        .help("Prints instead what every key means, in Markdown"),
                ),
        )
        .subcommand(status())
        .subcommand(provision())
        // Its own help is long enough without the settings of a node.
        .subcommand(administer::command().args(settings().map(|it| it.hide(true))))
        .subcommand(transfers::import())
        .subcommand(transfers::export())
}

/// What says how a node shall be; all commands take it.
fn settings() -> impl Iterator<Item = Arg> {
    let before = [Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Configuration file: .json, .json5 or .toml")];
    let after = [
        Arg::new("set")
            .long("set")
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Sets any key, such as services.proxy.config.defer=true"),
        Arg::new("dev").long("dev").action(ArgAction::SetTrue).help(
            "Lets a secure node make its admin with the password happn; only to develop with",
        ),
    ];
    let keys = KEYS.iter().filter_map(flag);
    let all = before.into_iter().chain(keys).chain(after);
    all.map(|argument| argument.global(true))
}

fn provision() -> Command {
    Command::new("provision")
        .about("Makes sure of the users, groups and lookup tables of a file")
        .after_help(
            "Nothing is taken away but rules that say \"remove\": true. When something in the file \
             is wrong, all of it is told and nothing is written. With --url a running node does it, \
             and all nodes know at once; who asks is told as for `cluster-node admin`. Without, it \
             is written to the configured stores: running nodes notice within seconds, JavaScript \
             nodes with the next change that a node tells them.",
        )
        .arg(administer::json().help("Prints what is different now as JSON"))
        .args(administer::access_arguments().map(|argument| {
            // Only a running node asks who it is.
            match argument.get_id().as_str() {
                "url" => argument.help("Applies it to the running cluster of this node's admin listener, http:// or https://"),
                _ => argument.requires("url"),
            }
        }))
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("JSON: {groups: [{name, permissions}], users: [{username, password, publicKey, groups, permissions}], lookupTables: [{name, paths, permissions}]}"),
        )
}

fn provision_request(matches: &ArgMatches) -> ProvisionRequest {
    ProvisionRequest {
        // The definition demands it.
        file: matches.get_one("file").cloned().unwrap_or_default(),
        json: matches.get_flag("json"),
        access: Some(Access::of(matches)).filter(|access| access.url.is_some()),
    }
}

fn status() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        let argument = Arg::new(name).long(name).action(ArgAction::SetTrue);
        argument.help(help)
    };
    Command::new("status")
        .about("Shows how a running node and its cluster are")
        .args(administer::listener_arguments())
        .arg(switch("watch", "Looks again every 2 s, until interrupted"))
        .arg(switch("json", "Prints what the node answers, as JSON"))
}

fn status_request(matches: &ArgMatches) -> StatusRequest {
    StatusRequest {
        url: matches.get_one::<String>("url").cloned(),
        authorities: matches.get_one::<PathBuf>("ca").cloned(),
        watch: matches.get_flag("watch"),
        json: matches.get_flag("json"),
    }
}

const AFTER_HELP: &str = "\
Values: flags override the environment, which overrides the file, which overrides the defaults.

Environment: HAPPN__ and the key with __ for every dot, in any letter case:
  services.proxy.config.port   HAPPN__services__proxy__config__port=55000
Every flag above also has a short variable, HAPPN_ and the flag in capitals; it wins over the
long one:
  --proxy-port                 HAPPN_PROXY_PORT=55000
HAPPN_CONFIG names the file. `cluster-node config` lists all keys.

Signals: SIGTERM and SIGINT stop the node, a second one ends it at once; SIGHUP reads certificates
again.

Exit codes:";

fn after_help() -> String {
    let codes = Exit::ALL.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning()));
    format!("{AFTER_HELP}{}", codes.concat())
}

/// The flag of a key that has one.
fn flag(key: &'static Key) -> Option<Arg> {
    let long = key.flag?.trim_start_matches('-');
    let help = match key.default {
        Preset::Text(text) => format!("{} [default: {text}]", key.doc),
        Preset::Whole(number) => format!("{} [default: {number}]", key.doc),
        _ => key.doc.to_owned(),
    };
    let argument = Arg::new(key.path)
        .long(long)
        .value_name(value_name(key.kind))
        .global(true)
        .help_heading("Settings")
        .help(help);
    Some(argument.value_parser(NonEmptyStringValueParser::new()))
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret | Kind::Pem => "TEXT",
        Kind::Segment { .. } => "NAME",
        Kind::Switch => "true|false",
        Kind::Whole { .. } => "NUMBER",
        Kind::Duration { .. } => "DURATION",
        Kind::Choice(_) => "WORD",
        Kind::Masks => "MASKS",
        Kind::Origins => "ORIGINS",
        Kind::Texts | Kind::Profiles => "LIST",
        Kind::Minimums => "OBJECT",
        Kind::Stores => "FILE",
        Kind::Url => "URL",
        Kind::Options | Kind::Indexes | Kind::Providers => "OBJECT",
    }
}

fn flag_values(matches: &ArgMatches) -> Result<Vec<FlagValue>, clap::Error> {
    let mut values = Vec::new();
    for pair in matches.get_many::<String>("set").into_iter().flatten() {
        let Some((key, text)) = pair.split_once('=') else {
            let message = format!("--set {pair}: it must be KEY=VALUE");
            return Err(command().error(ErrorKind::ValueValidation, message));
        };
        values.push(FlagValue {
            flag: "--set".into(),
            key: key.trim().to_owned(),
            text: text.to_owned(),
        });
    }
    if matches.get_flag("dev") {
        values.push(FlagValue {
            flag: "--dev".into(),
            key: "dev".into(),
            text: "true".into(),
        });
    }
    // After --set: the more particular flag wins.
    for key in KEYS {
        let Some(flag) = key.flag else { continue };
        if let Some(text) = matches.get_one::<String>(key.path) {
            values.push(FlagValue {
                flag: flag.to_owned(),
                key: key.path.to_owned(),
                text: text.clone(),
            });
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(arguments: &[&str], environment: &[(&str, &str)]) -> Config {
        let arguments = ["cluster-node"].iter().chain(arguments);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        let invocation = Invocation::parse(arguments).unwrap();
        invocation.load(environment).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_short_variable_of_ours_is_its_flag_in_capitals() {
        let theirs = |key: &&Key| key.path.starts_with("network.");
        for key in KEYS.iter().filter(|key| !theirs(key)) {
            let expected = key.flag.map(|flag| {
                let name = flag.trim_start_matches('-').replace('-', "_");
                format!("HAPPN_{}", name.to_uppercase())
            });
            assert_eq!(key.environment.map(str::to_owned), expected, "{}", key.path);
        }
    }

    #[test]
    fn flags_may_stand_before_and_after_the_subcommand() {
        for arguments in [
            &["--port", "4000"][..],
            &["start", "--port", "4000"],
            &["--port", "4000", "start"],
        ] {
            assert_eq!(load(arguments, &[]).settings.port, 4000, "{arguments:?}");
        }
        let wish = |arguments: &[&str]| Invocation::parse(arguments).unwrap().wish;
        assert!(matches!(wish(&["x"]), Wish::Start));
        assert!(matches!(
            wish(&["x", "config", "--port", "1"]),
            Wish::ShowConfig
        ));
    }

    #[test]
    fn any_key_can_be_set_and_its_own_flag_wins() {
        let config = load(
            &[
                "--port",
                "1",
                "--set",
                "port=2",
                "--set",
                "services.proxy.config.defer=true",
            ],
            &[("HAPPN_PORT", "3")],
        );
        assert_eq!(config.settings.port, 1);
        assert!(config.settings.services.proxy.defer);
    }

    #[test]
    fn a_file_can_be_named_in_the_environment() {
        let invocation = Invocation::parse(["x"]).unwrap();
        let environment = vec![("HAPPN_CONFIG".into(), "missing.toml".into())];
        let error = invocation.load(environment).unwrap_err();
        assert!(error.to_string().contains("missing.toml"), "{error}");
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for arguments in [
            &["x", "--prot", "1"][..],
            &["x", "--set", "port"],
            &["x", "stop"],
        ] {
            assert!(Invocation::parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
