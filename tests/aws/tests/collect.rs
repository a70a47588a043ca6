//! What `collect` makes of the answers of IAM, Lambda and CloudTrail.

use aws_sdk_iam::operation::generate_service_last_accessed_details::GenerateServiceLastAccessedDetailsOutput;
use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput;
use aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput;
use aws_sdk_iam::types::{
    ErrorDetails, JobStatusType, ManagedPolicyDetail, PolicyDetail, PolicyVersion, RoleDetail,
    ServiceLastAccessed,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use rolefit::aws::collect::{
    account_details, event_invoke_configs, event_selectors, event_source_mappings, functions,
    last_accessed, policies, trails,
};
use serde_json::json;

const ARN: &str = "arn:aws:iam::111122223333:role/worker";

fn role(name: &str) -> RoleDetail {
    RoleDetail::builder()
        .path("/")
        .role_name(name)
        .role_id("AROAEXAMPLE")
        .arn(format!("arn:aws:iam::111122223333:role/{name}"))
        .create_date(DateTime::from_secs(1_700_000_000))
        .assume_role_policy_document("%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D")
        .role_policy_list(
            PolicyDetail::builder()
                .policy_name("inline")
                .policy_document(
                    "%7B%22Statement%22%3A%7B%22Sid%22%3A%22A%2BB%22%2C%22Resource%22%3A%22%C3%A9%20%2A%22%2C%22Action%22%3A%22s3%3AGet%2A%22%7D%7D",
                )
                .build(),
        )
        .build()
}

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>told so</Message></Error></ErrorResponse>"
    )
}

#[tokio::test]
async fn account_details_are_fetched_page_by_page_and_documents_are_decoded() {
    let first = mock!(aws_sdk_iam::Client::get_account_authorization_details)
        .match_requests(|request| request.marker().is_none() && request.filter().len() == 3)
        .then_output(|| {
            GetAccountAuthorizationDetailsOutput::builder()
                .role_detail_list(role("one"))
                .is_truncated(true)
                .marker("next")
                .build()
        });
    let second = mock!(aws_sdk_iam::Client::get_account_authorization_details)
        .match_requests(|request| request.marker() == Some("next"))
        .then_output(|| {
            let version = PolicyVersion::builder()
                .document("%7B%22Statement%22%3A%5B%5D%7D")
                .version_id("v2")
                .is_default_version(true)
                .build();
            let policy = ManagedPolicyDetail::builder()
                .policy_name("team")
                .arn("arn:aws:iam::111122223333:policy/team")
                .default_version_id("v2")
                .attachment_count(2)
                .policy_version_list(version)
                .build();
            GetAccountAuthorizationDetailsOutput::builder()
                .role_detail_list(role("two"))
                .policies(policy)
                .build()
        });
    let client = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&first, &second]);
    let details = account_details(&client).await.unwrap();
    assert_eq!((first.num_calls(), second.num_calls()), (1, 1));
    let roles = details["RoleDetailList"].as_array().unwrap();
    assert_eq!(
        (&roles[0]["RoleName"], &roles[1]["RoleName"]),
        (&json!("one"), &json!("two"))
    );
    assert_eq!(roles[0]["CreateDate"], "2023-11-14T22:13:20+00:00");
    let document = &roles[0]["RolePolicyList"][0]["PolicyDocument"];
    assert_eq!(
        *document,
        json!({"Statement": {"Sid": "A+B", "Resource": "é *", "Action": "s3:Get*"}})
    );
    let keys: Vec<&String> = document["Statement"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["Sid", "Resource", "Action"],
        "the order of the document stays"
    );
    let policy = &details["Policies"][0];
    assert_eq!(
        policy["PolicyVersionList"][0]["Document"],
        json!({"Statement": []})
    );
    assert_eq!(
        (&policy["AttachmentCount"], &policy["DefaultVersionId"]),
        (&json!(2), &json!("v2"))
    );
}

