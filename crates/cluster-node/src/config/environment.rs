//! Keys in the environment.

use crate::config::key::Key;
use crate::config::keys::KEYS;
use crate::config::layers::{Origin, Setting};
use crate::config::nearest::nearest;
use crate::config::problem::Report;

/// What a variable that sets a key by its full name begins with.
///
/// The rule: the variable of a key is this prefix and the key with `__` for every dot, letter case
/// ignored. So `services.proxy.config.port` is `HAPPN__services__proxy__config__port`, and
/// `HAPPN__SERVICES__PROXY__CONFIG__PORT` will do. The most used keys also have a short name, which
/// wins over the long one: `HAPPN_PROXY_PORT`.
pub const ENVIRONMENT_PREFIX: &str = "HAPPN__";

/// Variables of ours that stand for no key.
const OTHER_VARIABLES: &[&str] = &[
    "HAPPN_CONFIG",
    "HAPPN_ADMIN_TOKEN",
    "HAPPN_ADMIN_PASSWORD",
    "HAPPN_NEW_PASSWORD",
];

/// The full-name variable of a key.
#[must_use]
pub fn environment_name(key: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", key.replace('.', "__"))
}

/// Every key that the environment sets, short names last so that they win.
pub(crate) fn settings(environment: &[(String, String)], report: &mut Report) -> Vec<Setting> {
    let mut long = Vec::new();
    let mut short = Vec::new();
    for (name, text) in environment {
        if let Some(rest) = strip_prefix(name) {
            long.push(setting(spelled(rest), name, text));
        } else if let Some(key) = short_key(name) {
            short.push(setting(key.path.to_owned(), name, text));
        } else {
            warn_of_near_miss(name, report);
        }
    }
    // The order of an environment means nothing; messages should not depend on it.
    for list in [&mut long, &mut short] {
        list.sort_by(|a, b| a.key.cmp(&b.key));
    }
    long.append(&mut short);
    long
}

fn setting(key: String, name: &str, text: &str) -> Setting {
    Setting {
        key,
        text: text.to_owned(),
        origin: Origin::Environment(name.to_owned()),
    }
}

fn strip_prefix(name: &str) -> Option<&str> {
    let head = name.get(..ENVIRONMENT_PREFIX.len())?;
    let ours = head.eq_ignore_ascii_case(ENVIRONMENT_PREFIX);
    ours.then(|| &name[ENVIRONMENT_PREFIX.len()..])
}

/// The key or alias that `rest` stands for, in some letter case, else what it would spell. Compared
/// with `__` for dots, because a few keys have that in them.
fn spelled(rest: &str) -> String {
    let spellings = KEYS
        .iter()
        .flat_map(|key| [key.path].into_iter().chain(key.aliases.iter().copied()));
    let named = spellings.map(|spelling| (spelling, spelling.replace('.', "__")));
    let mut matching: Vec<(&str, String)> = named
        .filter(|(_, name)| name.eq_ignore_ascii_case(rest))
        .collect();
    // `keepalive` differs from `keepAlive` only in case: an exact spelling wins, then the key.
    matching.sort_by_key(|(_, name)| name != rest);
    match matching.first() {
        Some((spelling, _)) => (*spelling).to_owned(),
        None => rest.replace("__", "."),
    }
}

fn short_key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.environment == Some(name))
}

/// Other programs' variables may begin with HAPPN_ as well, so only a near miss is worth a word.
fn warn_of_near_miss(name: &str, report: &mut Report) {
    if !name.starts_with("HAPPN_") || OTHER_VARIABLES.contains(&name) {
        return;
    }
    let known = KEYS.iter().filter_map(|key| key.environment);
    let Some(near) = nearest(name, known) else {
        return;
    };
    let alike = name.len().abs_diff(near.len()) <= 2;
    if alike {
        report.warn(format!(
            "environment {name}: no such variable, did you mean {near}?"
        ));
    }
}
