//! Usage, catalog and grants become a proposal.
