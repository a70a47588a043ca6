//! What the user agent of a call proves about where it was made: a record in, yes or "cannot tell" out.
//!
//! Functions call from any address (NAT gateways, VPC endpoints), in any language, with or without
//! Lambda's mark in the agent, some through the AWS CLI in a custom runtime. So only what Lambda never
//! is counts: another operating system, the console, another compute service. A presigned URL is
//! signed by the function and opened by anyone: its agent proves nothing.

use super::record::Record;

/// Names of operating systems that Lambda does not run, as agents spell them.
const FOREIGN_SYSTEMS: [&str; 18] = [
    "android",
    "cygwin",
    "dalvik",
    "darwin",
    "freebsd",
    "ios",
    "ipad",
    "iphone",
    "mac_os_x",
    "macintosh",
    "macos",
    "mingw32",
    "netbsd",
    "openbsd",
    "win32",
    "win64",
    "windows",
    "winnt",
];
/// The same, where a version is glued to the name.
const FOREIGN_SYSTEM_PREFIXES: [&str; 10] = [
    "aws-sdk-android",
    "aws-sdk-ios",
    "arm64-darwin",
    "darwin_",
    "mac_os_x_",
    "microsoft_windows",
    "windows_",
    "windowspowershell",
    "x64-mingw",
    "x86_64-darwin",
];
/// What only the kernels of other Linux distributions have in their release; Lambda's say `amzn`.
const FOREIGN_KERNELS: [&str; 24] = [
    "+deb",
    "+rpt",
    "-amd64",
    "-arm64",
    "-aws",
    "-azure",
    "-gcp",
    "-generic",
    "-lowlatency",
    "-oracle",
    "-pve",
    "-raspi",
    "-zen",
    ".el5",
    ".el6",
    ".el7",
    ".el8",
    ".el9",
    ".el10",
    ".fc",
    "kali",
    "linuxkit",
    "microsoft",
    "parrot",
];
/// How agents of AWS's own clients can be told.
const SDK_MARKS: [&str; 7] = [
    "aws-cli/",
    "aws-sdk-",
    "awspowershell",
    "boto3/",
    "botocore/",
    "ua/2.",
    "aws-internal/",
];
/// Services whose calls are often presigned and then made by somebody else.
const PRESIGNED: [&str; 6] = [
    "kinesisvideo.amazonaws.com",
    "polly.amazonaws.com",
    "s3.amazonaws.com",
    "sqs.amazonaws.com",
    "sts.amazonaws.com",
    "transcribe.amazonaws.com",
];

/// The user agent, without the square brackets that S3 puts around it. Empty where there is none.
pub(super) fn of<'r>(record: &'r Record<'_>) -> &'r str {
    let agent = record.user_agent.as_deref().unwrap_or_default().trim();
    agent
        .strip_prefix('[')
        .and_then(|agent| agent.strip_suffix(']'))
        .unwrap_or(agent)
}

/// Whether the agent carries the mark of Lambda's environment. AWS runs Lambda functions of its own in
/// the accounts of customers, with an agent of its own: those do not count.
pub(super) fn shows_lambda(record: &Record<'_>) -> bool {
    let agent = of(record);
    agent.contains("exec-env/AWS_Lambda") && !agent.starts_with("aws-internal/")
}

/// Whether the call was certainly not made in a Lambda runtime.
pub(super) fn shows_no_lambda(record: &Record<'_>) -> bool {
    let agent = of(record).to_ascii_lowercase();
    if agent.contains("exec-env/aws_lambda") {
        return false;
    }
    let signature = signature(record);
    if signature == Signature::Url {
        return false;
    }
    if record.session_credential_from_console == Some(true)
        || is_console(&agent)
        || ["exec-env/cloudshell", "exec-env/aws_ecs"]
            .iter()
            .any(|mark| agent.contains(mark))
    {
        return true;
    }
    let by_sdk = SDK_MARKS.iter().any(|mark| agent.contains(mark));
    let may_be_presigned =
        signature == Signature::Unknown && PRESIGNED.contains(&&*record.event_source);
    (by_sdk || !may_be_presigned) && names_foreign_system(&agent)
}

#[derive(PartialEq)]
enum Signature {
    Header,
    Url,
    Unknown,
}

