//! The server: lists the tools, calls one, and stops it when asked.

use super::options::Options;
use super::tool::{Call, Entry, Status};
use super::{apply, compact, consent, expand, run, search};
use crate::error::{Class, Error};
use crate::search::Engine;
use crate::workspace::{Cancel, Root};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
    CompleteRequestParams, CompleteResult, ContentBlock, DiscoverResult, Implementation,
    ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesRequestMethod,
    ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// The longest that a call may work: clients give up after 60 s.
const CALL_LIMIT: Duration = Duration::from_secs(50);

/// The longest that a call may take, even one that is slow to notice that its time is
/// over.
const ANSWER_LIMIT: Duration = Duration::from_secs(55);

/// How often a call that takes its time says so.
const PROGRESS: Duration = Duration::from_secs(3);

/// For how long a client may keep the lists, in milliseconds: they only change
/// with the process.
const LISTS_FRESH_MS: u64 = 3_600_000;

/// Clients that hide tools until they are needed show the first 240 characters
/// only, so these stand alone.
const INSTRUCTIONS: &str = "\
Find, read, edit and shrink code for few tokens: `run` collects the code a task needs, `search` finds, \
`expand` reads lines, symbols and handles, `compact` shrinks files and logs, `apply` merges edit snippets. \
Prefer them to grep, cat and rewriting files.
Start a task with `run`; use `search` for exact patterns, several at once. `⋯` marks omitted lines: the \
handle after it, given to `expand`, returns them. Paths are relative to the root.";

const INSTRUCTIONS_READ_ONLY: &str = "\
Find, read and shrink code for few tokens: `run` collects the code a task needs, `search` finds, \
`expand` reads lines, symbols and handles, `compact` shrinks files and logs. \
Prefer them to grep and cat; nothing is written.
Start a task with `run`; use `search` for exact patterns, several at once. `⋯` marks omitted lines: the \
handle after it, given to `expand`, returns them. Paths are relative to the root.";

/// The MCP server of one root. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    root: Root,
    engine: Arc<Engine>,
    read_only: bool,
    tools: Arc<OnceLock<Vec<Arc<Entry>>>>,
    progress: Duration,
    answer_limit: Duration,
}

impl Server {
    /// A server that has not done anything yet.
    pub fn new(options: Options) -> Self {
        Self {
            engine: Arc::new(Engine::resident(&options.root)),
            root: options.root,
            read_only: options.read_only,
            tools: Arc::default(),
            progress: PROGRESS,
            answer_limit: ANSWER_LIMIT,
        }
    }

    /// The tools in the order in which a model should consider them.
    fn tools(&self) -> &[Arc<Entry>] {
        self.tools.get_or_init(|| {
            let read_only = self.read_only;
            [
                Entry::of::<run::Run>(read_only),
                Entry::of::<search::Search>(read_only),
                Entry::of::<expand::Expand>(read_only),
                Entry::of::<compact::Compact>(read_only),
                Entry::of::<apply::Apply>(read_only),
            ]
            .into_iter()
            .flatten()
            .map(Arc::new)
            .collect()
        })
    }
}

/// Stops the work when the call is over, however it ends.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(
                Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
                    .with_description(env!("CARGO_PKG_DESCRIPTION")),
            )
            .with_instructions(if self.read_only {
                INSTRUCTIONS_READ_ONLY
            } else {
                INSTRUCTIONS
            })
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(LISTS_FRESH_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.tools().iter().map(|t| t.tool.clone()).collect();
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(LISTS_FRESH_MS)
            .with_cache_scope(CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<rmcp::model::Tool> {
        let entry = self.tools().iter().find(|t| t.tool.name == name)?;
        Some(entry.tool.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(entry) = self.tools().iter().find(|t| t.tool.name == request.name) else {
            let names: Vec<&str> = self.tools().iter().map(|t| t.tool.name.as_ref()).collect();
            return Err(ErrorData::invalid_params(
                format!(
                    "unknown tool `{}`; the tools are {}",
                    request.name,
                    names.join(", ")
                ),
                None,
            ));
        };
        let entry = Arc::clone(entry);
        let arguments = request.arguments.unwrap_or_default();
        let cancel = Cancel::new().with_timeout(CALL_LIMIT);
        let _stop = StopOnDrop(cancel.clone());
        let (status, told) = Status::new();
        let mut reporter = Reporter::new(&request.name, told, self.progress, &context);
        let call = Call {
            status,
            root: self.root.clone(),
            engine: Arc::clone(&self.engine),
            cancel: cancel.clone(),
        };
        let work = tokio::task::spawn_blocking(move || entry.call(&call, arguments));
        let outcome = tokio::select! {
            joined = work => joined.map_err(|_| Error::failure(
                "internal",
                format!("{} failed unexpectedly; nothing is left half done.", request.name),
                "Try other arguments, and report this as a bug.",
            )),
            () = tokio::time::sleep(self.answer_limit) => Err(Error::new(
                Class::Capped,
                "timed_out",
                format!("{} was told to stop, but is still at work.", request.name),
                "See what it has done before you ask again, for less at a time.",
            )),
            () = reporter.report() => Err(Error::cancelled()),
        };
        reporter.finish().await;
        // Not earlier: a server that is never asked stays small, and the first answer
        // has the machine to itself.
        self.engine.begin();
        let outcome = match outcome {
            Ok(answer) => consent::settle(&self.root, answer, &context.peer, &cancel).await,
            Err(e) => Err(e),
        };
        Ok(match outcome {
            Ok(answer) if answer.failed => {
                CallToolResult::error(vec![ContentBlock::text(answer.text)])
            }
            Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer.text)]),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
        }
        .into())
    }

    // A method without its capability does not exist; an empty answer would
    // claim otherwise.

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<
            ListResourceTemplatesRequestMethod,
        >())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}

