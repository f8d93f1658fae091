//! Whom to ask, and as who.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, value_parser};

use super::secret::{Secret, SecretError, Secrets};

/// Who asks when nobody says.
const ADMIN: &str = "_ADMIN";

/// How to reach a node, and who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Its admin listener; the one of the configured node when absent.
    pub url: Option<String>,
    /// The authorities that may vouch for it, PEM; those of browsers when absent.
    pub authorities: Option<PathBuf>,
    /// The user who logs in; `_ADMIN` when absent.
    pub user: Option<String>,
    /// A file with that user's password.
    pub password_file: Option<PathBuf>,
    /// A file with a session token, instead of a login.
    pub token_file: Option<PathBuf>,
}

/// What the server is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Token(Secret),
    Password { user: String, password: Secret },
}

/// The options that say which listener is meant.
pub(crate) fn listener_arguments() -> [Arg; 2] {
    [
        text(
            "url",
            "URL",
            "A node's admin listener, http:// or https:// [default: the configured node's, on admin.port]",
        ),
        file(
            "ca",
            "Authorities, PEM, one of which has to vouch for an https listener [default: those of browsers]",
        ),
    ]
}

/// The options of every command that asks a running cluster for something.
pub(crate) fn arguments() -> impl Iterator<Item = Arg> {
    let who = [
        text(
            "as",
            "USER",
            "Who logs in with a password [default: _ADMIN]",
        ),
        file(
            "password-file",
            "That user's password, - for standard input",
        ),
        file(
            "token-file",
            "A session token to use instead of a login, - for standard input",
        )
        .conflicts_with_all(["as", "password-file"]),
    ];
    listener_arguments().into_iter().chain(who)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    let argument = Arg::new(name).long(name).value_name(value);
    let argument = argument.value_parser(NonEmptyStringValueParser::new());
    argument.help_heading("Access").help(help)
}

fn file(name: &'static str, help: &'static str) -> Arg {
    let argument = Arg::new(name).long(name).value_name("FILE");
    let argument = argument.value_parser(value_parser!(PathBuf));
    argument.help_heading("Access").help(help)
}

impl Access {
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        Self {
            url: text("url"),
            authorities: file("ca"),
            user: text("as"),
            password_file: file("password-file"),
            token_file: file("token-file"),
        }
    }

    /// The first credentials that there are, in the order that the help tells. `place` is where
    /// they will be used.
    pub(crate) fn credentials(
        &self,
        secrets: &mut Secrets<'_>,
        place: &str,
    ) -> Result<Credentials, SecretError> {
        if let Some(file) = &self.token_file {
            return Ok(Credentials::Token(secrets.file(file)?));
        }
        let user = self.user.clone().unwrap_or_else(|| ADMIN.to_owned());
        let password = match &self.password_file {
            Some(file) => secrets.file(file)?,
            None => {
                // Whoever names a user does not mean the one that some token is for.
                let token = secrets.variable("HAPPN_ADMIN_TOKEN")?;
                if let Some(token) = token.filter(|_| self.user.is_none()) {
                    return Ok(Credentials::Token(token));
                }
                match secrets.variable("HAPPN_ADMIN_PASSWORD")? {
                    Some(password) => password,
                    None => secrets.ask(
                        &format!("password of {user} at {place}: "),
                        "--password-file, --token-file, HAPPN_ADMIN_PASSWORD or HAPPN_ADMIN_TOKEN",
                    )?,
                }
            }
        };
        Ok(Credentials::Password { user, password })
    }
}
