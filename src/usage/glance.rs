//! Records that need not be taken apart: those of roles that are passed over, of users and services, and
//! those of a shape that is known.
//!
//! In: a [`Glance`] at a record. Out: whether that was enough; the table is then the same as if the record
//! had come whole ([`Collector::record`]). What may say more, a policy changed, a function invoked, a sign
//! of Lambda on a role that is passed over, is never passed by.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::changes::may_change;
use super::collect::{Collector, identity_may_show_lambda, known_types};
use super::coverage::ManagementEvent;
use super::invoked::may_invoke;
use crate::trail::container::Sink;
use crate::trail::record::UserIdentity;
use crate::trail::{Glance, Look, Record, actor, fingerprint, outcome, time};

/// Identities remembered.
const FACES: usize = 64;
/// Fingerprints on their way from memory.
const AHEAD: usize = 16;

/// What is remembered from glance to glance.
pub(super) struct Glances {
    faces: [Face; FACES],
    /// The last agent that has no sign of Lambda.
    agent: Vec<u8>,
    copies: [Option<Copy>; AHEAD],
    next: usize,
}

/// One `userIdentity`, by the number that the decoder gave it.
#[derive(Clone, Copy, Default)]
struct Face {
    number: u64,
    digest: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Fate {
    /// Its records must be taken apart.
    #[default]
    Whole,
    /// A role that is passed over.
    PassedOver,
    /// No role.
    Other,
    /// Lambda in its own name: it may take a role.
    Lambda,
    /// A role of interest, and its part of the shapes.
    Role(u128),
}

/// A record that counts, once it is known whether it is a copy.
#[derive(Clone, Copy)]
struct Copy {
    fingerprint: u128,
    hour: i64,
    by_role: bool,
}

impl Default for Glances {
    fn default() -> Self {
        Self {
            faces: [Face::default(); FACES],
            agent: Vec::new(),
            copies: [None; AHEAD],
            next: 0,
        }
    }
}

impl Sink for Collector<'_> {
    fn glance(&mut self, glance: &Glance<'_>) -> bool {
        self.look(glance).is_some()
    }

    fn record(&mut self, record: &Record<'_>, _: &[u8]) {
        Collector::record(self, record);
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn shows_lambda(bytes: &[u8]) -> bool {
    static FIND: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("lambda"));
    FIND.find(bytes).is_some()
}

/// Whether an event may change a policy.
fn changes(source: &[u8], name: &[u8]) -> bool {
    // What most events begin with changes none.
    !matches!(
        name.first_chunk::<3>(),
        Some(
            b"Get"
                | b"Lis"
                | b"Des"
                | b"Hea"
                | b"Que"
                | b"Rec"
                | b"Sen"
                | b"Bat"
                | b"Dec"
                | b"Gen"
                | b"Inv"
        )
    ) && match (text(source), text(name)) {
        (Some(source), Some(name)) => may_change(source, name),
        _ => true,
    }
}

/// Whether an event may say something of the doors around a role.
fn may_open(source: &[u8], name: &[u8]) -> bool {
    changes(source, name)
        || name.starts_with(b"Invoke")
            && text(source).is_none_or(|source| may_invoke(source, "Invoke"))
}

fn was_refused(glance: &Glance<'_>) -> bool {
    let Some(code) = glance.error() else {
        return false;
    };
    let message = glance.error_message().unwrap_or_default();
    match (text(code), text(message), text(glance.name())) {
        (Some(code), Some(message), Some(name)) => outcome::is_denial(code, message, name),
        _ => true,
    }
}

impl Collector<'_> {
    /// Adds a record, if a glance is enough: `None`, and nothing is added, where it is not.
    #[inline]
    fn look(&mut self, glance: &Glance<'_>) -> Option<()> {
        let face = self.face(glance);
        let (source, name) = (glance.source(), glance.name());
        let took = face.fate == Fate::Lambda && source == b"sts.amazonaws.com";
        let whole = match face.fate {
            Fate::Whole => true,
            Fate::PassedOver => may_open(source, name) || self.may_show_lambda(glance),
            Fate::Other => may_open(source, name),
            Fate::Lambda => may_open(source, name) || took && glance.error().is_some(),
            // Whom it invoked is part of what is remembered of a shape.
            Fate::Role(_) => changes(source, name),
        };
        if whole {
            return None;
        }
        let data = glance.category() == Some(b"Data");
        let listed = data && glance.resources().any(|[_, _, kind]| kind.is_some());
        if data && !listed {
            known_types(&self.data_types, source, name)?;
        }
        let when = glance.time().and_then(time::epoch_seconds_of);
        let hour = when.unwrap_or_default().div_euclid(3_600);
        let account = glance.recipient().or(glance.identity_account());
        let region = glance.region();
        if !self.selection.selects_all()
            && !self
                .selection
                .selects(account.and_then(text), region.and_then(text), || when)
        {
            self.records.read += 1;
            self.records.other += 1;
            return Some(());
        }
        let fingerprint = fingerprint::of(glance, face.digest, self.key);
        if let Some(fingerprint) = fingerprint {
            self.dedupe.fetch(fingerprint);
        }
        let by_role = !matches!(face.fate, Fate::Other | Fate::Lambda);
        let found = match face.fate {
            Fate::Role(identity) => {
                let refused = was_refused(glance);
                Some(self.pending.find(glance, identity, refused)?)
            }
            Fate::Lambda if took => Some(self.pending.find_taking(glance)?),
            _ => None,
        };
        if let Some(found) = found {
            self.records.read += 1;
            if fingerprint.is_some_and(|print| !self.dedupe.first(print, hour)) {
                self.records.duplicate += 1;
                return Some(());
            }
            self.count(by_role);
            self.pending.add(&found, when, glance.id().and_then(text));
            if self.pending.is_full() {
                self.pending.settle(&mut self.table);
            }
        } else {
            self.records.read += 1;
            match fingerprint {
                // A copy covers what the first did, so nobody waits for the answer.
                Some(fingerprint) => self.decide_later(Copy {
                    fingerprint,
                    hour,
                    by_role,
                }),
                None => self.count(by_role),
            }
        }
        let (Some(account), Some(region)) = (account, region) else {
            return Some(());
        };
        let place = self.place(account, region);
        place.add(when);
        if data && !listed {
            let kinds = known_types(&self.data_types, source, name).unwrap_or_default();
            for kind in kinds {
                self.here.2.data(kind, glance.read_only(), when);
            }
        } else if data {
            for [_, _, kind] in glance.resources() {
                if let Some(kind) = kind.and_then(text) {
                    place.data(kind, glance.read_only(), when);
                }
            }
        } else {
            place.management(&ManagementEvent {
                source: text(source).unwrap_or_default(),
                name: text(name).unwrap_or_default(),
                read_only: glance.read_only(),
                failed: glance.error().is_some(),
                time: when,
            });
        }
        Some(())
    }

