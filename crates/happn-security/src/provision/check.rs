//! Whether what the file says can be done.

use std::collections::HashSet;

use super::file::{Problem, Provision, ProvisionGroup, ProvisionTable, ProvisionUser};
use crate::directory::{Directory, DirectoryError, GroupName, PermissionSet, TableName, UserName};

/// Everything that is wrong whatever the directory holds.
pub(super) fn file(provision: &Provision) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, group) in provision.groups.iter().enumerate() {
        check_group(&format!("groups[{at}]"), group, &mut problems);
    }
    for (at, user) in provision.users.iter().enumerate() {
        check_user(&format!("users[{at}]"), user, &mut problems);
    }
    for (at, table) in provision.lookup_tables.iter().enumerate() {
        check_table(&format!("lookupTables[{at}]"), table, &mut problems);
    }
    let groups = provision.groups.iter().map(|group| group.name.as_str());
    twice("groups", groups.clone(), &mut problems);
    let users = provision.users.iter().map(|user| user.username.as_str());
    twice("users", users, &mut problems);
    let tables = provision
        .lookup_tables
        .iter()
        .map(|table| table.name.as_str());
    twice("lookupTables", tables.clone(), &mut problems);
    let groups: HashSet<&str> = groups.collect();
    for (at, shared) in tables
        .enumerate()
        .filter(|(_, table)| groups.contains(table))
    {
        let error = DirectoryError::SharedName(shared.to_owned());
        problems.push(Problem::new(&format!("lookupTables[{at}].name"), error));
    }
    problems
}

fn check_group(place: &str, group: &ProvisionGroup, problems: &mut Vec<Problem>) {
    if let Err(error) = GroupName::for_upsert(&group.name) {
        problems.push(Problem::new(&format!("{place}.name"), error));
    }
    check_rules(place, &group.permissions, problems);
}

fn check_user(place: &str, user: &ProvisionUser, problems: &mut Vec<Problem>) {
    if let Err(error) = UserName::for_upsert(&user.username) {
        problems.push(Problem::new(&format!("{place}.username"), error));
    }
    if user
        .password
        .as_ref()
        .is_some_and(|it| it.reveal().is_empty())
    {
        let text = "a password must not be empty";
        problems.push(Problem::new(&format!("{place}.password"), text));
    }
    for (at, group) in user.groups.iter().enumerate() {
        if let Err(error) = GroupName::new(group) {
            problems.push(Problem::new(&format!("{place}.groups[{at}]"), error));
        }
    }
    check_rules(place, &user.permissions, problems);
}

fn check_table(place: &str, table: &ProvisionTable, problems: &mut Vec<Problem>) {
    let name = match TableName::new(&table.name) {
        Ok(name) => name,
        Err(error) => return problems.push(Problem::new(&format!("{place}.name"), error)),
    };
    for (at, path) in table.paths.iter().enumerate() {
        if let Err(error) = crate::directory::check_lookup_path(path) {
            problems.push(Problem::new(&format!("{place}.paths[{at}]"), error));
        }
    }
    for (at, lookup) in table.permissions.iter().enumerate() {
        let place = format!("{place}.permissions[{at}]");
        if let Err(error) = GroupName::new(&lookup.group) {
            problems.push(Problem::new(&format!("{place}.group"), error));
        }
        if let Err(error) = lookup.in_table(name.clone()).check() {
            problems.push(Problem::new(&place, error));
        }
    }
}

fn check_rules(place: &str, rules: &PermissionSet, problems: &mut Vec<Problem>) {
    let place = format!("{place}.permissions");
    let wrong = rules.problems().into_iter();
    problems.extend(wrong.map(|text| Problem::new(&place, text)));
}

fn twice<'a>(list: &str, names: impl Iterator<Item = &'a str>, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            let text = format!("{name} is in the list already");
            problems.push(Problem::new(&format!("{list}[{at}]"), text));
        }
    }
}

/// Everything that is wrong with what the directory holds.
pub(super) async fn against(
    provision: &Provision,
    directory: &Directory,
) -> Result<Vec<Problem>, DirectoryError> {
    let mut problems = Vec::new();
    for (at, user) in provision.users.iter().enumerate() {
        let place = format!("users[{at}]");
        let is_keyless = user.password.is_none() && user.public_key.is_none();
        if is_keyless && directory.user(&user.username).await?.is_none() {
            problems.push(Problem::new(&place, DirectoryError::NoCredentials));
        }
        for (at, group) in user.groups.iter().enumerate() {
            let place = format!("{place}.groups[{at}]");
            expect_group(provision, directory, (&place, group), &mut problems).await?;
        }
    }
    for (at, table) in provision.lookup_tables.iter().enumerate() {
        let place = format!("lookupTables[{at}]");
        if group_exists(directory, &table.name).await? {
            let error = DirectoryError::SharedName(table.name.clone());
            problems.push(Problem::new(&format!("{place}.name"), error));
        }
        for (at, lookup) in table.permissions.iter().enumerate() {
            let place = format!("{place}.permissions[{at}].group");
            let group = (place.as_str(), lookup.group.as_str());
            expect_group(provision, directory, group, &mut problems).await?;
        }
    }
    let tables = directory.list_lookup_tables().await?;
    for (at, group) in provision.groups.iter().enumerate() {
        if tables.iter().any(|table| table.as_str() == group.name) {
            let error = DirectoryError::SharedName(group.name.clone());
            problems.push(Problem::new(&format!("groups[{at}].name"), error));
        }
    }
    Ok(problems)
}

async fn expect_group(
    provision: &Provision,
    directory: &Directory,
    (place, group): (&str, &str),
    problems: &mut Vec<Problem>,
) -> Result<(), DirectoryError> {
    let is_made = provision.groups.iter().any(|made| made.name == group);
    if !is_made && !group_exists(directory, group).await? {
        let text = format!("there is no group {group}, neither here nor stored");
        problems.push(Problem::new(place, text));
    }
    Ok(())
}

async fn group_exists(directory: &Directory, name: &str) -> Result<bool, DirectoryError> {
    match GroupName::new(name) {
        Ok(name) => Ok(directory.group(&name).await?.is_some()),
        Err(_) => Ok(false),
    }
}
