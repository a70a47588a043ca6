//! Exit codes.

use std::process::{ExitCode, Termination};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, nothing trustworthy was produced.
    Failed,
    /// 2: the arguments are wrong.
    Usage,
    /// 3: no input matched.
    NoInput,
    /// 4: done, but something could not be read or a role needs a person; `--strict` makes it 1.
    Incomplete,
    /// 10: `check`: a role can be tightened beyond the allowed slack.
    Slack,
    /// 11: a promise failed, or a policy grants something forbidden.
    Broken,
    /// 12: `check --state`: calls are denied that were not when it last ran.
    Drift,
}

impl Exit {
    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoInput => 3,
            Self::Incomplete => 4,
            Self::Slack => 10,
            Self::Broken => 11,
            Self::Drift => 12,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
