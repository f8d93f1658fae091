//! Doing what a checked file says, where it is not so already.

use super::file::{Provision, ProvisionGroup, ProvisionTable, ProvisionUser};
use super::{ProvisionError, Provisioned};
use crate::directory::{
    Directory, DirectoryError, GroupDraft, GroupName, Holder, LookupTable, PermissionSet,
    TableName, UserDraft, UserName,
};

/// What is different so far, on the way.
struct Applying<'a> {
    directory: &'a Directory,
    done: Vec<Provisioned>,
}

pub(super) async fn all(
    provision: &Provision,
    directory: &Directory,
) -> Result<Vec<Provisioned>, ProvisionError> {
    let mut applying = Applying {
        directory,
        done: Vec::new(),
    };
    match applying.run(provision).await {
        Ok(()) => Ok(applying.done),
        Err(source) => Err(ProvisionError::Directory {
            done: applying.done,
            source,
        }),
    }
}

impl Applying<'_> {
    async fn run(&mut self, provision: &Provision) -> Result<(), DirectoryError> {
        for group in &provision.groups {
            self.group(group).await?;
        }
        for user in &provision.users {
            self.user(user).await?;
        }
        for table in &provision.lookup_tables {
            self.table(table).await?;
        }
        Ok(())
    }

    fn note(&mut self, kind: &'static str, name: &str, change: impl Into<String>) {
        self.done.push(Provisioned {
            kind,
            name: name.to_owned(),
            change: change.into(),
        });
    }

    async fn group(&mut self, wanted: &ProvisionGroup) -> Result<(), DirectoryError> {
        let name = GroupName::for_upsert(&wanted.name)?;
        let Some(stored) = self.directory.group(&name).await? else {
            let mut draft = GroupDraft::new(&wanted.name).permissions(wanted.permissions.clone());
            if let Some(data) = &wanted.custom_data {
                draft = draft.custom_data(data.clone());
            }
            self.directory.upsert_group(draft, true).await?;
            self.note("group", &wanted.name, "made");
            return Ok(());
        };
        if let Some(data) = &wanted.custom_data
            && stored.custom_data() != Some(data)
        {
            // The data of a group is replaced as a whole.
            let mut draft = GroupDraft::new(&wanted.name);
            for (member, value) in stored.members() {
                draft = draft.member(member, value.clone());
            }
            let draft = draft.custom_data(data.clone());
            self.directory.upsert_group(draft, true).await?;
            self.note("group", &wanted.name, "custom_data changed");
        }
        self.rules(&Holder::Group(name), &wanted.permissions).await
    }

    async fn rules(
        &mut self,
        holder: &Holder,
        wanted: &PermissionSet,
    ) -> Result<(), DirectoryError> {
        let stored = self.directory.permissions(holder).await?;
        let missing = wanted.missing_in(&stored);
        if missing.is_empty() {
            return Ok(());
        }
        let (kind, name) = match holder {
            Holder::Group(name) => ("group", name.as_str()),
            Holder::User(name) => ("user", name.as_str()),
        };
        let paths: Vec<&str> = missing.iter().map(|(path, _)| path).collect();
        let change = format!("permissions changed on {}", paths.join(", "));
        self.directory
            .upsert_permissions(holder, missing.clone())
            .await?;
        self.note(kind, name, change);
        Ok(())
    }

    async fn user(&mut self, wanted: &ProvisionUser) -> Result<(), DirectoryError> {
        let name = self.directory.user_name(&wanted.username)?;
        match self.directory.user(&wanted.username).await? {
            None => {
                let draft = complete(wanted).permissions(wanted.permissions.clone());
                self.directory.upsert_user(draft, true).await?;
                self.note("user", name.as_str(), "made");
            }
            Some(_) => {
                self.changed_members(&name, wanted).await?;
                let holder = Holder::User(name.clone());
                self.rules(&holder, &wanted.permissions).await?;
            }
        }
        self.links(&name, &wanted.groups).await
    }

    async fn changed_members(
        &mut self,
        name: &UserName,
        wanted: &ProvisionUser,
    ) -> Result<(), DirectoryError> {
        let Some(stored) = self.directory.user(name.as_str()).await? else {
            return Ok(());
        };
        let mut draft = UserDraft::new(name.as_str());
        let mut changed = Vec::new();
        if let Some(password) = &wanted.password {
            let hash = stored.password_hash().cloned();
            let hashing = self.directory.hashing();
            if !hashing.matches(password.clone(), hash).await? {
                draft = draft.password(password.clone());
                changed.push("password");
            }
        }
        if let Some(key) = &wanted.public_key
            && stored.public_key() != Some(key)
        {
            draft = draft.public_key(key);
            changed.push("publicKey");
        }
        if let Some(data) = &wanted.custom_data
            && stored.custom_data() != Some(data)
        {
            draft = draft.custom_data(data.clone());
            changed.push("custom_data");
        }
        if !changed.is_empty() {
            self.directory.upsert_user(draft, true).await?;
            let change = format!("{} changed", changed.join(", "));
            self.note("user", name.as_str(), change);
        }
        Ok(())
    }

    async fn links(&mut self, user: &UserName, groups: &[String]) -> Result<(), DirectoryError> {
        let memberships = self.directory.memberships(user).await?;
        for group in groups.iter().filter(|group| !memberships.contains(group)) {
            let name = GroupName::new(group)?;
            self.directory.link_group(&name, user, None).await?;
            self.note("user", user.as_str(), format!("added to group {group}"));
        }
        Ok(())
    }

    async fn table(&mut self, wanted: &ProvisionTable) -> Result<(), DirectoryError> {
        let name = TableName::new(&wanted.name)?;
        let stored = self.directory.lookup_table(&name).await?;
        let is_missing = |path: &&String| {
            let entry = path.trim_start_matches('/');
            !stored.iter().any(|stored| stored == entry)
        };
        let paths: Vec<String> = wanted.paths.iter().filter(is_missing).cloned().collect();
        if !paths.is_empty() {
            let change = format!("paths added: {}", paths.join(", "));
            let name = name.clone();
            let table = LookupTable { name, paths };
            self.directory.upsert_lookup_table(table).await?;
            self.note("lookup table", &wanted.name, change);
        }
        for lookup in &wanted.permissions {
            let group = GroupName::new(&lookup.group)?;
            let permission = lookup.in_table(name.clone());
            let added = self.directory.upsert_lookup_permission(&group, permission);
            if added.await? {
                let change = format!("lookup permission on table {name} added");
                self.note("group", &lookup.group, change);
            }
        }
        Ok(())
    }
}

fn complete(wanted: &ProvisionUser) -> UserDraft {
    let mut draft = UserDraft::new(&wanted.username);
    if let Some(password) = &wanted.password {
        draft = draft.password(password.clone());
    }
    if let Some(key) = &wanted.public_key {
        draft = draft.public_key(key);
    }
    if let Some(data) = &wanted.custom_data {
        draft = draft.custom_data(data.clone());
    }
    draft
}
