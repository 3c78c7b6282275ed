//! The server as it answers over HTTP.

#![expect(deprecated, reason = "older versions of the protocol have log levels")]

use crate::mcp::Server;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, DiscoverResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities,
    ServerConfig, SetLevelRequestMethod, SetLevelRequestParams, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

/// A server that says of everything in the protocol that it has it, and then that
/// there is nothing of it but tools.
///
/// Gateways and editors ask for the lists over HTTP whatever was declared, and the
/// official conformance suite wants them answered. Over standard input and output they
/// stay undeclared: agents show their model more tools for a server with resources.
#[derive(Clone)]
pub(super) struct Handler(pub Server);

/// For how long an empty list may be kept, in milliseconds.
const EMPTY_FRESH_MS: u64 = 3_600_000;

type Reply<T> = Result<T, ErrorData>;

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.0.get_info();
        info.capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_completions()
            .enable_logging()
            .build();
        info
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Reply<DiscoverResult> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(EMPTY_FRESH_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Reply<ListToolsResult> {
        self.0.list_tools(page, context).await
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.get_tool(name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Reply<CallToolResponse> {
        self.0.call_tool(request, context).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Reply<ListPromptsResult> {
        Ok(ListPromptsResult::with_all_items(Vec::new())
            .with_ttl_ms(EMPTY_FRESH_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Reply<ListResourcesResult> {
        Ok(ListResourcesResult::with_all_items(Vec::new())
            .with_ttl_ms(EMPTY_FRESH_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Reply<ListResourceTemplatesResult> {
        Ok(ListResourceTemplatesResult::with_all_items(Vec::new())
            .with_ttl_ms(EMPTY_FRESH_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Reply<ReadResourceResponse> {
        Err(ErrorData::invalid_params(
            "there are no resources; the tool `expand` reads files",
            Some(json!({ "uri": request.uri })),
        ))
    }

    /// Logs go to standard error, so any level will do. Newer versions of the protocol
    /// have no such method.
    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Reply<()> {
        match context.protocol_version() {
            Some(version) if version >= ProtocolVersion::V_2026_07_28 => {
                Err(ErrorData::method_not_found::<SetLevelRequestMethod>())
            }
            _ => Ok(()),
        }
    }
}
