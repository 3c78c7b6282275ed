//! The Python libraries that most home-made agents are built on.

use crate::session::{calls, expected};
use crate::user::{TRIMTAB, User, finish, installed, text};
use serde_json::{Value, json};

/// Makes the calls that are its second argument with the official SDK.
const MCP: &str = "
import asyncio, json, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main(server, calls):
    parameters = StdioServerParameters(command=server, args=['mcp'])
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        listed = await session.list_tools()
        print(json.dumps([tool.name for tool in listed.tools]))
        for name, arguments in calls:
            result = await session.call_tool(name, arguments)
            print(json.dumps([block.text for block in result.content]))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
";

/// The same with fastmcp.
const FASTMCP: &str = "
import asyncio, json, sys
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

async def main(server, calls):
    async with Client(StdioTransport(server, ['mcp'])) as client:
        print(json.dumps([tool.name for tool in await client.list_tools()]))
        for name, arguments in calls:
            result = await client.call_tool(name, arguments, raise_on_error=False)
            print(json.dumps([block.text for block in result.content]))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
";

fn check(library: &str, program: &str) {
    let Some(python) = installed("python3") else {
        return;
    };
    let user = User::new();
    let import = format!("import {library}");
    let mut probe = user.command(&python);
    if !finish(probe.args(["-c", &import])).status.success() {
        eprintln!("skipped: python3 has no {library}");
        return;
    }
    let made: Vec<Value> = calls()
        .iter()
        .map(|call| json!([call.tool, call.arguments]))
        .collect();
    let made = Value::from(made).to_string();
    let mut command = user.command(&python);
    let output = finish(command.args(["-c", program, TRIMTAB, &made]));
    assert!(output.status.success(), "{}", text(&output));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let mut lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Vec<String>>(line).expect(line));
    let tools = lines.next().unwrap();
    assert_eq!(tools.len(), 5, "{tools:?}");
    assert!(
        calls()
            .iter()
            .all(|call| tools.iter().any(|t| t == call.tool))
    );
    let texts: Vec<String> = lines.flatten().collect();
    assert_eq!(texts, expected(&calls()));
}

#[test]
fn python_sdk_gets_what_was_sent() {
    check("mcp", MCP);
}

#[test]
fn fastmcp_gets_what_was_sent() {
    check("fastmcp", FASTMCP);
}
