//! A borrowed view of one CloudTrail record: the fields rolefit reads, nothing else.
//!
//! Comes in: the JSON of one record. Goes out: [`Record`], whose strings point into that JSON unless
//! they hold an escape. A field of an unexpected type counts as absent, so that one odd field never
//! costs the record; where a key is given twice the last one wins, as in most JSON parsers. Only two
//! things are asked of a record: a non-empty `eventSource` and a non-empty `eventName`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::Error as _};
use serde_json::value::RawValue;

/// A value that can be read from any JSON: what does not fit is absent, not an error.
trait Field<'de>: Default {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error>;
}

/// Reads the value of a key as `T`.
struct As<T>(PhantomData<T>);

impl<'de, T: Field<'de>> DeserializeSeed<'de> for As<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<T, D::Error> {
        T::read(value)
    }
}

/// The methods of a visitor that takes everything it does not name, and answers "absent".
macro_rules! absent {
    ($absent:expr; $($kind:ident),*) => { $(absent!(@ $kind $absent);)* };
    (@ bool $absent:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ number $absent:expr) => {
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> { Ok($absent) }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> { Ok($absent) }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ text $absent:expr) => {
        fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ null $absent:expr) => {
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> { Ok($absent) }
    };
    (@ list $absent:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($absent)
        }
    };
    (@ object $absent:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($absent)
        }
    };
}

impl<'de> Field<'de> for Option<Cow<'de, str>> {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Option<Cow<'de, str>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Some(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Some(Cow::Owned(text.to_owned())))
            }

            absent!(None; bool, number, null, list, object);
        }
        value.deserialize_any(Text)
    }
}

impl<'de> Field<'de> for Cow<'de, str> {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(value)?.unwrap_or_default())
    }
}

/// A boolean, which some tools write as a string.
impl<'de> Field<'de> for Option<bool> {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Flag;
        impl<'de> Visitor<'de> for Flag {
            type Value = Option<bool>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Self::Value, E> {
                Ok(Some(flag))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(match text {
                    _ if text.eq_ignore_ascii_case("true") => Some(true),
                    _ if text.eq_ignore_ascii_case("false") => Some(false),
                    _ => None,
                })
            }

            absent!(None; number, null, list, object);
        }
        value.deserialize_any(Flag)
    }
}

/// The text of a JSON value that was found sound and is not null.
#[derive(Debug, Clone, Copy)]
pub struct RawJson<'a> {
    json: &'a str,
    compact: bool,
}

impl PartialEq for RawJson<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl<'a> RawJson<'a> {
    /// The JSON, as it stands in the record.
    #[must_use]
    pub fn get(self) -> &'a str {
        self.json
    }

    /// Whether it is known that no white space stands between its tokens.
    pub(super) fn is_compact(self) -> bool {
        self.compact
    }

    /// Of a sound value without white space around it; `None` for null.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        let compact = false;
        (json != "null").then_some(Self { json, compact })
    }

    /// Of a sound value without white space between its tokens; `None` for null.
    pub(super) fn of_compact(json: &'a str) -> Option<Self> {
        let compact = true;
        (json != "null").then_some(Self { json, compact })
    }
}

impl<'de> Field<'de> for Option<RawJson<'de>> {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(RawJson::of(<&RawValue>::deserialize(value)?.get()))
    }
}

impl<'de, T: Field<'de> + PartialEq> Field<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Field<'de> + PartialEq> Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some(entry) = list.next_element_seed(As::<T>(PhantomData))? {
                    if entry != T::default() {
                        out.push(entry);
                    }
                }
                Ok(out)
            }

            absent!(Vec::new(); bool, number, text, null, object);
        }
        value.deserialize_any(List(PhantomData))
    }
}

/// Defines a struct and how it is read: a key (or one of its other spellings) for each field.
macro_rules! record {
    (
        $(#[$about:meta])*
        $see:vis struct $Name:ident<$a:lifetime> {
            $( $(#[$what:meta])* $visible:vis $field:ident: $Type:ty = $key:literal $(| $other:literal)*, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default)]
        $see struct $Name<$a> {
            $( $(#[$what])* $visible $field: $Type, )*
        }

        impl<'de> $Name<'de> {
            fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
                let mut out = Self::default();
                while let Some(key) = object.next_key_seed(As::<Cow<'de, str>>(PhantomData))? {
                    match key.as_ref() {
                        $( $key $(| $other)* => out.$field = object.next_value_seed(As(PhantomData))?, )*
                        _ => { object.next_value::<IgnoredAny>()?; }
                    }
                }
                Ok(out)
            }
        }

        impl<'de> Field<'de> for Option<$Name<'de>> {
            fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> Visitor<'de> for Object {
                    type Value = Option<$Name<'de>>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                        $Name::from_object(object).map(Some)
                    }

                    absent!(None; bool, number, text, null, list);
                }
                value.deserialize_any(Object)
            }
        }

        impl<'de> Field<'de> for $Name<'de> {
            fn read<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
                Ok(<Option<Self>>::read(value)?.unwrap_or_default())
            }
        }
    };
}

