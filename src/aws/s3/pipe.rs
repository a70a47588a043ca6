//! The way of an object's bytes from the network to a worker: a channel that holds so many bytes and no more.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::window::Permit;

enum Piece {
    Data(Bytes),
    End,
    Failed(String),
}

/// The end that is filled.
pub(super) struct Writer {
    send: UnboundedSender<Piece>,
    room: Arc<Semaphore>,
    most: usize,
}

/// The end that is read, by a thread that may block. Dropping it stops the fetch.
pub(super) struct PipeReader {
    receive: UnboundedReceiver<Piece>,
    room: Arc<Semaphore>,
    held: Bytes,
    ended: bool,
    /// The place in the window: free when the object is read, not when it has arrived.
    _permit: Option<Permit>,
}

/// A pipe that holds at most `bytes` bytes.
pub(super) fn pipe(bytes: usize, permit: Option<Permit>) -> (Writer, PipeReader) {
    let (send, receive) = unbounded_channel();
    let room = Arc::new(Semaphore::new(bytes));
    let writer = Writer {
        send,
        room: room.clone(),
        most: bytes,
    };
    let reader = PipeReader {
        receive,
        room,
        held: Bytes::new(),
        ended: false,
        _permit: permit,
    };
    (writer, reader)
}

impl Writer {
    /// Hands bytes over when there is room for them. `false` when nobody reads any more.
    pub(super) async fn data(&self, mut bytes: Bytes) -> bool {
        while !bytes.is_empty() {
            let part = bytes.split_to(bytes.len().min(self.most));
            let wanted = u32::try_from(part.len()).unwrap_or(u32::MAX);
            match self.room.acquire_many(wanted).await {
                Ok(permit) => permit.forget(),
                Err(_) => return false,
            }
            if self.send.send(Piece::Data(part)).is_err() {
                return false;
            }
        }
        true
    }

    /// The object was read whole.
    pub(super) fn end(self) {
        let _ = self.send.send(Piece::End);
    }

    /// No more comes, and why.
    pub(super) fn fail(self, why: String) {
        let _ = self.send.send(Piece::Failed(why));
    }
}

impl Read for PipeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.held.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self.receive.blocking_recv() {
                Some(Piece::Data(bytes)) => self.held = bytes,
                Some(Piece::End) => self.ended = true,
                Some(Piece::Failed(why)) => return Err(io::Error::other(why)),
                // Only an end that was told is an end.
                None => return Err(io::Error::other("the fetch broke off")),
            }
        }
        let count = self.held.len().min(out.len());
        let (head, _) = out.split_at_mut(count);
        self.held.copy_to_slice(head);
        self.room.add_permits(count);
        Ok(count)
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.room.close();
    }
}