/// Where the call carried its signature; S3 says so.
fn signature(record: &Record<'_>) -> Signature {
    let data = record
        .additional_event_data
        .map(crate::trail::record::RawJson::get)
        .unwrap_or_default();
    match data.split_once("\"AuthenticationMethod\"") {
        Some((_, value))
            if value
                .trim_start_matches([' ', ':', '\n', '\t'])
                .starts_with("\"AuthHeader\"") =>
        {
            Signature::Header
        }
        Some(_) => Signature::Url,
        None => Signature::Unknown,
    }
}

fn is_console(agent: &str) -> bool {
    agent == "signin.amazonaws.com"
        || agent.starts_with("console.")
            && (agent.ends_with(".amazonaws.com") || agent.ends_with(".amazon.com"))
        || ["s3console/", "aws console", "aws-console", "awsconsole"]
            .iter()
            .any(|mark| agent.starts_with(mark))
}

/// Whether a lower-case agent names an operating system, or a Linux kernel, that is not Lambda's.
fn names_foreign_system(agent: &str) -> bool {
    if agent.contains(".amzn") {
        return false; // a kernel of Amazon Linux, whatever else is named
    }
    let mut tokens = agent
        .split([' ', ';', '(', ')', ','])
        .filter(|token| !token.is_empty());
    tokens.any(|token| {
        // `os/macos#22.6.0`, `md/GOOS#darwin`, `Darwin/22.6.0`, `OS/Windows_NT`.
        let named = token
            .strip_prefix("os/")
            .or_else(|| token.strip_prefix("md/goos#"));
        let system = match named {
            Some(system) => system,
            None if is_aside(token) => return false,
            None => token,
        };
        let (name, release) = system.split_once(['/', '#']).unwrap_or((system, ""));
        if name == "linux" {
            return FOREIGN_KERNELS.iter().any(|mark| release.contains(mark));
        }
        FOREIGN_SYSTEMS.contains(&name)
            || FOREIGN_SYSTEM_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
    })
}

