//! From stores into a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use happn_core::{DataService, DataStore, Query, StoreError};
use happn_paths::StoreGlob;

use crate::config::DataSettings;
use crate::stores;
use crate::transfer::import::store_named;
use crate::transfer::summary::count;
use crate::transfer::{Progress, TransferError, jsonl};

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// Which documents: a path, or a mask as for `get`.
    pub mask: String,
    /// The store to read; without one, every store, and of each the documents whose paths are
    /// routed to it, which is what clients see.
    pub store: Option<String>,
    /// Where to.
    pub to: ExportTo,
}

/// Where an export goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportTo {
    /// A file; it appears when it is complete and replaces one of that name.
    File(PathBuf),
    /// Standard output.
    Output,
}

/// What an export did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Documents written.
    pub documents: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl std::fmt::Display for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let documents = count(self.documents, "document");
        write!(f, "exported {documents}, {}", count(self.bytes, "byte"))
    }
}

/// Writes documents, one a line, ordered by path within each store. Dropping the future leaves no
/// file behind.
///
/// # Errors
/// When a store or the file cannot be used.
pub async fn export(
    settings: &DataSettings,
    request: &ExportRequest,
    progress: &Progress,
) -> Result<Exported, TransferError> {
    let outcome = open_and_export(settings, request, progress).await;
    progress.finish();
    outcome
}

async fn open_and_export(
    settings: &DataSettings,
    request: &ExportRequest,
    progress: &Progress,
) -> Result<Exported, TransferError> {
    let data = stores::open_all(settings).await?;
    let outcome = export_from(&data, request, progress).await;
    data.close().await;
    outcome
}

pub(crate) async fn export_from(
    data: &DataService,
    request: &ExportRequest,
    progress: &Progress,
) -> Result<Exported, TransferError> {
    let mut stores = data.stores();
    if let Some(name) = &request.store {
        let only = store_named(data, name)?;
        stores.retain(|(_, store)| Arc::ptr_eq(store, &only));
    }
    progress.documents();
    let mut output = Output::open(&request.to)?;
    let mask = StoreGlob::new(&request.mask);
    let mut exported = Exported::default();
    for (name, store) in stores {
        let seen = |path: &str| request.store.is_some() || data.store_name(path) == name;
        write_store(&store, &mask, seen, &mut output, &mut exported, progress).await?;
    }
    output.finish()?;
    Ok(exported)
}

async fn write_store(
    store: &Arc<dyn DataStore>,
    mask: &StoreGlob,
    seen: impl Fn(&str) -> bool,
    output: &mut Output,
    exported: &mut Exported,
    progress: &Progress,
) -> Result<(), TransferError> {
    let failed = |exported: &Exported, source: StoreError| TransferError::Store {
        done: exported.documents,
        source,
    };
    let mut documents = store.find(Query::all(mask.clone()));
    let mut lines = Vec::new();
    loop {
        let batch = documents.next_batch().await;
        let Some(batch) = batch.map_err(|error| failed(exported, error))? else {
            break;
        };
        lines.clear();
        for document in batch.iter().filter(|document| seen(&document.path)) {
            jsonl::write(&mut lines, document);
            exported.documents += 1;
            progress.advance(1);
        }
        output.write(&lines)?;
        exported.bytes += lines.len() as u64;
    }
    Ok(())
}

/// A file in the making, or standard output.
struct Output {
    target: Target,
    writer: BufWriter<Box<dyn Write + Send>>,
}

enum Target {
    Output,
    /// The name it shall have, and the file until it is complete.
    File(PathBuf, Unfinished),
}

/// A file that vanishes unless it gets another name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is gone already when it was complete.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Output {
    fn open(to: &ExportTo) -> Result<Self, TransferError> {
        let (target, writer): (_, Box<dyn Write + Send>) = match to {
            ExportTo::Output => (Target::Output, Box::new(io::stdout())),
            ExportTo::File(file) => {
                let mut unfinished = file.clone().into_os_string();
                unfinished.push(".unfinished");
                let unfinished = PathBuf::from(unfinished);
                let opened = File::create(&unfinished);
                let opened = opened.map_err(|error| failed(&unfinished, error))?;
                let unfinished = Unfinished(unfinished);
                (Target::File(file.clone(), unfinished), Box::new(opened))
            }
        };
        let writer = BufWriter::with_capacity(256 * 1024, writer);
        Ok(Self { target, writer })
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), TransferError> {
        let written = self.writer.write_all(lines);
        written.map_err(|error| failed(self.target.name(), error))
    }

    fn finish(mut self) -> Result<(), TransferError> {
        let flushed = self.writer.flush();
        flushed.map_err(|error| failed(self.target.name(), error))?;
        match self.target {
            Target::Output => Ok(()),
            Target::File(file, unfinished) => {
                std::fs::rename(&unfinished.0, &file).map_err(|error| failed(&file, error))
            }
        }
    }
}

impl Target {
    fn name(&self) -> &Path {
        match self {
            Self::Output => Path::new("standard output"),
            Self::File(_, unfinished) => &unfinished.0,
        }
    }
}

fn failed(file: &Path, source: io::Error) -> TransferError {
    TransferError::File {
        file: file.to_owned(),
        source,
    }
}
