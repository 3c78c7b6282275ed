//! `mcp`: a tool of another MCP server, started over stdio as the user configured it.

use super::kind::{Context, Field, Fields, Gives, Inputs, Kind, field};
use crate::error::{Error, Result};
use crate::run::workflow::types::Type;
use crate::workspace::Cancel;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use serde_json::{Map, Value, json};
use std::future::Future;
use std::process::Stdio;
use std::time::Duration;

pub(super) const KIND: Kind = Kind {
    name: "mcp",
    fields,
    gives,
    check: None,
    alone: false,
    writes: false,
    trusted: Some("starts a server"),
    prepare: None,
    work,
    finish: None,
};

/// How often is looked whether the work is to stop.
const TICK: Duration = Duration::from_millis(20);

fn fields() -> Vec<Field> {
    vec![
        field("server", Type::Text).needed(),
        field("tool", Type::Text).needed(),
        field("arguments", Type::Any),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![("text", Type::Text)]
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let name = inputs.text("server").unwrap_or_default();
    let server = context.config.servers.get(name).ok_or_else(|| {
        Error::failure(
            "unknown_server",
            format!("No server {name:?} is configured."),
            format!("Add [server.{name}] with its command to your trimtab.toml."),
        )
    })?;
    let tool = inputs.text("tool").unwrap_or_default().to_string();
    let arguments = match inputs.0.get("arguments") {
        Some(Value::Object(arguments)) => arguments.clone(),
        None => Map::new(),
        Some(_) => {
            return Err(Error::failure(
                "bad_arguments",
                "`arguments` is a table.",
                "",
            ));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::failure("internal", format!("No runtime: {e}."), ""))?;
    let text = runtime.block_on(call(context, name, server, tool, arguments))?;
    Ok(json!({"text": text}))
}

async fn call(
    context: &Context<'_>,
    name: &str,
    command: &[String],
    tool: String,
    arguments: Map<String, Value>,
) -> Result<String> {
    let failed =
        |what: String| Error::failure("server_failed", format!("Server {name}: {what}."), "");
    let [program, rest @ ..] = command else {
        return Err(failed("its command is empty".into()));
    };
    let mut process = tokio::process::Command::new(program);
    process.args(rest).current_dir(context.root.dir());
    let (transport, _) = TokioChildProcess::builder(process)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| failed(format!("it cannot be started: {e}")))?;
    let client = until(&context.cancel, ().serve(transport))
        .await?
        .map_err(|e| failed(format!("it does not open the connection: {e}")))?;
    let mut parameters = CallToolRequestParams::new(tool.clone());
    parameters.arguments = Some(arguments);
    let called = until(&context.cancel, client.call_tool(parameters)).await;
    // The server ends with its input; one that does not is killed.
    let _ = client.cancel().await;
    let result = called?.map_err(|e| failed(format!("{tool} failed: {e}")))?;
    let mut text = String::new();
    for block in &result.content {
        if let Some(part) = block.as_text() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&part.text);
        }
    }
    if result.is_error == Some(true) {
        return Err(failed(format!("{tool} failed: {text}")));
    }
    Ok(text)
}

/// Waits, unless it is to stop.
async fn until<T>(cancel: &Cancel, work: impl Future<Output = T>) -> Result<T> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(TICK, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => cancel.check()?,
        }
    }
}