record! {
    /// One CloudTrail record. Every field may be missing in some era or region; `event_source` and
    /// `event_name` alone make a record (AWS: CloudTrail record contents, versions 1.01 to 1.11).
    pub struct Record<'a> {
        /// Who acted.
        pub user_identity: UserIdentity<'a> = "userIdentity",
        /// `YYYY-MM-DDTHH:MM:SSZ`, when the call ended.
        pub event_time: Option<Cow<'a, str>> = "eventTime",
        /// `s3.amazonaws.com` and the like.
        pub event_source: Cow<'a, str> = "eventSource",
        /// The operation, in the spelling of the service.
        pub event_name: Cow<'a, str> = "eventName",
        /// The Region of the call.
        pub aws_region: Option<Cow<'a, str>> = "awsRegion",
        /// An address, or the DNS name of the service that called.
        pub source_ip_address: Option<Cow<'a, str>> = "sourceIPAddress",
        /// The agent through which the call was made.
        pub user_agent: Option<Cow<'a, str>> = "userAgent",
        /// Set when the call failed, for whatever cause.
        pub error_code: Option<Cow<'a, str>> = "errorCode",
        /// The words of the failure.
        pub error_message: Option<Cow<'a, str>> = "errorMessage",
        /// The parameters of the call, as raw JSON. `None` where absent or null.
        pub request_parameters: Option<RawJson<'a>> = "requestParameters",
        /// What the call answered, as raw JSON. `None` where absent or null.
        pub response_elements: Option<RawJson<'a>> = "responseElements",
        /// Anything that is in no other field, as raw JSON. `None` where absent or null.
        pub additional_event_data: Option<RawJson<'a>> = "additionalEventData",
        /// The identity of the event; two trails deliver the same event under the same id.
        pub event_id: Option<Cow<'a, str>> = "eventID",
        /// Whether the call only reads, where the era of the record says so.
        pub read_only: Option<bool> = "readOnly",
        /// The resources the service named. Entries that name nothing are left out.
        pub resources: Vec<ResourceEntry<'a>> = "resources",
        /// `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn`, ...
        pub event_type: Option<Cow<'a, str>> = "eventType",
        /// False for data events, since version 1.06.
        pub management_event: Option<bool> = "managementEvent",
        /// `Management`, `Data`, `NetworkActivity`, `Insight`; absent before version 1.08.
        pub event_category: Option<Cow<'a, str>> = "eventCategory",
        /// The account whose trail received the event.
        pub recipient_account_id: Option<Cow<'a, str>> = "recipientAccountId",
        /// Ties the copies of one event in several accounts.
        pub shared_event_id: Option<Cow<'a, str>> = "sharedEventID",
        /// The VPC endpoint that the call went through.
        pub vpc_endpoint_id: Option<Cow<'a, str>> = "vpcEndpointId",
        /// True where the credentials came from a console session.
        pub session_credential_from_console: Option<bool> = "sessionCredentialFromConsole",
    }
}