#[tokio::test]
async fn throttling_is_waited_out_and_refusal_names_the_permission() {
    let throttled = mock!(aws_sdk_iam::Client::get_account_authorization_details)
        .sequence()
        .http_response(|| answer(400, &refusal("Throttling")))
        .times(2)
        .output(|| {
            GetAccountAuthorizationDetailsOutput::builder()
                .role_detail_list(role("one"))
                .build()
        })
        .build();
    let client = mock_client!(aws_sdk_iam, [&throttled]);
    let details = account_details(&client).await.unwrap();
    assert_eq!(details["RoleDetailList"].as_array().unwrap().len(), 1);
    assert_eq!(throttled.num_calls(), 3);

    let refused = mock!(aws_sdk_iam::Client::get_account_authorization_details)
        .then_http_response(|| answer(403, &refusal("AccessDenied")));
    let client = mock_client!(aws_sdk_iam, [&refused]);
    let error = account_details(&client).await.unwrap_err();
    assert_eq!(
        error.message,
        "iam:GetAccountAuthorizationDetails on * is missing (AccessDenied: told so)"
    );
    assert_eq!(refused.num_calls(), 1);
}

#[tokio::test]
async fn a_page_that_does_not_say_where_the_next_begins_is_an_error() {
    let rule = mock!(aws_sdk_iam::Client::get_account_authorization_details).then_output(|| {
        GetAccountAuthorizationDetailsOutput::builder()
            .is_truncated(true)
            .build()
    });
    let client = mock_client!(aws_sdk_iam, [&rule]);
    assert!(account_details(&client).await.is_err());
    let rule = mock!(aws_sdk_iam::Client::get_account_authorization_details).then_output(|| {
        let broken = RoleDetail::builder()
            .assume_role_policy_document("%7B")
            .build();
        GetAccountAuthorizationDetailsOutput::builder()
            .role_detail_list(broken)
            .build()
    });
    let client = mock_client!(aws_sdk_iam, [&rule]);
    let error = account_details(&client).await.unwrap_err();
    assert_eq!(error.message, "IAM sent a policy document that is not JSON");
}

fn job() -> Rule {
    mock!(aws_sdk_iam::Client::generate_service_last_accessed_details)
        .match_requests(|request| request.arn() == Some(ARN))
        .then_output(|| {
            GenerateServiceLastAccessedDetailsOutput::builder()
                .job_id("job")
                .build()
        })
}

fn report(
    status: JobStatusType,
    service: Option<&str>,
    marker: Option<&str>,
) -> GetServiceLastAccessedDetailsOutput {
    let services = service.map(|name| {
        vec![
            ServiceLastAccessed::builder()
                .service_name(name)
                .service_namespace(name)
                .last_authenticated(DateTime::from_secs(1_700_000_000))
                .build()
                .unwrap(),
        ]
    });
    GetServiceLastAccessedDetailsOutput::builder()
        .job_status(status)
        .job_creation_date(DateTime::from_secs(1_700_000_000))
        .job_completion_date(DateTime::from_secs(1_700_000_001))
        .set_services_last_accessed(Some(services.unwrap_or_default()))
        .is_truncated(marker.is_some())
        .set_marker(marker.map(str::to_owned))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_job_that_takes_long_is_waited_for_and_all_its_pages_are_fetched() {
    let job = job();
    let reports = mock!(aws_sdk_iam::Client::get_service_last_accessed_details)
        .sequence()
        .output(|| report(JobStatusType::InProgress, None, None))
        .times(2)
        .output(|| report(JobStatusType::Completed, Some("s3"), Some("next")))
        .output(|| report(JobStatusType::Completed, Some("sqs"), None))
        .build();
    let client = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&job, &reports]);
    let value = last_accessed(&client, ARN).await.unwrap();
    assert_eq!(reports.num_calls(), 4);
    let names: Vec<&str> = value["ServicesLastAccessed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| service["ServiceNamespace"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["s3", "sqs"]);
    assert_eq!(value["JobStatus"], "COMPLETED");
    assert_eq!(value["IsTruncated"], false);
}

#[tokio::test]
async fn a_job_that_fails_is_an_error_with_its_reason() {
    let job = job();
    let reports = mock!(aws_sdk_iam::Client::get_service_last_accessed_details).then_output(|| {
        let error = ErrorDetails::builder()
            .message("no such luck")
            .code("Broken")
            .build()
            .unwrap();
        GetServiceLastAccessedDetailsOutput::builder()
            .job_status(JobStatusType::Failed)
            .job_creation_date(DateTime::from_secs(0))
            .job_completion_date(DateTime::from_secs(0))
            .set_services_last_accessed(Some(Vec::new()))
            .error(error)
            .build()
            .unwrap()
    });
    let client = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&job, &reports]);
    let error = last_accessed(&client, ARN).await.unwrap_err();
    assert_eq!(error.message, "the job ended as FAILED: no such luck");
}