/// Parts of an agent that say nothing about the system: names of applications, libraries, features.
fn is_aside(token: &str) -> bool {
    [
        "api/",
        "apn/",
        "app/",
        "cfg/",
        "exec-env/",
        "ft/",
        "lang/",
        "lib/",
        "m/",
        "md/",
    ]
    .iter()
    .any(|kind| token.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(source: &'static str, agent: &'static str) -> Record<'static> {
        Record {
            event_source: source.into(),
            event_name: "ListThings".into(),
            user_agent: Some(agent.into()),
            ..Record::default()
        }
    }

    fn outside(agent: &'static str) -> bool {
        shows_no_lambda(&record("ec2.amazonaws.com", agent))
    }

    #[test]
    fn agents_that_no_lambda_runtime_has() {
        for agent in [
            "aws-cli/1.16.19 Python/2.7.10 Darwin/17.7.0 botocore/1.12.9",
            "[aws-cli/1.16.19 Python/2.7.10 Darwin/17.7.0 botocore/1.12.9]",
            "aws-cli/2.15.0 Python/3.11.6 Windows/10 exe/AMD64 prompt/off command/s3.ls",
            "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/macos#22.6.0 md/arch#arm64 lang/python#3.13.7",
            "aws-cli/2.32.3 md/awscrt#0.28.4 ua/2.1 os/linux#5.15.0-microsoft-standard-WSL2 md/arch#x86_64 md/distrib#ubuntu.24",
            "Boto3/1.24 Python/3.8 Linux/5.4.0-42-generic Botocore/1.27",
            "Boto3/1.26.1 Python/3.11.2 Linux/6.1.0-kali5-amd64 Botocore/1.29.1",
            "Boto3/1.26.1 Python/3.11.2 Linux/6.1.0-1parrot1-amd64 Botocore/1.29.1",
            "aws-sdk-go/1.44.1 (go1.19; darwin; arm64)",
            "aws-sdk-go-v2/1.36.3 ua/2.1 os/windows lang/go#1.23.8 md/GOOS#windows md/GOARCH#amd64",
            "aws-sdk-java/1.12.1 Mac_OS_X/10.15.7 OpenJDK_64-Bit_Server_VM/25",
            "aws-sdk-java/1.12.1 Windows_Server_2019/10.0 OpenJDK_64-Bit_Server_VM/25",
            "aws-sdk-nodejs/2.1 darwin/v12.0.0 callback",
            "aws-sdk-nodejs/2.1 win32/v12.0.0 callback",
            "aws-sdk-ruby3/3.130 ruby/2.7.0 x86_64-darwin19 aws-sdk-s3/1.1",
            "aws-sdk-dotnet-coreclr/3.7 .NET_Core/6.0 OS/Microsoft_Windows_10.0.19044 ClientAsync",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
            "console.amazonaws.com",
            "console.ec2.amazonaws.com",
            "signin.amazonaws.com",
            "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.1030 Linux/5.4.156-94.273.amzn2int.x86_64]",
            "aws-cli/2.31.1 ua/2.1 os/linux#6.1.147-172.266.amzn2023.x86_64 exec-env/CloudShell md/distrib#amzn.2023",
            "aws-sdk-java/2.20 Linux/5.10.1-1.amzn2.x86_64 exec-env/AWS_ECS_FARGATE",
        ] {
            assert!(outside(agent), "{agent}");
        }
    }

    #[test]
    fn agents_that_a_function_may_have() {
        for agent in [
            "",
            "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.252-285.992.amzn2.aarch64 exec-env/AWS_Lambda_python3.14",
            "Boto3/1.24.84 Python/3.8.14 Linux/4.14.225-175.364.amzn2.aarch64 Botocore/1.27.84",
            "aws-cli/1.20.26 Python/3.6.14 Linux/4.14.225-175.364.amzn2.x86_64 botocore/1.21.26",
            "aws-cli/2.15.0 ua/2.0 os/linux#5.10.1-1.amzn2.x86_64 md/distrib#ubuntu.24",
            "aws-sdk-go/1.44.1 (go1.19; linux; amd64)",
            "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.26.4 md/GOOS#linux md/GOARCH#arm64 m/E,g",
            "aws-sdk-nodejs/2.1 linux/v12.22.1 callback",
            "aws-sdk-rust/1.3 os/linux lang/rust/1.75",
            "aws-sdk-java/2.20 Linux/6.1.90 OpenJDK_64-Bit_Server_VM",
            "aws-cli/1.16.248 Python/3.4.7 Linux/4.9.184-0.1.ac.235.83.329.metal1.x86_64 botocore/1.12.239",
            "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux app/windows lib/darwin md/macos",
            "python-requests/2.31.0",
            "Go-http-client/1.1",
            "stratus-red-team_5c59eb79",
            "AWS Internal",
            "lambda.amazonaws.com",
            "awslambda-worker/1.0 rusoto/0.47.0 rust/1.56.1 linux",
            "aws-cli/2.0 Darwin/22.1 exec-env/AWS_Lambda_python3.8",
        ] {
            assert!(!outside(agent), "{agent}");
        }
    }

    #[test]
    fn whoever_opens_a_presigned_url_proves_nothing() {
        for agent in [
            "[Mozilla/5.0 (Windows NT 10.0; Win64; x64)]",
            "[MyApp/3 CFNetwork/1331.0.7 Darwin/21.4.0]",
        ] {
            let with = |data: &'static str| {
                let mut record = record("s3.amazonaws.com", agent);
                record.additional_event_data = super::super::record::RawJson::of(data);
                shows_no_lambda(&record)
            };
            assert!(
                !with(r#"{"AuthenticationMethod":"QueryString"}"#),
                "{agent}"
            );
            assert!(
                !with(r#"{ "SignatureVersion": "SigV4", "AuthenticationMethod": "QueryString" }"#),
                "{agent}"
            );
            assert!(with(r#"{"AuthenticationMethod":"AuthHeader"}"#), "{agent}");
            assert!(
                !shows_no_lambda(&record("s3.amazonaws.com", agent)),
                "{agent}"
            );
            assert!(
                !shows_no_lambda(&record("polly.amazonaws.com", agent)),
                "{agent}"
            );
        }
        let cli = "[aws-cli/1.16.19 Python/2.7.10 Darwin/17.7.0 botocore/1.12.9]";
        assert!(
            shows_no_lambda(&record("s3.amazonaws.com", cli)),
            "a client of AWS signs its own calls"
        );
    }

    #[test]
    fn credentials_from_a_console_session_are_outside() {
        let mut record = record("ec2.amazonaws.com", "any");
        assert!(!shows_no_lambda(&record));
        record.session_credential_from_console = Some(true);
        assert!(shows_no_lambda(&record));
    }
}
