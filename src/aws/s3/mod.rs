//! Log objects in S3: `s3://` URLs in, a [`Source`] out.
//!
//! Listing goes down the folders of a trail and leaves out what the selection does not want before anything
//! of it is listed (`list`). Objects are fetched some way ahead of the workers, in the order in which these
//! will ask for them (`window`, `fetch`), each through a pipe that holds [`PIPE`] bytes (`pipe`): memory is
//! the number of objects under way times that, however large they are.

mod fetch;
mod list;
mod pipe;
mod url;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;
use tokio::task::JoinHandle;

use super::{AwsError, Session};
use crate::event::Observer;
use crate::read::joined::S3_SCHEME;
use crate::read::{Listing, ObjectRef, Selection, Source};

use fetch::Fetch;
use pipe::{PipeReader, pipe};
use url::Url;
use window::Window;

/// Bytes of one object that are held between the network and a worker.
pub const PIPE: usize = 512 * 1024;

/// How S3 is read.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// What is wanted; what is not is not listed.
    pub selection: Selection,
    /// List digest files too: they are passed over by name, not by folder.
    pub digests: bool,
    /// The most objects under way at once.
    pub concurrency: usize,
    /// Agree to pay for requests to buckets where the requester pays.
    pub request_payer: bool,
    /// Bytes that stay away this long count as a broken connection, and are asked for again.
    pub stall: Duration,
    /// The wait before an object is tried again; it doubles with each try in vain.
    pub pause: Duration,
}

/// Log objects in buckets.
pub struct S3 {
    session: Session,
    options: S3Options,
    urls: Vec<Url>,
    /// One client a bucket, in the bucket's Region.
    clients: Mutex<BTreeMap<String, Client>>,
    ahead: Mutex<Option<Ahead>>,
}

/// Objects that are fetched before they are asked for.
struct Ahead {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    task: JoinHandle<()>,
}

enum Slot {
    /// Not begun.
    Waiting,
    /// Under way, for whoever asks.
    Begun(PipeReader),
    /// Given out.
    Taken,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl S3 {
    /// Takes `s3://bucket`, `s3://bucket/folder/` and `s3://bucket/key` (also with the ARN of an access point
    /// for the bucket); none where only [`Source::open`] is wanted.
    ///
    /// # Errors
    /// For an URL without a bucket.
    pub fn new(session: Session, urls: &[String], options: S3Options) -> Result<Self, AwsError> {
        let mut parsed = urls
            .iter()
            .map(|url| Url::parse(url))
            .collect::<Result<Vec<_>, _>>()?;
        parsed.sort();
        parsed.dedup();
        let all = parsed.clone();
        parsed.retain(|url| !all.iter().any(|other| other.holds(url)));
        Ok(Self {
            session,
            options,
            urls: parsed,
            clients: Mutex::default(),
            ahead: Mutex::default(),
        })
    }

    /// The client for a bucket. The first time, its Region is asked for: buckets answer in their own alone.
    async fn client(&self, bucket: &str) -> Client {
        if let Some(client) = lock(&self.clients).get(bucket) {
            return client.clone();
        }
        let here = Client::from_conf(self.settings(&self.session.config));
        let client = match self.elsewhere(&here, bucket).await {
            Some(region) => Client::from_conf(self.settings(&self.session.config_in(&region))),
            None => here,
        };
        lock(&self.clients).insert(bucket.to_owned(), client.clone());
        client
    }

    fn has_endpoint(&self) -> bool {
        self.session.config.endpoint_url().is_some()
            || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
    }

    fn settings(&self, config: &aws_config::SdkConfig) -> aws_sdk_s3::Config {
        aws_sdk_s3::config::Builder::from(config)
            .force_path_style(self.has_endpoint())
            .build()
    }

    /// The bucket's Region, where it is another than the session's.
    async fn elsewhere(&self, client: &Client, bucket: &str) -> Option<String> {
        if self.has_endpoint() || bucket.starts_with("arn:") {
            return None;
        }
        let region = match client.head_bucket().bucket(bucket).send().await {
            Ok(answer) => answer.bucket_region().map(str::to_owned),
            Err(error) => error
                .raw_response()?
                .headers()
                .get("x-amz-bucket-region")
                .map(str::to_owned),
        }?;
        (region != self.session.region()).then_some(region)
    }

    fn fetch(&self, client: Client, bucket: &str, window: Window) -> Fetch {
        Fetch {
            client,
            bucket: bucket.to_owned(),
            payer: self.options.request_payer,
            stall: self.options.stall,
            pause: self.options.pause,
            window,
        }
    }

    /// Fetches an object that nobody announced.
    fn at_once(&self, object: &ObjectRef) -> Result<PipeReader, AwsError> {
        let url = Url::parse(&object.name)?;
        let client = self.session.runtime.block_on(self.client(&url.bucket));
        let fetch = self.fetch(client, &url.bucket, Window::new(1));
        let (writer, reader) = pipe(PIPE, None);
        self.session
            .runtime
            .spawn(fetch.run(url.key, object.size, writer));
        Ok(reader)
    }
}

impl Source for S3 {
    fn list(&self, observer: &dyn Observer) -> Listing {
        self.session.runtime.block_on(list::list(self, observer))
    }