#[tokio::test]
async fn functions_keep_members_that_the_sdk_does_not_know_and_times_are_as_the_aws_cli_prints_them()
 {
    let list = mock!(aws_sdk_lambda::Client::list_functions)
        .sequence()
        .http_response(|| {
            answer(200, r#"{"Functions": [{"FunctionName": "f", "Role": "r", "New": {"Thing": 1}, "KMSKeyArn": null}], "NextMarker": "2"}"#)
        })
        .http_response(|| answer(200, r#"{"Functions": [{"FunctionName": "g"}], "NextMarker": null}"#))
        .build();
    let mappings =
        mock!(aws_sdk_lambda::Client::list_event_source_mappings).then_http_response(|| {
            answer(
                200,
                r#"{"EventSourceMappings": [{"UUID": "u", "LastModified": 1700000000.5}]}"#,
            )
        });
    let invokes = mock!(aws_sdk_lambda::Client::list_function_event_invoke_configs)
        .match_requests(|request| request.function_name() == Some("f"))
        .then_http_response(|| answer(200, r#"{"FunctionEventInvokeConfigs": [{"FunctionArn": "a", "LastModified": 1700000000}]}"#));
    let gone = mock!(aws_sdk_lambda::Client::list_function_event_invoke_configs)
        .match_requests(|request| request.function_name() == Some("g"))
        .then_http_response(not_found);
    let policy = mock!(aws_sdk_lambda::Client::get_policy)
        .match_requests(|request| request.function_name() == Some("f"))
        .then_http_response(|| answer(200, r#"{"Policy": "{}", "RevisionId": "x"}"#));
    let none = mock!(aws_sdk_lambda::Client::get_policy)
        .match_requests(|request| request.function_name() == Some("g"))
        .then_http_response(not_found);
    let client = mock_client!(
        aws_sdk_lambda,
        RuleMode::MatchAny,
        [&list, &mappings, &invokes, &gone, &policy, &none]
    );
    assert_eq!(
        functions(&client).await.unwrap(),
        json!({"Functions": [{"FunctionName": "f", "Role": "r", "New": {"Thing": 1}}, {"FunctionName": "g"}]})
    );
    assert_eq!(
        event_source_mappings(&client).await.unwrap(),
        json!({"EventSourceMappings": [{"UUID": "u", "LastModified": "2023-11-14T22:13:20.5+00:00"}]})
    );
    let names = ["f".to_owned(), "g".to_owned()];
    assert_eq!(
        event_invoke_configs(&client, &names).await.unwrap(),
        json!({"FunctionEventInvokeConfigs": [{"FunctionArn": "a", "LastModified": "2023-11-14T22:13:20+00:00"}]})
    );
    let policies = policies(&client, &names).await.unwrap();
    assert_eq!(
        policies,
        [("f".to_owned(), json!({"Policy": "{}", "RevisionId": "x"}))]
    );
}

fn not_found() -> HttpResponse {
    let mut answer = answer(404, r#"{"Message": "no", "Type": "User"}"#);
    answer
        .headers_mut()
        .insert("x-amzn-errortype", "ResourceNotFoundException");
    answer
}

#[tokio::test]
async fn trails_and_selectors_are_as_sent() {
    let list = mock!(aws_sdk_cloudtrail::Client::describe_trails).then_http_response(|| {
        answer(
            200,
            r#"{"trailList": [{"Name": "t", "TrailARN": "arn", "HomeRegion": "us-east-1"}]}"#,
        )
    });
    let selectors = mock!(aws_sdk_cloudtrail::Client::get_event_selectors)
        .then_http_response(|| answer(200, r#"{"TrailARN": "arn", "AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": []}]}"#));
    let client = mock_client!(aws_sdk_cloudtrail, RuleMode::MatchAny, [&list, &selectors]);
    assert_eq!(trails(&client).await.unwrap()["trailList"][0]["Name"], "t");
    assert_eq!(
        event_selectors(&client, "arn").await.unwrap(),
        json!({"TrailARN": "arn", "AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": []}]})
    );
}
