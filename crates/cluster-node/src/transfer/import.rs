//! From a file into stores.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use happn_core::{DataService, DataStore, Document, StoreError, StoreFuture, Write, WriteMode};
use happn_paths::Path;
use tokio::sync::mpsc;

use crate::config::{DataSettings, Provider};
use crate::stores;
use crate::transfer::source::{self, Finder, Format, Found, Skip};
use crate::transfer::{Imported, Progress, TransferError};

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// How the file is written.
    pub format: Format,
    /// The file.
    pub file: PathBuf,
    /// The store that takes all documents; without one, each goes where its path is routed.
    pub store: Option<String>,
    /// Which documents of the server itself are taken.
    pub system: SystemItems,
}

/// Which documents of the server itself are taken: those below `/_SYSTEM/` and
/// `/SYSTEM/DEPLOYMENT/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SystemItems {
    /// Users, groups, permissions, tokens; not what every node makes itself when it starts: its
    /// name, marks of indexes, keepalives.
    #[default]
    Needed,
    /// All of them.
    All,
    /// None.
    None,
}

impl SystemItems {
    fn take(self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Needed => !MADE_BY_NODES.iter().any(|made| path.starts_with(made)),
            Self::None => !is_system(path),
        }
    }
}

/// What a node makes itself.
const MADE_BY_NODES: &[&str] = &[
    "/_SYSTEM/_NETWORK/_SETTINGS/NAME",
    "/_SYSTEM/INDEXES/",
    "/SYSTEM/DEPLOYMENT/",
];

fn is_system(path: &str) -> bool {
    path.starts_with("/_SYSTEM/") || path.starts_with("/SYSTEM/DEPLOYMENT/")
}

/// What readers may be ahead of the writer.
const FOUND_AHEAD: usize = 256;

/// Writes under way; enough to fill a transaction, far below any store's queue.
const UNDER_WAY_MAX: usize = 256;

/// Writes every document of a file into the configured stores, replacing what is at its path, and
/// answers what was done. Doing it again gives the same.
///
/// Dropping the future ends the import; what was written stays.
///
/// # Errors
/// When a store or the file cannot be used. What was written until then stays.
pub async fn import(
    settings: &DataSettings,
    request: ImportRequest,
    progress: &Progress,
) -> Result<Imported, TransferError> {
    let outcome = open_and_import(settings, request, progress).await;
    progress.finish();
    outcome
}

async fn open_and_import(
    settings: &DataSettings,
    request: ImportRequest,
    progress: &Progress,
) -> Result<Imported, TransferError> {
    refuse_memory(settings, request.store.as_deref())?;
    let data = stores::open_all(settings).await?;
    let outcome = import_into(&data, volatile(settings), request, progress).await;
    data.close().await;
    outcome
}

/// The stores that end with this process.
fn volatile(settings: &DataSettings) -> Vec<&str> {
    let stores = settings.datastores.iter();
    let volatile = stores.filter(|store| store.provider == Provider::Memory);
    volatile.map(|store| store.name.as_str()).collect()
}

/// Refuses a store that would be gone at once. Stores for some of the paths may be such.
fn refuse_memory(settings: &DataSettings, store: Option<&str>) -> Result<(), TransferError> {
    let meant = settings.datastores.iter().find(|known| match store {
        Some(name) => known.name == name,
        None => known.is_default,
    });
    match meant {
        Some(store) if store.provider == Provider::Memory => Err(TransferError::Memory {
            name: store.name.clone(),
        }),
        _ => Ok(()),
    }
}

pub(crate) async fn import_into(
    data: &DataService,
    volatile: Vec<&str>,
    request: ImportRequest,
    progress: &Progress,
) -> Result<Imported, TransferError> {
    let only = match &request.store {
        Some(name) => Some(store_named(data, name)?),
        None => None,
    };
    let (sender, found) = mpsc::channel(FOUND_AHEAD);
    let reader = {
        let (format, file) = (request.format, request.file);
        let progress = progress.clone();
        tokio::task::spawn_blocking(move || {
            source::read(format, &file, &Finder::new(sender), &progress)
        })
    };
    let writer = Writer {
        data,
        volatile,
        only,
        system: request.system,
        under_way: VecDeque::new(),
        imported: Imported::default(),
    };
    let written = writer.run(found).await;
    let lines = reader.await.map_err(TransferError::Reader)?;
    let mut imported = written?;
    imported.lines = lines?;
    Ok(imported)
}

