//! Reading a configuration file.

use std::path::Path;

use serde_json::Value;

use crate::config::problem::Problem;

/// The largest file read. A configuration is a page; more is a mistake, such as a device.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The file's content as a tree, read by the extension of its name.
pub(crate) fn read(path: &Path) -> Result<Value, Problem> {
    let failed = |reason: String| Problem::File {
        file: path.display().to_string(),
        reason,
    };
    let text = text(path).map_err(failed)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let parsed = match extension {
        // JSON5 contains JSON, and a comment in a .json file is no reason to refuse it.
        Some("json" | "json5") => json5::from_str(&text).map_err(|error| error.to_string()),
        Some("toml") => toml::from_str(&text).map_err(|error| error.to_string()),
        _ => Err("the name must end in .json, .json5 or .toml".into()),
    };
    parsed.map_err(|reason| failed(reason.trim_end().to_owned()))
}

fn text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(format!("it has {size} bytes, more than {FILE_BYTES_MAX}"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
