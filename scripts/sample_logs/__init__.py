"""The parts of `scripts/make-sample-logs`: an invented trail and the snapshot beside it.

`draw` gives reproducible randomness, `cast` names accounts, roles and functions, `records` knows how CloudTrail
writes an event, the `stories_*` modules say what happens on a day, `layout` turns a day's events into log objects,
and `policies`, `snapshot` and `accessed` write what the AWS CLI would print about the accounts.
"""