    fn expect(&self, objects: &[ObjectRef]) {
        let slots: HashMap<String, Slot> = objects
            .iter()
            .map(|object| (object.name.clone(), Slot::Waiting))
            .collect();
        let slots = Arc::new(Mutex::new(slots));
        let window = Window::new(self.options.concurrency);
        let mut queue = Vec::with_capacity(objects.len());
        let mut fetches: BTreeMap<String, Fetch> = BTreeMap::new();
        for object in objects {
            let Ok(url) = Url::parse(&object.name) else {
                continue;
            };
            if !fetches.contains_key(&url.bucket) {
                let client = self.session.runtime.block_on(self.client(&url.bucket));
                let fetch = self.fetch(client, &url.bucket, window.clone());
                fetches.insert(url.bucket.clone(), fetch);
            }
            queue.push((object.name.clone(), url, object.size));
        }
        let task = self
            .session
            .runtime
            .spawn(run_ahead(queue, fetches, slots.clone(), window));
        *lock(&self.ahead) = Some(Ahead { slots, task });
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        let slots = lock(&self.ahead).as_ref().map(|ahead| ahead.slots.clone());
        let begun = slots.and_then(|slots| {
            let mut slots = lock(&slots);
            let slot = slots.get_mut(&object.name)?;
            match std::mem::replace(slot, Slot::Taken) {
                Slot::Begun(reader) => Some(reader),
                Slot::Waiting | Slot::Taken => None,
            }
        });
        match begun {
            Some(reader) => Ok(Box::new(reader)),
            // Workers that are faster than the network, or in another order, need not wait for their turn.
            None => Ok(Box::new(self.at_once(object).map_err(io::Error::other)?)),
        }
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        let url = Url::parse(&object.name).ok()?;
        let runtime = &self.session.runtime;
        let client = runtime.block_on(self.client(&url.bucket));
        let payer = self
            .options
            .request_payer
            .then_some(RequestPayer::Requester);
        let head = client
            .head_object()
            .bucket(&url.bucket)
            .key(&url.key)
            .set_request_payer(payer);
        let answer = runtime.block_on(head.send()).ok()?;
        answer.metadata()?.get("signature").cloned()
    }
}

/// Begins one object after the other, as places in the window become free.
async fn run_ahead(
    queue: Vec<(String, Url, u64)>,
    fetches: BTreeMap<String, Fetch>,
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    window: Window,
) {
    for (name, url, size) in queue {
        let permit = window.enter().await;
        let Some(fetch) = fetches.get(&url.bucket).cloned() else {
            continue;
        };
        let (writer, reader) = pipe(PIPE, Some(permit));
        {
            let mut slots = lock(&slots);
            match slots.get_mut(&name) {
                Some(slot @ Slot::Waiting) => *slot = Slot::Begun(reader),
                _ => continue,
            }
        }
        tokio::spawn(fetch.run(url.key, size, writer));
    }
}

/// What is behind these locks is changed in one step each: a poisoned one holds nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ARN that permissions on an object name.
fn arn(bucket: &str, key: &str) -> String {
    match bucket.strip_prefix("arn:") {
        Some(_) => format!("{bucket}/object/{key}"),
        None => format!("arn:aws:s3:::{bucket}/{key}"),
    }
}

/// The name of an object as messages and listings show it.
fn name(bucket: &str, key: &str) -> String {
    format!("{S3_SCHEME}{bucket}/{key}")
}
