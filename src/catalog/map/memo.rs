//! Mapping by heart: functions make the same call over and over.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Mapping;
use crate::catalog::Catalog;
use crate::trail::Record;

/// Calls remembered before all are forgotten, and the longest that is remembered: some MB.
const MOST: usize = 4096;
const LONGEST: usize = 1024;

/// [`Catalog::map`] for many records, each distinct call mapped once. One a worker.
#[derive(Debug)]
pub struct Memo<'c> {
    catalog: &'c Catalog,
    known: HashMap<Vec<u8>, Mapping, RandomState>,
    /// Everything of the last record that the mapping reads.
    key: Vec<u8>,
}

impl<'c> Memo<'c> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            known: HashMap::default(),
            key: Vec::new(),
        }
    }

    /// The requests of one record, the same as [`Catalog::map`] gives.
    pub fn map(&mut self, record: &Record<'_>) -> Mapping {
        self.read(record);
        if self.key.len() > LONGEST {
            return self.catalog.map(record);
        }
        if let Some(mapping) = self.known.get(&self.key) {
            return mapping.clone();
        }
        let mapping = self.catalog.map(record);
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(self.key.clone(), mapping.clone());
        mapping
    }

    /// Fills the key. Whatever a rule reads of a record must be in it.
    fn read(&mut self, record: &Record<'_>) {
        self.key.clear();
        let identity = &record.user_identity;
        let issuer = identity.session_context.as_ref();
        let issuer = issuer.and_then(|context| context.session_issuer.as_ref());
        let params = record.request_parameters;
        let texts = [
            Some(&*record.event_source),
            Some(&*record.event_name),
            record.event_type.as_deref(),
            record.event_category.as_deref(),
            record.aws_region.as_deref(),
            record.recipient_account_id.as_deref(),
            identity.kind.as_deref(),
            identity.account_id.as_deref(),
            identity.arn.as_deref(),
            identity.invoked_by.as_deref(),
            issuer.and_then(|issuer| issuer.arn.as_deref()),
            params.map(crate::trail::record::RawJson::get),
        ];
        let entries = record.resources.iter();
        let entries = entries.flat_map(|entry| [entry.arn.as_deref(), entry.arn_prefix.as_deref()]);
        for text in texts.into_iter().chain(entries) {
            // Absent and empty are told apart, and no text runs into the next.
            if let Some(text) = text {
                self.key.extend_from_slice(&text.len().to_le_bytes());
                self.key.extend_from_slice(text.as_bytes());
            } else {
                self.key.extend_from_slice(&usize::MAX.to_le_bytes());
            }
        }
    }
}
