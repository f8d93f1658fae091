//! What can be done with lookup tables and lookup permissions.

use std::sync::Arc;

use happn_core::{Query, WriteMode};
use happn_paths::StoreGlob;
use happn_protocol::Json;
use serde_json::json;

use super::change::Change;
use super::error::DirectoryError;
use super::lookup::{LookupPermission, LookupTable, check_path};
use super::names::{GroupName, TableName};
use super::{Directory, Inner, paths};
use crate::rules::TableQuestion;

impl Directory {
    /// The paths of a table; remembered. A table without paths is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn lookup_table(&self, name: &TableName) -> Result<Arc<[String]>, DirectoryError> {
        let load = async { Ok(self.0.stored_entries(name).await?.into()) };
        let cache = &self.0.caches.tables;
        self.0.cached(cache, name.as_str(), load).await
    }

    /// Whether the table has exactly this path, which is taken as text; remembered. Slashes in
    /// front do not count.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn is_in_table(&self, name: &TableName, path: &str) -> Result<bool, DirectoryError> {
        let entry = paths::entry(name, path);
        let load = async {
            let stored = self.0.records.get(&entry).await?;
            Ok(stored.is_some_and(|document| is_authorised(&document)))
        };
        self.0.cached(&self.0.caches.entries, &entry, load).await
    }

    /// Whether a table has what a permission asks it for; remembered.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn answers(&self, question: &TableQuestion) -> Result<bool, DirectoryError> {
        // A name that no table can have is that of a table without entries.
        let Ok(table) = TableName::new(&question.table) else {
            return Ok(false);
        };
        match question.entry.exact() {
            Some(entry) => self.is_in_table(&table, entry).await,
            None => {
                let entries = self.lookup_table(&table).await?;
                Ok(entries.iter().any(|entry| question.entry.matches(entry)))
            }
        }
    }

    /// The lookup permissions of a group; remembered.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn lookup_permissions(
        &self,
        group: &GroupName,
    ) -> Result<Arc<[LookupPermission]>, DirectoryError> {
        let load = async { Ok(self.0.stored_lookups(group).await?.into()) };
        let cache = &self.0.caches.lookups;
        self.0.cached(cache, group.as_str(), load).await
    }

    /// The names of all tables with paths, in order.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_lookup_tables(&self) -> Result<Vec<TableName>, DirectoryError> {
        let query = Query {
            paths_only: true,
            ..Query::all(StoreGlob::new(&format!("{}*", paths::TABLES)))
        };
        let documents = self.0.records.find(query).await?;
        let mut names: Vec<TableName> = documents
            .iter()
            .filter_map(|document| paths::table_of(&document.path))
            .collect();
        names.dedup();
        Ok(names)
    }

    /// Adds the paths of `table` to those stored.
    ///
    /// # Errors
    /// When a path is not valid (nothing is changed then), a group has that name, or the store
    /// does not answer.
    pub async fn upsert_lookup_table(&self, table: LookupTable) -> Result<(), DirectoryError> {
        self.carry(move |inner| async move { inner.add_entries(&table.name, &table.paths).await })
            .await
    }

    /// Adds one path to a table.
    ///
    /// # Errors
    /// As [`Directory::upsert_lookup_table`].
    pub async fn insert_lookup_path(
        &self,
        table: &TableName,
        path: &str,
    ) -> Result<(), DirectoryError> {
        let (table, path) = (table.clone(), path.to_owned());
        self.carry(move |inner| async move { inner.add_entries(&table, &[path]).await })
            .await
    }

    /// Takes one path out of a table, and answers whether it was in there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove_lookup_path(
        &self,
        table: &TableName,
        path: &str,
    ) -> Result<bool, DirectoryError> {
        let (table, path) = (table.clone(), path.to_owned());
        self.carry(move |inner| async move {
            let removed = inner.records.remove(&paths::entry(&table, &path)).await?;
            inner.announce_table(&table).await?;
            Ok(removed > 0)
        })
        .await
    }

    /// Takes all paths out of a table, and answers how many there were. Permissions that ask it
    /// stay, and find nothing.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn delete_lookup_table(&self, table: &TableName) -> Result<u64, DirectoryError> {
        let table = table.clone();
        self.carry(move |inner| async move {
            let mask = format!("{}*", paths::entries_of(&table));
            let removed = inner.records.remove_all(&mask).await?;
            inner.announce_table(&table).await?;
            Ok(removed)
        })
        .await
    }

    /// Gives a group a lookup permission; one that it has already is not stored again. Answers
    /// whether it is new.
    ///
    /// # Errors
    /// When it is not valid, there is no such group or table and group share a name, or the store
    /// does not answer.
    pub async fn upsert_lookup_permission(
        &self,
        group: &GroupName,
        permission: LookupPermission,
    ) -> Result<bool, DirectoryError> {
        let group = group.clone();
        self.carry(move |inner| async move { inner.add_lookup(&group, permission).await })
            .await
    }

    /// Takes a lookup permission from a group, and answers whether it had it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove_lookup_permission(
        &self,
        group: &GroupName,
        permission: &LookupPermission,
    ) -> Result<bool, DirectoryError> {
        let (group, permission) = (group.clone(), permission.clone());
        self.carry(move |inner| async move {
            let table = &permission.table;
            inner
                .drop_lookups(&group, table, |kept| *kept == permission)
                .await
        })
        .await
    }

    /// Takes all lookup permissions that ask `table` from a group, and answers whether there were
    /// any.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove_all_table_permission(
        &self,
        group: &GroupName,
        table: &TableName,
    ) -> Result<bool, DirectoryError> {
        let (group, table) = (group.clone(), table.clone());
        self.carry(move |inner| async move { inner.drop_lookups(&group, &table, |_| true).await })
            .await
    }
}