record! {
    /// `userIdentity`.
    pub struct UserIdentity<'a> {
        /// `AssumedRole`, `IAMUser`, `AWSService`, `AWSAccount`, ...
        pub kind: Option<Cow<'a, str>> = "type",
        /// `AROA…:session` for a role session.
        pub principal_id: Option<Cow<'a, str>> = "principalId",
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` for a role session.
        pub arn: Option<Cow<'a, str>> = "arn",
        /// The account of the principal.
        pub account_id: Option<Cow<'a, str>> = "accountId",
        /// The service that made the call for the principal.
        pub invoked_by: Option<Cow<'a, str>> = "invokedBy",
        /// How the credentials were made.
        pub session_context: Option<SessionContext<'a>> = "sessionContext",
        /// Whose credentials they are, since 2025: for Lambda, the function.
        pub in_scope_of: Option<InScopeOf<'a>> = "inScopeOf",
    }
}

record! {
    /// `userIdentity.sessionContext`.
    pub struct SessionContext<'a> {
        /// Who issued the session.
        pub session_issuer: Option<SessionIssuer<'a>> = "sessionIssuer",
    }
}

record! {
    /// `userIdentity.sessionContext.sessionIssuer`.
    pub struct SessionIssuer<'a> {
        /// `Role` for a role session.
        pub kind: Option<Cow<'a, str>> = "type",
        /// `AROA…`: changes when a role is deleted and created again.
        pub principal_id: Option<Cow<'a, str>> = "principalId",
        /// The role ARN with its path.
        pub arn: Option<Cow<'a, str>> = "arn",
    }
}

record! {
    /// `userIdentity.inScopeOf`. Billing services write it empty.
    pub struct InScopeOf<'a> {
        /// `AWS::Lambda::Function`, `AWS::EC2::Instance`, ...
        pub issuer_type: Option<Cow<'a, str>> = "issuerType",
        /// The ARN the credentials were issued to, without a version.
        pub credentials_issued_to: Option<Cow<'a, str>> = "credentialsIssuedTo",
    }
}

record! {
    /// One entry of `resources[]`, in any of its four shapes.
    #[derive(PartialEq, Eq)]
    pub struct ResourceEntry<'a> {
        /// The ARN of the resource.
        pub arn: Option<Cow<'a, str>> = "ARN" | "arn",
        /// The ARN prefix, for S3 listings.
        pub arn_prefix: Option<Cow<'a, str>> = "ARNPrefix" | "arnPrefix",
        /// `AWS::S3::Object` and the like.
        pub kind: Option<Cow<'a, str>> = "type",
        /// The account that owns the resource.
        pub account_id: Option<Cow<'a, str>> = "accountId",
    }
}

record! {
    /// The keys by which an object that is no record shows what it is.
    pub(super) struct Envelope<'a> {
        /// What EventBridge delivers.
        pub(super) detail: Option<RawJson<'a>> = "detail",
        /// A record as a string: the answer of `lookup-events`.
        pub(super) event_text: Option<Cow<'a, str>> = "CloudTrailEvent",
        /// A record as a string: an export of a log store.
        pub(super) raw_text: Option<Cow<'a, str>> = "_raw",
        /// `AwsCloudTrailInsight` is an event of CloudTrail Insights.
        pub(super) event_type: Option<Cow<'a, str>> = "eventType",
        /// `Insight`, `Aggregated`: not calls.
        pub(super) event_category: Option<Cow<'a, str>> = "eventCategory",
        /// Only in Insights events.
        pub(super) insight_details: Option<RawJson<'a>> = "insightDetails",
        /// Only in digest files.
        pub(super) digest_start_time: Option<RawJson<'a>> = "digestStartTime",
        /// A CloudWatch Logs subscription event.
        pub(super) awslogs: Option<RawJson<'a>> = "awslogs",
        /// The inside of a CloudWatch Logs subscription event.
        pub(super) log_events: Option<RawJson<'a>> = "logEvents",
        /// In every CloudTrail record.
        pub(super) event_version: Option<RawJson<'a>> = "eventVersion",
        /// In every CloudTrail record.
        pub(super) event_source: Option<RawJson<'a>> = "eventSource",
        /// In every CloudTrail record.
        pub(super) event_name: Option<RawJson<'a>> = "eventName",
        /// In every CloudTrail record.
        pub(super) user_identity: Option<RawJson<'a>> = "userIdentity",
    }
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let record = <Option<Self>>::read(value)?.unwrap_or_default();
        if record.event_source.is_empty() {
            return Err(D::Error::missing_field("eventSource"));
        }
        if record.event_name.is_empty() {
            return Err(D::Error::missing_field("eventName"));
        }
        Ok(record)
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Self::read(value)
    }
}

impl UserIdentity<'_> {
    /// Whether it says nothing at all of who acted.
    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none()
            && self.principal_id.is_none()
            && self.arn.is_none()
            && self.account_id.is_none()
            && self.invoked_by.is_none()
            && self.session_context.is_none()
            && self.in_scope_of.is_none()
    }
}

impl Record<'_> {
    /// When the call ended, in seconds since 1970. `None` where the time is missing or no time.
    #[must_use]
    pub fn epoch_seconds(&self) -> Option<i64> {
        super::time::epoch_seconds(self.event_time.as_deref()?)
    }
}

#[cfg(test)]
mod tests;
