//! What several test files need: a directory that is removed with its value, and writes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use happn_core::{Increment, Write, WriteMode};
use happn_paths::Path;
use happn_protocol::Json;

pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("happn-store-sqlite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn write(path: &str, data: &str) -> Write {
    Write {
        path: Path::for_set(path).unwrap(),
        data: Json::parse(data).unwrap(),
        mode: WriteMode::Replace,
        at: 1000,
        modified_by: None,
    }
}

pub(crate) fn increment(path: &str) -> Increment {
    Increment {
        path: Path::for_set(path).unwrap(),
        gauge: "counter".into(),
        by: 1.into(),
    }
}
