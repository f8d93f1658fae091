//! The commands `import` and `export`.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::transfer::{ExportRequest, ExportTo, Format, ImportRequest, SystemItems};

const FORMATS: [&str; 3] = ["loki", "nedb", "jsonl"];
const SYSTEM: [&str; 3] = ["needed", "all", "none"];

/// `import`.
pub(super) fn import() -> Command {
    Command::new("import")
        .about("Fills the configured stores from a file; doing it again gives the same")
        .after_help(
            "Documents keep their times and author and replace what is at their path. A node may \
             run on the same SQLite file meanwhile; its clients get no events.",
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("FORMAT")
                .required(true)
                .value_parser(PossibleValuesParser::new(FORMATS))
                .help("How the file is written: by a JavaScript node, or by export"),
        )
        .arg(store(
            "The store that takes all documents [default: each by its path]",
        ))
        .arg(
            Arg::new("system")
                .long("system")
                .value_name("WHICH")
                .value_parser(PossibleValuesParser::new(SYSTEM))
                .default_value("needed")
                .help("Documents of the server itself: needed leaves out what every node makes"),
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The file to read"),
        )
}

/// `export`.
pub(super) fn export() -> Command {
    Command::new("export")
        .about("Writes documents of the configured stores to a file, one a line")
        .arg(
            Arg::new("path")
                .long("path")
                .value_name("MASK")
                .value_parser(NonEmptyStringValueParser::new())
                .default_value("*")
                .help("Which documents, as in a get; * crosses slashes"),
        )
        .arg(store(
            "The store to read [default: all, as clients see them]",
        ))
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The file to write, - for standard output"),
        )
}

fn store(help: &'static str) -> Arg {
    Arg::new("store")
        .long("store")
        .value_name("NAME")
        .value_parser(NonEmptyStringValueParser::new())
        .help(help)
}

pub(super) fn import_request(matches: &ArgMatches) -> ImportRequest {
    ImportRequest {
        format: match text(matches, "from").as_deref() {
            Some("loki") => Format::Loki,
            Some("nedb") => Format::Nedb,
            _ => Format::Jsonl,
        },
        file: file(matches),
        store: text(matches, "store"),
        system: match text(matches, "system").as_deref() {
            Some("all") => SystemItems::All,
            Some("none") => SystemItems::None,
            _ => SystemItems::Needed,
        },
    }
}

pub(super) fn export_request(matches: &ArgMatches) -> ExportRequest {
    let file = file(matches);
    ExportRequest {
        mask: text(matches, "path").unwrap_or_default(),
        store: text(matches, "store"),
        to: match file.as_os_str() == "-" {
            true => ExportTo::Output,
            false => ExportTo::File(file),
        },
    }
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

fn file(matches: &ArgMatches) -> PathBuf {
    let file = matches.get_one::<PathBuf>("file");
    file.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::cli::{Invocation, Wish};

    use super::*;

    fn wish(arguments: &[&str]) -> Result<Wish, String> {
        let arguments = ["cluster-node"].iter().chain(arguments);
        let invocation = Invocation::parse(arguments).map_err(|error| error.to_string())?;
        Ok(invocation.wish)
    }

    #[test]
    fn an_import_names_format_and_file() {
        let arguments = ["import", "--from", "nedb", "x.db", "--store", "main"];
        let Ok(Wish::Import(request)) = wish(&arguments) else {
            panic!("an import");
        };
        assert_eq!(request.format, Format::Nedb);
        assert_eq!(request.file, PathBuf::from("x.db"));
        assert_eq!(request.store.as_deref(), Some("main"));
        assert_eq!(request.system, SystemItems::Needed);
        let error = wish(&["import", "x.db"]).unwrap_err();
        assert!(error.contains("--from"), "{error}");
        let error = wish(&["import", "--from", "mongo", "x.db"]).unwrap_err();
        assert!(error.contains("loki, nedb, jsonl"), "{error}");
    }

    #[test]
    fn an_export_takes_everything_unless_told() {
        let Ok(Wish::Export(request)) = wish(&["export", "--data", "x.sqlite", "-"]) else {
            panic!("an export");
        };
        assert_eq!(
            (request.mask.as_str(), &request.to),
            ("*", &ExportTo::Output)
        );
        let Ok(Wish::Export(request)) = wish(&["export", "--path", "/a/*", "out.jsonl"]) else {
            panic!("an export");
        };
        assert_eq!(request.mask, "/a/*");
        assert_eq!(request.to, ExportTo::File("out.jsonl".into()));
        assert!(wish(&["export"]).is_err());
    }
}
