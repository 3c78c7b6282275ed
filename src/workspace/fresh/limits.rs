use std::fs;

/// How much a user may watch; none where the system does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchLimits {
    /// Folders of all watchers together.
    pub watches: Option<u64>,
    /// Watchers at the same time.
    pub instances: Option<u64>,
}

impl WatchLimits {
    /// Those of this system: inotify's on Linux, none elsewhere.
    pub fn of_system() -> Self {
        let read = |name| {
            let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}"));
            text.ok()?.trim().parse().ok()
        };
        Self {
            watches: read("max_user_watches"),
            instances: read("max_user_instances"),
        }
    }
}