pub(crate) fn store_named(
    data: &DataService,
    name: &str,
) -> Result<Arc<dyn DataStore>, TransferError> {
    let stores = data.stores();
    let found = stores.iter().find(|(known, _)| &**known == name);
    found.map(|(_, store)| store.clone()).ok_or_else(|| {
        let names: Vec<&str> = stores.iter().map(|(name, _)| &**name).collect();
        TransferError::NoSuchStore {
            name: name.to_owned(),
            known: names.join(", "),
        }
    })
}

/// Keeps writes under way and counts.
struct Writer<'a> {
    data: &'a DataService,
    volatile: Vec<&'a str>,
    only: Option<Arc<dyn DataStore>>,
    system: SystemItems,
    under_way: VecDeque<UnderWay>,
    imported: Imported,
}

struct UnderWay {
    answer: StoreFuture<Document>,
    line: u64,
    system: bool,
}

impl Writer<'_> {
    async fn run(mut self, mut found: mpsc::Receiver<Found>) -> Result<Imported, TransferError> {
        while let Some(found) = found.recv().await {
            match found {
                Found::Skip(skip) => self.imported.skip(skip),
                Found::Document(document, line) => self.begin(document, line),
            }
            if self.under_way.len() >= UNDER_WAY_MAX {
                self.end_one().await?;
            }
        }
        while !self.under_way.is_empty() {
            self.end_one().await?;
        }
        Ok(self.imported)
    }

    fn begin(&mut self, document: Document, line: u64) {
        if !self.system.take(&document.path) {
            self.imported.left_out += 1;
            return;
        }
        match self.write(document) {
            Ok((answer, system)) => self.under_way.push_back(UnderWay {
                answer,
                line,
                system,
            }),
            Err(reason) => self.imported.skip(Skip { line, reason }),
        }
    }

    /// Hands a document to its store; also answers whether it is of the server.
    fn write(&self, document: Document) -> Result<(StoreFuture<Document>, bool), String> {
        let system = is_system(&document.path);
        let path = match system {
            // Names of users may hold any character.
            true => Path::for_own_item(&document.path),
            // Other programs may have written a star, which only removals may say.
            false => Path::for_remove(&document.path).map_err(|error| error.to_string())?,
        };
        let store = match &self.only {
            Some(store) => store.clone(),
            None => self.routed(path.as_str())?,
        };
        Ok((store.upsert(restoring(path, document)), system))
    }

    fn routed(&self, path: &str) -> Result<Arc<dyn DataStore>, String> {
        let name = self.data.store_name(path);
        match self.volatile.contains(&&*name) {
            true => Err(format!(
                "its path belongs to the memory store {name}, which only lives inside a running node"
            )),
            false => Ok(self.data.store_of(path)),
        }
    }

    /// Waits for the oldest write. A document that the store refuses is skipped; a store that does
    /// not work ends the import.
    async fn end_one(&mut self) -> Result<(), TransferError> {
        let Some(oldest) = self.under_way.pop_front() else {
            return Ok(());
        };
        match oldest.answer.await {
            Ok(_) => {
                self.imported.written += 1;
                self.imported.system += u64::from(oldest.system);
                Ok(())
            }
            Err(StoreError::Failed(reason)) => {
                let line = oldest.line;
                self.imported.skip(Skip { line, reason });
                Ok(())
            }
            Err(source) => Err(TransferError::Store {
                done: self.imported.written,
                source,
            }),
        }
    }
}

fn restoring(path: Path, document: Document) -> Write {
    let Document {
        data,
        created,
        modified,
        modified_by,
        ..
    } = document;
    Write {
        path,
        data,
        mode: WriteMode::Restore { created, modified },
        at: modified.unwrap_or_default(),
        modified_by,
    }
}
