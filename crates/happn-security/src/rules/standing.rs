//! The node's own paths, which no rule opens.

use super::rule::Rule;

/// Whose rules are compiled, as far as the node's own paths are concerned: its users, groups,
/// hashes and secrets, the list of its nodes, and what they tell each other. The node itself asks
/// nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// They do not exist for him, whatever his rules say.
    #[default]
    Ordinary,
    /// A member of the group of administrators may read them. Writing takes the administration's
    /// own ways, which check what is written.
    Admin,
}

const OWN_PATHS: [&str; 3] = ["/_SYSTEM", "/SYSTEM/DEPLOYMENT", "/__REPLICATE"];

impl Standing {
    /// The prohibits that keep the node's own paths closed.
    pub(super) fn own_paths(self) -> impl Iterator<Item = Rule> {
        let closed: &[&str] = match self {
            Self::Ordinary => &["*"],
            Self::Admin => &["set", "remove"],
        };
        let masks = OWN_PATHS
            .iter()
            .flat_map(|path| [(*path).to_owned(), format!("{path}/*")]);
        masks.map(|path| Rule {
            path,
            actions: Vec::new(),
            prohibit: closed.iter().map(|action| (*action).to_owned()).collect(),
        })
    }
}
