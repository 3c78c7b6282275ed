//! The door for agents: the MCP server, one file per tool.