/// Tells a client that asked for it what its call is at: each step as it begins, and
/// that the call is alive where a step takes its time.
struct Reporter<'a> {
    context: &'a RequestContext<RoleServer>,
    token: Option<ProgressToken>,
    told: UnboundedReceiver<String>,
    every: Duration,
    begun: Instant,
    /// Seconds that were told last.
    seconds: f64,
    /// What the call is at.
    message: String,
    /// Whether a step was not told, or was being told when the work ended.
    owing: bool,
}

impl<'a> Reporter<'a> {
    fn new(
        tool: &str,
        told: UnboundedReceiver<String>,
        every: Duration,
        context: &'a RequestContext<RoleServer>,
    ) -> Self {
        Self {
            context,
            token: context.meta.get_progress_token(),
            told,
            every,
            begun: Instant::now(),
            seconds: 0.0,
            message: tool.to_string(),
            owing: false,
        }
    }

    /// Reports until the client has cancelled the call.
    async fn report(&mut self) {
        loop {
            tokio::select! {
                () = self.context.ct.cancelled() => return,
                Some(step) = self.told.recv() => self.at(step),
                () = tokio::time::sleep(self.every) => {}
            }
            self.send().await;
        }
    }

    fn at(&mut self, step: String) {
        self.message = step;
        self.owing = true;
    }

    /// Reports the steps that are left when the work is done.
    async fn finish(&mut self) {
        if self.owing {
            self.send().await;
        }
        while let Ok(step) = self.told.try_recv() {
            self.at(step);
            self.send().await;
        }
    }