impl Inner {
    async fn stored_entries(&self, table: &TableName) -> Result<Vec<String>, DirectoryError> {
        let prefix = paths::entries_of(table);
        let documents = self.records.below(&prefix).await?;
        let authorised = documents.iter().filter(|document| is_authorised(document));
        let paths = authorised.filter_map(|document| document.path.strip_prefix(&prefix));
        Ok(paths.map(str::to_owned).collect())
    }

    async fn stored_lookups(
        &self,
        group: &GroupName,
    ) -> Result<Vec<LookupPermission>, DirectoryError> {
        let documents = self
            .records
            .below(&paths::lookups_of(group.as_str()))
            .await?;
        Ok(documents
            .iter()
            .flat_map(LookupPermission::read_all)
            .collect())
    }

    /// # Errors
    /// When there is a table of that name.
    pub(super) async fn expect_no_table(&self, name: &str) -> Result<(), DirectoryError> {
        let Ok(table) = TableName::new(name) else {
            return Ok(());
        };
        let query = Query {
            limit: Some(1),
            paths_only: true,
            ..Query::all(StoreGlob::new(&format!("{}*", paths::entries_of(&table))))
        };
        match self.records.find(query).await?.is_empty() {
            true => Ok(()),
            false => Err(DirectoryError::SharedName(name.to_owned())),
        }
    }

    async fn expect_no_group(&self, table: &TableName) -> Result<(), DirectoryError> {
        match GroupName::new(table.as_str()) {
            Ok(group) if self.group(&group).await?.is_none() => Ok(()),
            _ => Err(DirectoryError::SharedName(table.to_string())),
        }
    }

    async fn add_entries(&self, table: &TableName, paths: &[String]) -> Result<(), DirectoryError> {
        for path in paths {
            check_path(path)?;
        }
        self.expect_no_group(table).await?;
        let data = Json::from_static(r#"{"authorized":true}"#);
        for path in paths {
            let entry = paths::entry(table, path);
            let write = self.records.write(&entry, data.clone(), WriteMode::Replace);
            write.await?;
        }
        self.announce_table(table).await
    }

    /// Tells that the paths of a table changed.
    async fn announce_table(&self, table: &TableName) -> Result<(), DirectoryError> {
        let prefix = paths::lookups_of(table.as_str());
        let uses = self.records.below(&prefix).await?;
        let groups = uses
            .iter()
            .filter_map(|document| GroupName::new(document.path.strip_prefix(&prefix)?).ok());
        self.announce(Change::table(table, groups.collect())).await;
        Ok(())
    }

    async fn add_lookup(
        &self,
        group: &GroupName,
        permission: LookupPermission,
    ) -> Result<bool, DirectoryError> {
        permission.check()?;
        self.expect_group(group).await?;
        self.expect_no_group(&permission.table).await?;
        let table = permission.table.clone();
        let mut stored = self.lookups_of_table(group, &table).await?;
        if stored.contains(&permission) {
            return Ok(false);
        }
        stored.push(permission);
        self.store_lookups(group, &table, &stored).await?;
        self.announce(Change::lookup_permission(group, &table))
            .await;
        Ok(true)
    }

    async fn drop_lookups(
        &self,
        group: &GroupName,
        table: &TableName,
        is_meant: impl Fn(&LookupPermission) -> bool,
    ) -> Result<bool, DirectoryError> {
        let mut stored = self.lookups_of_table(group, table).await?;
        let before = stored.len();
        stored.retain(|permission| !is_meant(permission));
        if stored.len() == before {
            return Ok(false);
        }
        self.store_lookups(group, table, &stored).await?;
        self.announce(Change::lookup_permission(group, table)).await;
        Ok(true)
    }

    async fn lookups_of_table(
        &self,
        group: &GroupName,
        table: &TableName,
    ) -> Result<Vec<LookupPermission>, DirectoryError> {
        let stored = self.records.get(&paths::lookup(group, table)).await?;
        Ok(stored
            .as_ref()
            .map(LookupPermission::read_all)
            .unwrap_or_default())
    }

    async fn store_lookups(
        &self,
        group: &GroupName,
        table: &TableName,
        permissions: &[LookupPermission],
    ) -> Result<(), DirectoryError> {
        let (own, reverse) = (paths::lookup(group, table), paths::table_use(table, group));
        if permissions.is_empty() {
            self.records.remove(&own).await?;
            self.records.remove(&reverse).await?;
            return Ok(());
        }
        let data = Json::encode(&json!({ "permissions": permissions }));
        let data = data.unwrap_or(Json::EMPTY_OBJECT);
        self.records
            .write(&reverse, Json::EMPTY_OBJECT, WriteMode::Replace)
            .await?;
        self.records.write(&own, data, WriteMode::Replace).await?;
        Ok(())
    }

    /// Removes all lookup permissions of a group, without telling anybody.
    pub(super) async fn remove_lookups(&self, group: &GroupName) -> Result<(), DirectoryError> {
        let prefix = paths::lookups_of(group.as_str());
        for document in self.records.below(&prefix).await? {
            let table = document.path.strip_prefix(&prefix).map(TableName::new);
            if let Some(Ok(table)) = table {
                self.store_lookups(group, &table, &[]).await?;
            }
        }
        Ok(())
    }
}

fn is_authorised(document: &happn_core::Document) -> bool {
    let members = happn_protocol::Members::parse(document.data.as_str());
    let authorised =
        members.and_then(|members| members.get("authorized").map(|raw| raw.get() == "true"));
    authorised.unwrap_or_default()
}
