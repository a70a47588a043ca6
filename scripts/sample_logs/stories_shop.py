"""What the shop's functions do on a day: orders, the shared API role, the catalog, search. In: a day and its draw; out: records."""

from datetime import date, datetime, timedelta

from .cast import API_CREATE, API_GET, CATALOG_SYNC, CUSTOMER_SEARCH, ORDER_PROCESSOR, SHOP
from .draw import UPPER
from .records import (
    DENIED, code, dynamodb, environment_decrypt, not_authorized, record, runtime_logging, s3, session, taken,
)

FIRST_DAY = date(2026, 9, 20)


def moment(day, draw, first_hour, last_hour):
    """A time on `day` from `first_hour` until the end of `last_hour`."""
    hour = draw.between(first_hour, last_hour)
    return datetime(day.year, day.month, day.day, hour, draw.below(60), draw.below(60))


def later(at, draw, most=4):
    return at + timedelta(seconds=draw.between(1, most))


def cold_start(function, draw, at, key=None, take=0.6):
    """A new execution environment: its records and its credentials. Lambda reuses a role session it still has."""
    creds = session(function, draw, at)
    events = []
    if draw.chance(take):
        events.append(taken(function, draw, at, creds))
    if key:
        events.append(environment_decrypt(function, draw, at, creds, key))
    events.append(runtime_logging(function, draw, later(at, draw, 2)))
    return events, creds


def order_id(draw):
    return f"{draw.between(100000, 999999)}-{draw.text(UPPER, 4)}"


def order_processor(day, draw):
    """Reads `Orders` item by item and by customer, writes a receipt into `order-receipts`."""
    if day == FIRST_DAY:
        at = datetime(day.year, day.month, day.day, 5, 12, 41)
        yield taken(ORDER_PROCESSOR, draw, at, session(ORDER_PROCESSOR, draw, at))
        yield runtime_logging(ORDER_PROCESSOR, draw, at, "CreateLogGroup")
    for hours in ((6, 11), (13, 20)):
        if not draw.chance(0.75):
            continue
        at = moment(day, draw, *hours)
        events, creds = cold_start(ORDER_PROCESSOR, draw, at)
        yield from events
        for _ in range(draw.between(1, 2)):
            at = later(at, draw, 240)
            order = order_id(draw)
            yield dynamodb(ORDER_PROCESSOR, creds, draw, at, "GetItem", "Orders", {"key": {"orderId": order}})
            if draw.chance(0.4):
                at = later(at, draw)
                yield dynamodb(
                    ORDER_PROCESSOR, creds, draw, at, "Query", "Orders",
                    {"keyConditionExpression": "customerId = :customer", "scanIndexForward": False, "limit": 5},
                )
            at = later(at, draw)
            key = f"receipts/{at:%Y/%m/%d}/order-{order}.json"
            yield s3(ORDER_PROCESSOR, creds, draw, at, "PutObject", "order-receipts", key)


def invoked(function, draw, at, source_arn):
    """API Gateway invokes the function: decided by the function's resource policy, not by its role."""
    resource = {"accountId": SHOP, "type": "AWS::Lambda::Function", "ARN": function.arn}
    return record(
        draw, at, "lambda", "Invoke", function.region, SHOP,
        {"type": "AWSService", "invokedBy": "apigateway.amazonaws.com"}, "apigateway.amazonaws.com", "apigateway.amazonaws.com",
        {"functionName": function.arn, "sourceArn": source_arn, "contentType": "application/json"},
        extra={"functionVersion": f"{function.arn}:$LATEST"}, read=False, resources=[resource], data=True, shared=draw.uuid(),
    )


API_ARN = "arn:aws:execute-api:us-east-1:111122223333:b7k2x9q4mz/prod"


