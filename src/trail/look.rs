//! What decides about a record, wherever it is read from: a whole [`Record`], or a [`Glance`] at one that
//! need not be taken apart.

use super::record::Record;
#[cfg(doc)]
use super::scan::Glance;

/// The fields of a record that tell what it does and whether it is a copy, as bytes of UTF-8. `None` where
/// a field is absent.
pub trait Look {
    /// `eventTime`.
    fn time(&self) -> Option<&[u8]>;
    /// `eventSource`.
    fn source(&self) -> &[u8];
    /// `eventName`.
    fn name(&self) -> &[u8];
    /// `awsRegion`.
    fn region(&self) -> Option<&[u8]>;
    /// `sourceIPAddress`.
    fn address(&self) -> Option<&[u8]>;
    /// `userAgent`.
    fn agent(&self) -> Option<&[u8]>;
    /// `errorCode`.
    fn error(&self) -> Option<&[u8]>;
    /// `errorMessage`.
    fn error_message(&self) -> Option<&[u8]>;
    /// `eventID`.
    fn id(&self) -> Option<&[u8]>;
    /// `eventType`.
    fn event_type(&self) -> Option<&[u8]>;
    /// `eventCategory`.
    fn category(&self) -> Option<&[u8]>;
    /// `recipientAccountId`.
    fn recipient(&self) -> Option<&[u8]>;
    /// `vpcEndpointId`.
    fn endpoint(&self) -> Option<&[u8]>;
    /// `sessionCredentialFromConsole`.
    fn console(&self) -> Option<bool>;
    /// `requestParameters`, JSON that is not null, and whether it is known to be compact.
    fn parameters(&self) -> Option<(&[u8], bool)>;
    /// `additionalEventData`, JSON that is not null.
    fn additional(&self) -> Option<&[u8]>;
    /// The entries of `resources`: ARN, ARN prefix, type.
    fn resources(&self) -> impl Iterator<Item = [Option<&[u8]>; 3]>;
}

fn bytes<'r>(text: Option<&'r std::borrow::Cow<'_, str>>) -> Option<&'r [u8]> {
    text.map(|text| text.as_bytes())
}

impl Look for Record<'_> {
    fn time(&self) -> Option<&[u8]> {
        bytes(self.event_time.as_ref())
    }

    fn source(&self) -> &[u8] {
        self.event_source.as_bytes()
    }

    fn name(&self) -> &[u8] {
        self.event_name.as_bytes()
    }

    fn region(&self) -> Option<&[u8]> {
        bytes(self.aws_region.as_ref())
    }

    fn address(&self) -> Option<&[u8]> {
        bytes(self.source_ip_address.as_ref())
    }

    fn agent(&self) -> Option<&[u8]> {
        bytes(self.user_agent.as_ref())
    }

    fn error(&self) -> Option<&[u8]> {
        bytes(self.error_code.as_ref())
    }

    fn error_message(&self) -> Option<&[u8]> {
        bytes(self.error_message.as_ref())
    }

    fn id(&self) -> Option<&[u8]> {
        bytes(self.event_id.as_ref())
    }

    fn event_type(&self) -> Option<&[u8]> {
        bytes(self.event_type.as_ref())
    }

    fn category(&self) -> Option<&[u8]> {
        bytes(self.event_category.as_ref())
    }

    fn recipient(&self) -> Option<&[u8]> {
        bytes(self.recipient_account_id.as_ref())
    }

    fn endpoint(&self) -> Option<&[u8]> {
        bytes(self.vpc_endpoint_id.as_ref())
    }

    fn console(&self) -> Option<bool> {
        self.session_credential_from_console
    }

    fn parameters(&self) -> Option<(&[u8], bool)> {
        self.request_parameters
            .as_ref()
            .map(|raw| (raw.get().as_bytes(), raw.is_compact()))
    }

    fn additional(&self) -> Option<&[u8]> {
        self.additional_event_data
            .as_ref()
            .map(|raw| raw.get().as_bytes())
    }

    fn resources(&self) -> impl Iterator<Item = [Option<&[u8]>; 3]> {
        self.resources.iter().map(|entry| {
            [
                bytes(entry.arn.as_ref()),
                bytes(entry.arn_prefix.as_ref()),
                bytes(entry.kind.as_ref()),
            ]
        })
    }
}