    async fn send(&mut self) {
        let Some(token) = self.token.clone() else {
            return;
        };
        if self.context.ct.is_cancelled() {
            return;
        }
        // Each progress must be more than the one before.
        let past = self.begun.elapsed().as_secs_f64();
        self.seconds = past.max(self.seconds + 0.001);
        let progress = ProgressNotificationParam::new(token, self.seconds)
            .with_total(CALL_LIMIT.as_secs_f64())
            .with_message(self.message.clone());
        // A client that has gone needs no progress; the loop ends with the call.
        let _ = self.context.peer.notify_progress(progress).await;
        self.owing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tool::{Answer, Tool};
    use super::*;
    use crate::mcp::transport::Patient;
    use rmcp::ServiceExt;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

    static STARTED: AtomicUsize = AtomicUsize::new(0);
    static STOPPED: AtomicUsize = AtomicUsize::new(0);

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    /// Works until it is told to stop.
    struct Spin;

    impl Tool for Spin {
        const NAME: &'static str = "spin";
        const DESCRIPTION: &'static str = "";
        const READ_ONLY: Option<&'static str> = None;
        const ONLY_READS: bool = true;
        type Arguments = Nothing;

        fn call(call: &Call, _: Nothing) -> crate::error::Result<Answer> {
            STARTED.fetch_add(1, SeqCst);
            while !call.cancel.is_set() {
                std::thread::yield_now();
            }
            STOPPED.fetch_add(1, SeqCst);
            Err(Error::cancelled())
        }
    }

    struct Broken;

    impl Tool for Broken {
        const NAME: &'static str = "broken";
        const DESCRIPTION: &'static str = "";
        const READ_ONLY: Option<&'static str> = None;
        const ONLY_READS: bool = true;
        type Arguments = Nothing;

        #[expect(clippy::panic, reason = "what must not end the server")]
        fn call(_: &Call, _: Nothing) -> crate::error::Result<Answer> {
            panic!("on purpose")
        }
    }

    /// Does not hear that it should stop.
    struct Deaf;

    static RELEASED: AtomicBool = AtomicBool::new(false);

    impl Tool for Deaf {
        const NAME: &'static str = "deaf";
        const DESCRIPTION: &'static str = "";
        const READ_ONLY: Option<&'static str> = None;
        const ONLY_READS: bool = true;
        type Arguments = Nothing;

        fn call(_: &Call, _: Nothing) -> crate::error::Result<Answer> {
            while !RELEASED.load(SeqCst) {
                std::thread::yield_now();
            }
            Err(Error::cancelled())
        }
    }

    struct Pipe {
        lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
        write: WriteHalf<DuplexStream>,
    }

    impl Pipe {
        async fn send(&mut self, message: Value) {
            let line = format!("{message}\n");
            self.write.write_all(line.as_bytes()).await.unwrap();
        }

        async fn receive(&mut self) -> Value {
            serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
        }

        async fn call(&mut self, id: u32, tool: &str) {
            self.send(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
                "params": {"name": tool, "arguments": {}}}))
                .await;
        }
    }

    /// A client of a server with the tools above, both on one thread.
    async fn connect() -> Pipe {
        connect_with(ANSWER_LIMIT).await
    }

    async fn connect_with(answer_limit: Duration) -> Pipe {
        let home = tempfile::tempdir().unwrap();
        let mut server = Server::new(Options {
            root: Root::open(home.path()).unwrap(),
            read_only: false,
        });
        server.progress = Duration::from_millis(1);
        server.answer_limit = answer_limit;
        let tools = [
            Entry::of::<Spin>(false),
            Entry::of::<Broken>(false),
            Entry::of::<Deaf>(false),
        ];
        let tools = tools.into_iter().flatten().map(Arc::new).collect();
        assert!(server.tools.set(tools).is_ok());
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let (read, write) = tokio::io::split(theirs);
            let running = server.serve(Patient::new(read, write)).await.unwrap();
            running.waiting().await.unwrap();
        });
        let (read, write) = tokio::io::split(ours);
        let mut pipe = Pipe {
            lines: BufReader::new(read).lines(),
            write,
        };
        pipe.send(
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}}),
        )
        .await;
        assert_eq!(pipe.receive().await["id"], 0);
        pipe
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn long_call_reports_progress_until_it_is_cancelled() {
        let mut pipe = connect().await;
        pipe.send(
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "spin", "arguments": {}, "_meta": {"progressToken": "p"}}}),
        )
        .await;
        let mut last = 0.0;
        for _ in 0..3 {
            let message = pipe.receive().await;
            assert_eq!(message["method"], "notifications/progress");
            assert_eq!(message["params"]["progressToken"], "p");
            let progress = message["params"]["progress"].as_f64().unwrap();
            assert!(progress > last);
            last = progress;
        }
        until(|| STARTED.load(SeqCst) == 1).await;
        pipe.send(
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": 1}}),
        )
        .await;
        until(|| STOPPED.load(SeqCst) == 1).await;
        pipe.send(json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}))
            .await;
        // A cancelled call is not answered.
        loop {
            let message = pipe.receive().await;
            if message["method"] != "notifications/progress" {
                assert_eq!(message["id"], 2);
                break;
            }
        }
    }

    #[tokio::test]
    async fn call_that_does_not_stop_is_answered_all_the_same() {
        let mut pipe = connect_with(Duration::from_millis(10)).await;
        pipe.call(1, "deaf").await;
        let answer = pipe.receive().await;
        RELEASED.store(true, SeqCst);
        assert_eq!(answer["id"], 1);
        assert_eq!(answer["result"]["isError"], true);
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(
            text.starts_with("timed_out: deaf was told to stop"),
            "{text}"
        );
    }

    #[test]
    fn clients_are_answered_and_kept_informed_in_time() {
        // Clients give up after 60 s, and want to hear something every 10 s.
        assert!(search::LOOK < CALL_LIMIT);
        assert!(CALL_LIMIT < ANSWER_LIMIT && ANSWER_LIMIT < Duration::from_secs(60));
        assert!(PROGRESS <= Duration::from_secs(10));
    }

    #[tokio::test]
    async fn failing_call_is_told_and_the_next_one_works() {
        let mut pipe = connect().await;
        pipe.call(1, "broken").await;
        let answer = pipe.receive().await;
        assert_eq!(answer["result"]["isError"], true);
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(
            text.starts_with("internal: broken failed unexpectedly"),
            "{text}"
        );
        pipe.send(json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}))
            .await;
        assert_eq!(pipe.receive().await["id"], 2);
    }
}
