"""LiteLLM's keys that have no equal here, by section, with the reason."""

from isthmus.config.imports.draft import Row, Table, lost

_DATABASE = "keys, spending and models that are kept in LiteLLM's database are not taken over; see the section store"
_AUTH = "clients are known by keys; other ways of signing in are for a server in front"
_ALERTS = "alerts are for whoever collects the metrics"
_RESTS = "how long a place rests follows from what it answered"
_CHECKS = "providers are not asked anything to check them"
_CACHE = "see the section cache for answers that are kept"
_CALLBACKS = "there are no callbacks; the log and the metrics tell of every request"
_FOR_PEOPLE = "there is no such page or program"
_ONLY_CHAT = "only chat, completions, embeddings and token counts are served"


def _all(reason: str, *names: str) -> dict[str, Row]:
    """The same reason for each; a switch that is off loses nothing."""
    return {name: lost(reason, False) for name in names}


GENERAL_OTHERS: Table = {
    **_all(
        _DATABASE,
        "allow_requests_on_db_unavailable",
        "database_connection_pool_limit",
        "database_connection_timeout",
        "database_type",
        "database_url",
        "disable_adding_master_key_hash_to_db",
        "disable_prisma_schema_update",
        "disable_reset_budget",
        "disable_spend_logs",
        "disable_spend_updates",
        "maximum_spend_logs_retention_interval",
        "maximum_spend_logs_retention_period",
        "proxy_batch_polling_interval",
        "proxy_batch_write_at",
        "proxy_budget_rescheduler_max_time",
        "proxy_budget_rescheduler_min_time",
        "spend_report_frequency",
        "store_model_in_db",
        "store_prompts_in_spend_logs",
        "supported_db_objects",
        "user_api_key_cache_ttl",
    ),
    **_all(
        _AUTH,
        "admin_only_routes",
        "allow_user_auth",
        "allowed_ips",
        "allowed_routes",
        "custom_auth",
        "custom_key_generate",
        "custom_sso",
        "default_team_disabled",
        "enable_jwt_auth",
        "enable_oauth2_auth",
        "enable_oauth2_proxy_auth",
        "enforce_user_param",
        "enforced_params",
        "key_management_settings",
        "key_management_system",
        "litellm_jwtauth",
        "litellm_key_header_name",
        "oauth2_config_mappings",
        "public_routes",
        "reject_clientside_metadata_tags",
        "service_account_settings",
        "ui_access_mode",
        "use_azure_key_vault",
        "use_google_kms",
        "use_x_forwarded_for",
        "disable_master_key_return",
        "disable_responses_id_security",
    ),
    **_all(_ALERTS, "alert_to_webhook_url", "alert_types", "alerting", "alerting_args", "alerting_threshold"),
    **_all(_CHECKS, "background_health_checks", "health_check_details", "health_check_interval"),
    **_all(
        "a request says which model it wants",
        "completion_model",
        "embedding_model",
        "image_generation_model",
        "infer_model_from_keys",
        "moderation_model",
    ),
    **_all(
        "clients do not name keys or addresses of providers, nor are their headers passed on",
        "allow_client_side_credentials",
        "forward_client_headers_to_llm_api",
        "forward_openai_org_id",
        "use_client_credentials_pass_through_routes",
    ),
    **_all(_FOR_PEOPLE, "litellm_license", "user_mcp_management_mode"),
    "pass_through_endpoints": lost("there are no pass-through routes beside those of the dialects"),
    "disable_retry_on_max_parallel_request_limit_error": lost("who finds no room waits, by routing.queue", False),
}
LITELLM_OTHERS: Table = {
    **_all(_CACHE, "cache", "cache_params", "enable_caching_on_provider_specific_optional_params"),
    **_all(
        _CALLBACKS,
        "callback_settings",
        "disable_end_user_cost_tracking",
        "disable_end_user_cost_tracking_prometheus_only",
        "langfuse_default_tags",
        "redact_user_api_key_info",
        "s3_callback_params",
        "turn_off_message_logging",
    ),
    **_all(
        "requests are translated in one way, which the page on losses tells of",
        "disable_add_transform_inline_image_block",
        "disable_copilot_system_to_assistant",
        "enable_json_schema_validation",
        "enable_preview_features",
        "modify_params",
        "use_chat_completions_url_for_anthropic_messages",
    ),
    **_all(
        "keys are made by an administrator; see the section on client keys",
        "default_internal_user_params",
        "default_team_settings",
        "enable_key_alias_format_validation",
        "key_generation_settings",
        "max_budget",
        "budget_duration",
        "max_internal_user_budget",
        "upperbound_key_generate_params",
    ),
    "telemetry": lost("nothing is told to us", False),
    "force_ipv4": lost("both kinds of address are tried", False),
    "mcp_aliases": lost(_ONLY_CHAT),
    "disable_hf_tokenizer_download": lost("nothing is downloaded to count tokens", True),
    "ssl_verify": lost("certificates are always checked; ca-file of a provider names others to trust", True),
}
ROUTER_OTHERS: Table = {
    **_all(
        _RESTS,
        "allowed_fails",
        "allowed_fails_policy",
        "cooldown_time",
        "disable_cooldowns",
        "retry_after",
        "retry_policy",
        "model_group_retry_policy",
    ),
    **_all(_CACHE, "cache_kwargs", "cache_responses", "caching_groups"),
    **_all(_ALERTS, "alerting_config"),
    **_all(
        "which conversations stay at one place is said by routing.affinity",
        "deployment_affinity_ttl_seconds",
        "optional_pre_call_checks",
    ),
    **_all(
        "what a model cannot take is told by what it answers",
        "enable_pre_call_check",
        "enable_pre_call_checks",
    ),
    **_all("write branches of a route with when.tags", "enable_tag_filtering", "tag_filtering_match_any"),
    **_all(
        "who waits is served in turn, by routing.queue",
        "default_priority",
        "polling_interval",
    ),
    **_all(_ONLY_CHAT, "assistants_config", "guardrail_list", "search_tools"),
    "max_fallbacks": lost("tries are counted for all models together, by limits.attempts"),
    "default_litellm_params": lost("parameters are not written into requests here"),
    "debug_level": lost("see log.level", "INFO"),
    "client_ttl": lost("connections are kept as long as they are used"),
    "routing_strategy_args": lost("strategies have no settings of their own but routing.hybrid-weights"),
    "provider_budget_config": lost("write dollars-per-day of the provider"),
    "router_general_settings": lost("is about LiteLLM's own workings"),
    "routing_groups": lost("write a strategy for each route"),
    "ignore_invalid_deployments": lost("what is wrong with a configuration is always told", True),
}
TOP_OTHERS: Table = {
    "callback_settings": lost(_CALLBACKS),
    "include": lost("other files are not read; name each"),
    "credential_list": lost("write the key where it is used"),
    "guardrails": lost("what requests and answers say is not looked at"),
    "mcp_servers": lost(_ONLY_CHAT),
    "search_tools": lost(_ONLY_CHAT),
    "vector_store_registry": lost(_ONLY_CHAT),
    "files_settings": lost(_ONLY_CHAT),
    "finetune_settings": lost(_ONLY_CHAT),
    "assistant_settings": lost(_ONLY_CHAT),
    "prompts": lost("prompts are the client's matter"),
    "policies": lost("what requests and answers say is not looked at"),
}