    fn face(&mut self, glance: &Glance<'_>) -> Face {
        let number = glance.identity_number();
        let place = number as usize % FACES;
        if let Some(face) = self.glances.faces.get(place)
            && face.number == number
        {
            return *face;
        }
        let face = glance.with_identity(|identity| Face {
            number,
            digest: fingerprint::of_identity(identity, self.key),
            fate: self.fate(identity),
        });
        let face = face.unwrap_or_default();
        if let Some(place) = self.glances.faces.get_mut(place) {
            *place = face;
        }
        face
    }

    fn fate(&mut self, identity: &UserIdentity<'_>) -> Fate {
        match identity.kind.as_deref() {
            Some("AssumedRole") => match self.passed_over_role(identity) {
                Some(role) if self.proven.contains(role) => Fate::PassedOver,
                Some(_) if identity_may_show_lambda(identity) => Fate::Whole,
                Some(_) => Fate::PassedOver,
                None => Fate::Role(self.pending.identity(identity)),
            },
            // Other places may tell.
            None => Fate::Whole,
            // Lambda may take a role.
            Some("AWSService") => match identity.invoked_by.as_deref() {
                Some(by) if actor::is_lambda(by) => Fate::Lambda,
                _ => Fate::Other,
            },
            Some(_) => Fate::Other,
        }
    }

    /// Whether a record of a role that is passed over may show that the role is Lambda's, its identity
    /// apart.
    fn may_show_lambda(&mut self, glance: &Glance<'_>) -> bool {
        static CONTEXT: LazyLock<Finder<'_>> =
            LazyLock::new(|| Finder::new("aws:lambda:FunctionArn"));
        // The runtime decrypts the environment of a function: the parameters say so, or they are missing.
        let of_kms = glance.source() == b"kms.amazonaws.com"
            && glance.parameters().is_none_or(|(json, _)| {
                CONTEXT.find(json).is_some() || memchr::memchr(b'\\', json).is_some()
            });
        let agent = glance.agent().unwrap_or_default();
        if of_kms || shows_lambda(glance.address().unwrap_or_default()) {
            return true;
        }
        if self.glances.agent == agent {
            return false;
        }
        if shows_lambda(agent) {
            return true;
        }
        self.glances.agent.clear();
        self.glances.agent.extend_from_slice(agent);
        false
    }

    fn decide_later(&mut self, copy: Copy) {
        let glances = &mut self.glances;
        let place = glances.copies.get_mut(glances.next % AHEAD);
        glances.next = glances.next.wrapping_add(1);
        let before = place.and_then(|place| place.replace(copy));
        if let Some(before) = before {
            self.decide(before);
        }
    }

    fn decide(&mut self, copy: Copy) {
        if self.dedupe.first(copy.fingerprint, copy.hour) {
            self.count(copy.by_role);
        } else {
            self.records.duplicate += 1;
        }
    }

    fn count(&mut self, by_role: bool) {
        match by_role {
            true => self.records.by_role += 1,
            false => self.records.other += 1,
        }
    }

    /// Decides on every record that waits.
    pub(super) fn decide_copies(&mut self) {
        for place in 0..AHEAD {
            let copy = self.glances.copies.get_mut(place).and_then(Option::take);
            if let Some(copy) = copy {
                self.decide(copy);
            }
        }
    }
}

#[cfg(test)]
mod tests;