def shared_api(day, draw):
    """Two functions with one role: one reads orders, the other writes them, counts and announces."""
    if draw.chance(0.7):
        at = moment(day, draw, 7, 21)
        yield invoked(API_GET, draw, at, f"{API_ARN}/GET/orders/{{id}}")
        events, creds = cold_start(API_GET, draw, at, take=0.3)
        yield from events
        for _ in range(draw.between(1, 2)):
            at = later(at, draw, 90)
            yield dynamodb(API_GET, creds, draw, at, "GetItem", "Orders", {"key": {"orderId": order_id(draw)}, "consistentRead": True})
    if draw.chance(0.55):
        at = moment(day, draw, 7, 21)
        yield invoked(API_CREATE, draw, at, f"{API_ARN}/POST/orders")
        events, creds = cold_start(API_CREATE, draw, at, take=0.3)
        yield from events
        at = later(at, draw)
        clash = draw.chance(0.08)
        order = order_id(draw)
        put = {"key": {"orderId": order}, "conditionExpression": "attribute_not_exists(orderId)", "items": ["orderId", "customerId", "lines", "total"]}
        error = ("ConditionalCheckFailedException", "The conditional request failed") if clash else None
        yield dynamodb(API_CREATE, creds, draw, at, "PutItem", "Orders", put, error=error)
        if clash:
            return
        at = later(at, draw)
        update = {"key": {"counter": f"orders-{day:%Y-%m}"}, "updateExpression": "ADD n :one"}
        yield dynamodb(API_CREATE, creds, draw, at, "UpdateItem", "OrderCounters", update)
        topic = "arn:aws:sns:us-east-1:111122223333:order-events"
        yield code(
            API_CREATE, creds, draw, later(at, draw), "sns", "Publish",
            {"topicArn": topic, "message": "HIDDEN_DUE_TO_SECURITY_REASONS", "subject": "HIDDEN_DUE_TO_SECURITY_REASONS"},
            response={"messageId": draw.uuid()}, data=True, resources=[{"accountId": SHOP, "type": "AWS::SNS::Topic", "ARN": topic}],
        )


def catalog_sync(day, draw):
    """Copies a supplier's feed into the catalog; on some days also tries what its role or a bucket policy forbids."""
    if not draw.chance(0.5):
        return
    at = moment(day, draw, 2, 4)
    role = CATALOG_SYNC.role
    events, creds = cold_start(CATALOG_SYNC, draw, at)
    yield from events
    at = later(at, draw)
    yield s3(CATALOG_SYNC, creds, draw, at, "GetObject", "supplier-feeds", f"acme/{day:%Y-%m-%d}.csv")
    for _ in range(draw.between(1, 2)):
        at = later(at, draw, 20)
        yield dynamodb(
            CATALOG_SYNC, creds, draw, at, "PutItem", "Catalog",
            {"key": {"sku": f"SKU-{draw.between(10000, 99999)}"}, "items": ["sku", "title", "price", "image"]},
        )
        at = later(at, draw)
        yield s3(CATALOG_SYNC, creds, draw, at, "PutObject", "catalog-images", f"originals/{draw.uuid()}.jpg")
    if day.day % 5 == 0:
        at = later(at, draw)
        table = "arn:aws:dynamodb:us-east-1:111122223333:table/CatalogStaging"
        why = "because no identity-based policy allows the dynamodb:DeleteTable action"
        error = not_authorized(role, CATALOG_SYNC.name, "dynamodb:DeleteTable", table, why)
        yield code(CATALOG_SYNC, creds, draw, at, "dynamodb", "DeleteTable", None, error=error)
    if day.day % 2 == 0:
        at = later(at, draw)
        key = f"feeds/{day:%Y-%m-%d}.json"
        why = "with an explicit deny in a resource-based policy"
        error = not_authorized(role, CATALOG_SYNC.name, "s3:GetObject", f'"arn:aws:s3:::partner-catalog-feed/{key}"', why)
        yield without_parameters(s3(CATALOG_SYNC, creds, draw, at, "GetObject", "partner-catalog-feed", key, size=310, error=error), day)


def without_parameters(event, day):
    """Most denied calls carry neither parameters nor resources; every sixth day keeps them, as S3 sometimes does."""
    if day.day % 6:
        assert event["errorCode"] == DENIED
        event["requestParameters"] = None
        del event["resources"]
    return event


def customer_search(day, draw):
    """Finds customers by e-mail through an index, then reads the customer. A Go function, so no token in its agent."""
    if not draw.chance(0.6):
        return
    at = moment(day, draw, 8, 19)
    events, creds = cold_start(CUSTOMER_SEARCH, draw, at, take=0.2)
    yield from events
    for _ in range(draw.between(1, 2)):
        at = later(at, draw, 120)
        yield dynamodb(
            CUSTOMER_SEARCH, creds, draw, at, "Query", "Customers",
            {"indexName": "email-index", "keyConditionExpression": "email = :email", "limit": 1},
        )
        at = later(at, draw)
        yield dynamodb(CUSTOMER_SEARCH, creds, draw, at, "GetItem", "Customers", {"key": {"customerId": draw.uuid()}})


SHOP_FUNCTIONS = [order_processor, shared_api, catalog_sync, customer_search]
