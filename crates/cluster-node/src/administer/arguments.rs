//! Arguments that several resources have.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use happn_security::policy::parse_duration;
use serde_json::Value;

use super::route::with_query;

/// A resource, of which one verb has to be said.
pub(super) fn verbs(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("VERB")
        .subcommand_help_heading("Verbs")
}

/// Something that has to be named.
pub(super) fn name(value: &'static str, help: &'static str) -> Arg {
    Arg::new(value)
        .value_name(value)
        .required(true)
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

/// An option with a text.
pub(super) fn named(option: &'static str, value: &'static str, help: &'static str) -> Arg {
    name(value, help).id(option).long(option).required(false)
}

/// The same, as often as one likes.
pub(super) fn names(option: &'static str, value: &'static str, help: &'static str) -> Arg {
    named(option, value, help).action(ArgAction::Append)
}

/// Which of many.
pub(super) fn mask(help: &'static str) -> Arg {
    name("MASK", help).required(false)
}

/// A list of actions.
pub(super) fn actions(option: &'static str, help: &'static str) -> Arg {
    names(option, "ACTIONS", help).value_delimiter(',')
}

pub(super) fn file(option: &'static str, help: &'static str) -> Arg {
    Arg::new(option)
        .long(option)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

pub(super) fn limit() -> Arg {
    number("limit", "Shows no more than so many")
}

pub(super) fn skip() -> Arg {
    number("skip", "Leaves out so many first")
}

/// The path of a list, and which part of it is wanted.
pub(super) fn paged(path: String, matches: &ArgMatches) -> String {
    let part = ["limit", "skip"].map(|name| (name, text(matches, name)));
    with_query(path, &part)
}

fn number(option: &'static str, help: &'static str) -> Arg {
    let is_number = |text: &str| match text.parse::<u32>() {
        Ok(number) => Ok(number.to_string()),
        Err(_) => Err("it must be a whole number"),
    };
    Arg::new(option)
        .long(option)
        .value_name("NUMBER")
        .value_parser(is_number)
        .help(help)
}

/// How long something lasts, in ms.
pub(super) fn duration(option: &'static str, help: &'static str) -> Arg {
    let milliseconds = |text: &str| match parse_duration(&Value::String(text.to_owned())) {
        Ok(Some(length)) => u64::try_from(length.as_millis()).map_err(|error| error.to_string()),
        Ok(None) => Err("it must have an end".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Arg::new(option)
        .long(option)
        .value_name("DURATION")
        .value_parser(milliseconds)
        .help(help)
}

/// What applications keep with a user or a group.
pub(super) fn custom_data() -> Arg {
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    Arg::new("custom-data")
        .long("custom-data")
        .value_name("JSON")
        .value_parser(json)
        .help("What applications keep with it, and templates in permissions can use")
}

pub(super) fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.get_one::<String>(id).map(String::as_str)
}

/// All values of one that may be repeated.
pub(super) fn list(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.get_many::<String>(id);
    values.into_iter().flatten().cloned().collect()
}
