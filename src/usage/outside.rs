//! Where the credentials of a role were used outside Lambda: a record in, the evidence out.

use super::bounded::Coarser;
use crate::trail::Record;

/// From where and under which session a call came that no Lambda runtime makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutsideKey {
    /// The user agent.
    pub agent: String,
    /// The address of the caller.
    pub address: String,
    /// The name of the session.
    pub session: String,
}

impl OutsideKey {
    /// Reads the evidence off a record.
    #[must_use]
    pub(super) fn of(record: &Record<'_>, session: Option<&str>) -> Self {
        let text = |text: Option<&str>, none: &str| text.unwrap_or(none).to_owned();
        // S3 writes the agent in square brackets.
        let agent = record.user_agent.as_deref();
        let agent = agent.map(|agent| agent.trim_matches(['[', ']']));
        Self {
            agent: text(agent, "no agent"),
            address: text(record.source_ip_address.as_deref(), "no address"),
            session: text(session, "no session name"),
        }
    }
}

impl Coarser for OutsideKey {
    const TOP: u8 = 3;

    fn on_rung(mut self, rung: u8) -> Self {
        let fields = [&mut self.address, &mut self.session, &mut self.agent];
        for field in fields.into_iter().take(usize::from(rung)) {
            "*".clone_into(field);
        }
        self
    }
}
