//! What the pipeline tells an observer.
