//! `rolefit apply` and `rolefit rollback`: the steps of a [`Change`], taken through the SDK.
//!
//! The role is read before each step and must be what it is on paper at that point, else the run stops there and
//! goes back. What is on paper was proven before: see [`crate::render::Change`].

mod live;

use std::time::Duration;

use aws_sdk_iam::Client;

use super::{AwsError, Session};
use crate::render::{Change, RoleState, Step};

pub use live::read_role;

/// How often a role is read until it shows what was done to it: IAM may take a moment.
const LOOKS: u32 = 8;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All steps were taken.
    Done {
        /// Of them, those that an earlier run had taken.
        before: usize,
    },
    /// A step failed; the role is as it was before.
    RolledBack {
        /// What failed, and why.
        why: String,
    },
    /// A step failed, and so did the way back: a person must look.
    Stuck {
        /// What failed, and why.
        why: String,
        /// What failed on the way back.
        back: String,
        /// How many steps stand.
        steps: usize,
    },
}

/// Applies changes to roles of one account.
pub struct Applier {
    session: Session,
    client: Client,
    /// The first pause until a role is looked at again; it doubles.
    pause: Duration,
}

impl Applier {
    /// With a session of the role's account.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self {
            client: Client::new(&session.config),
            session: session.clone(),
            pause: Duration::from_millis(250),
        }
    }

    /// The same with another first pause.
    #[must_use]
    pub fn pausing(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How many steps of the change stand.
    ///
    /// # Errors
    /// When the role cannot be read, belongs to another account, or is in no state of the change.
    pub fn place(&self, change: &Change) -> Result<usize, AwsError> {
        let (account, _) = self.session.caller()?;
        let of_role = change.arn.split(':').nth(4).unwrap_or_default();
        if account != of_role {
            return Err(AwsError::plain(format!(
                "these credentials are of account {account}, the role is of {of_role}"
            )));
        }
        let live = self
            .session
            .runtime
            .block_on(read_role(&self.client, change))?;
        change
            .states()
            .iter()
            .position(|state| *state == live)
            .ok_or_else(|| {
                AwsError::plain(format!(
                    "it is not as it was analysed: {}",
                    difference(&change.before, &live)
                ))
            })
    }

    /// Takes the steps that do not stand yet; `tell` hears each. On the first failure it goes back to the
    /// beginning.
    ///
    /// # Errors
    /// When nothing was done: see [`Applier::place`].
    pub fn apply(&self, change: &Change, tell: &mut dyn FnMut(&Step)) -> Result<Ended, AwsError> {
        let before = self.place(change)?;
        let states = change.states();
        for (at, step) in change.steps.iter().enumerate().skip(before) {
            tell(step);
            let taken = self.step(step, change, states.get(at), states.get(at + 1));
            let Err(error) = taken else { continue };
            let why = format!("{}: {error}", step.words());
            return Ok(match self.back(change, tell) {
                Ok(()) => Ended::RolledBack { why },
                Err((steps, error)) => Ended::Stuck {
                    why,
                    back: error.message,
                    steps,
                },
            });
        }
        Ok(Ended::Done { before })
    }

    /// Takes the steps back, from wherever the role is. The boundary of before is set first, where it is gone. One
    /// that somebody set since is not touched: it may be holding the role back.
    ///
    /// # Errors
    /// When the role is in no state of the change, or IAM refuses.
    pub fn rollback(&self, change: &Change, tell: &mut dyn FnMut(&Step)) -> Result<(), AwsError> {
        self.boundary(change)?;
        self.place(change)?;
        self.back(change, tell).map_err(|(_, error)| error)
    }

    fn boundary(&self, change: &Change) -> Result<(), AwsError> {
        let Some((wanted, _)) = &change.before.boundary else {
            return Ok(());
        };
        self.session.runtime.block_on(async {
            let found = live::boundary_arn(&self.client, change).await?;
            if found.is_some() {
                return Ok(());
            }
            self.client
                .put_role_permissions_boundary()
                .role_name(name(change))
                .permissions_boundary(wanted)
                .send()
                .await
                .map_err(|error| {
                    AwsError::of(&error).needing("iam:PutRolePermissionsBoundary", &change.arn)
                })?;
            Ok(())
        })
    }

    /// Back to the beginning; where it cannot, how many steps stand.
    fn back(&self, change: &Change, tell: &mut dyn FnMut(&Step)) -> Result<(), (usize, AwsError)> {
        let states = change.states();
        let unknown = change.steps.len();
        let mut stands = self
            .settled_place(change)
            .map_err(|error| (unknown, error))?;
        while let Some((at, step)) = stands
            .checked_sub(1)
            .and_then(|at| Some((at, change.steps.get(at)?)))
        {
            let undone = step.undone();
            tell(&undone);
            self.step(&undone, change, states.get(stands), states.get(at))
                .map_err(|error| (stands, error))?;
            stands = at;
        }
        Ok(())
    }

    /// The place, once IAM shows one.
    fn settled_place(&self, change: &Change) -> Result<usize, AwsError> {
        let mut looks = 0;
        loop {
            looks += 1;
            match self.place(change) {
                Err(_) if looks < LOOKS => std::thread::sleep(self.pause * looks),
                place => return place,
            }
        }
    }

    /// One step: the role must be as before it, and as after it in the end.
    fn step(
        &self,
        step: &Step,
        change: &Change,
        before: Option<&RoleState>,
        after: Option<&RoleState>,
    ) -> Result<(), AwsError> {
        self.session.runtime.block_on(async {
            self.shows(change, before, "before").await?;
            take(&self.client, name(change), step).await?;
            self.shows(change, after, "after").await
        })
    }

    async fn shows(
        &self,
        change: &Change,
        wanted: Option<&RoleState>,
        when: &str,
    ) -> Result<(), AwsError> {
        let mut looks = 0;
        loop {
            let live = read_role(&self.client, change).await?;
            if Some(&live) == wanted {
                return Ok(());
            }
            looks += 1;
            if looks >= LOOKS {
                let told = wanted.map(|wanted| difference(wanted, &live));
                return Err(AwsError::plain(format!(
                    "the role is not as it must be {when} the step: {}",
                    told.unwrap_or_default()
                )));
            }
            tokio::time::sleep(self.pause * looks).await;
        }
    }
}

