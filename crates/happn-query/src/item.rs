//! What a question is asked about.

use std::borrow::Cow;

use crate::Value;

/// One stored item.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its path.
    pub path: &'a str,
    /// Ms since 1970.
    pub created: Option<i64>,
    /// Ms since 1970.
    pub modified: Option<i64>,
    /// Who wrote it last.
    pub modified_by: Option<&'a str>,
    /// The JSON of an object.
    pub data: &'a str,
}

impl<'a> Item<'a> {
    /// The item without its data, for questions that do not read it: parsing it is most of the
    /// work.
    #[must_use]
    pub fn without_data(&self) -> Self {
        Self {
            data: "{}",
            ..*self
        }
    }

    /// The item as the document that MongoDB would hold: what criteria, sorts and pipelines name
    /// the fields of.
    #[must_use]
    pub fn document(&self) -> Value<'a> {
        let mut members = Vec::with_capacity(6);
        let mut member = |name, value| members.push((Cow::Borrowed(name), value));
        member("_id", Value::Id(id_of(self.path)));
        member("path", Value::Text(Cow::Borrowed(self.path)));
        if let Some(created) = self.created {
            member("created", Value::Integer(created));
        }
        member("data", Value::parse(self.data));
        if let Some(modified) = self.modified {
            member("modified", Value::Integer(modified));
        }
        if let Some(author) = self.modified_by {
            member("modifiedBy", Value::Text(Cow::Borrowed(author)));
        }
        Value::Object(members)
    }
}

/// An identity that stays with the path: the stores that are searched here keep none.
fn id_of(path: &str) -> [u8; 12] {
    /// The FNV-1a hash for 128 bits.
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = path.bytes().fold(START, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    let mut id = [0; 12];
    id.copy_from_slice(&hash.to_be_bytes()[4..]);
    id
}
