//! Recognises files of JavaScript nodes where a SQLite file should be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::transfer::Format;

/// The format of a file that a JavaScript node wrote; none when it is something else.
pub(crate) fn format_of(file: &Path) -> Option<Format> {
    let mut head = [0; 64];
    let length = File::open(file).and_then(|mut file| file.read(&mut head));
    let head = String::from_utf8_lossy(&head[..length.ok()?]).into_owned();
    if head.starts_with(r#"{"snapshot":"#) {
        return Some(Format::Loki);
    }
    let nedb = [r#"{"_id":"#, r#"{"path":"#, r#"{"$$"#];
    nedb.iter()
        .any(|start| head.starts_with(start))
        .then_some(Format::Nedb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_javascript_nodes_are_recognised_and_others_are_not() {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/import");
        let check = |name: &str, expected: Option<Format>| {
            assert_eq!(format_of(&vectors.join(name)), expected, "{name}");
        };
        check("loki-1.3.1.db", Some(Format::Loki));
        check("nedb-1.9.1.db", Some(Format::Nedb));
        check("README.md", None);
        check("missing", None);
    }
}