/// The role's name, which IAM's calls take without the path.
fn name(change: &Change) -> &str {
    change.arn.rsplit('/').next().unwrap_or(&change.arn)
}

/// The first thing in which two states differ.
fn difference(wanted: &RoleState, live: &RoleState) -> String {
    fn of<'a>(
        what: &str,
        wanted: &'a std::collections::BTreeMap<String, serde_json::Value>,
        live: &'a std::collections::BTreeMap<String, serde_json::Value>,
    ) -> Option<String> {
        let names = wanted.keys().chain(live.keys());
        names
            .filter(|name| wanted.get(*name) != live.get(*name))
            .map(|name| match (wanted.get(name), live.get(name)) {
                (Some(_), None) => format!("{what} {name} is gone"),
                (None, Some(_)) => format!("{what} {name} is new"),
                _ => format!("{what} {name} says something else"),
            })
            .next()
    }
    of("inline policy", &wanted.inline, &live.inline)
        .or_else(|| of("attached policy", &wanted.attached, &live.attached))
        .or_else(|| of("policy", &wanted.made, &live.made))
        .unwrap_or_else(|| "its permissions boundary is another".to_owned())
}

/// The call of a step.
async fn take(client: &Client, role: &str, step: &Step) -> Result<(), AwsError> {
    let text = |document: &serde_json::Value| document.to_string();
    match step {
        Step::Put { name, document, .. } => client
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(text(document))
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:PutRolePolicy", role)),
        Step::Delete { name, .. } => client
            .delete_role_policy()
            .role_name(role)
            .policy_name(name)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:DeleteRolePolicy", role)),
        Step::Create { arn, document } => client
            .create_policy()
            .policy_name(arn.rsplit('/').next().unwrap_or(arn))
            .policy_document(text(document))
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:CreatePolicy", arn)),
        Step::Drop { arn, .. } => client
            .delete_policy()
            .policy_arn(arn)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:DeletePolicy", arn)),
        Step::Attach { arn, .. } => client
            .attach_role_policy()
            .role_name(role)
            .policy_arn(arn)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:AttachRolePolicy", role)),
        Step::Detach { arn, .. } => client
            .detach_role_policy()
            .role_name(role)
            .policy_arn(arn)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::of(&error).needing("iam:DetachRolePolicy", role)),
    }
}
