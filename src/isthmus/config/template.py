"""The file that `isthmus init` writes, and a new management key for one that exists.

In the written file a line that begins with `# ` is prose; any other comment is an example, which is valid as it
stands when its first character is taken away.
"""

import yaml

from isthmus.config.nodes import Node, compose
from isthmus.core.secret import Secret

KEY = "management-key"

TEMPLATE = """\
# The configuration of Isthmus. Every key is described in docs/reference/configuration.md.
# "isthmus check" tells what is wrong with this file; a running gateway takes up changes by itself.
# ${NAME} stands for an environment variable, ${NAME:-default} gives a default.

# What an administrator shows to the gateway. "isthmus init --force" puts a new one here.
management-key: MANAGEMENT_KEY

# Where clients connect. Addresses that other machines can reach need client-keys. compat is for clients of a system
# before this one, where they expect what others do not: mux, truck, bedrock, llms or codex.
listeners:
  - host: 127.0.0.1
    port: 8317
#    compat: unified

# Whether clients must show a key: required, off, or auto, which is where other machines can connect and wherever any
# key is known.
#auth: auto

# Who may ask, beside those whose keys "isthmus keys create" gives out. The name is for the log.
#client-keys:
#  - name: laptop
#    key: ${LAPTOP_KEY}
#    on-loss: allow
#    concurrency: 10
#    requests-per-minute: 60
#    budgets: {day: 20, month: 200}
#    team: research
#    models: [claude-*]
#    operations: [chat, count]
#    expires: 2030-01-31
#  - ${TEAM_KEY}

# What all client keys of a team may ask together, and what all requests together may cost, in US dollars.
#teams:
#  research:
#    budgets: {week: 100}
#    concurrency: 50
#budgets: {month: 1000}

# Origins of web pages that may use the gateway from a browser, or "*". Pages from this machine always may.
#cors:
#  - https://app.example.com

# Lets a listener that other machines can reach start without client keys.
#insecure: false

# Who may manage the gateway beside whoever has the management key, and from where.
#admin:
#  keys:
#    - name: dashboard
#      key: ${DASHBOARD_KEY}
#      role: viewer
#  # Other machines manage with a key: here, or at a listener for management alone.
#  remote: false
#  listener:
#    host: 127.0.0.1
#    port: 8318
#  # Programs on this machine need no key to look; and to do everything, while there is none at all.
#  local: true

# Where requests can go. Without this section every known host whose usual key variable is set is used
# (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, GROQ_API_KEY, ...), a running Ollama, and else the bundled model.
#providers:
#  openai:
#    concurrency:
#      most: 100
#      adaptive: true
#      least: 4
#    # Further keys take turns. One with little left of what it may ask is used after the others.
#    api-key: ${OPENAI_API_KEY}
#    api-keys:
#      - name: second
#        key: ${OPENAI_API_KEY_2}
#        models: [gpt-*]
#        concurrency: 20
#        requests-per-minute: 500
#        tokens-per-minute: 100000
#        requests-per-day: 10000
#        tokens-per-day: 5000000
#        dollars-per-day: 5
#  anthropic:
#    api-key: ${ANTHROPIC_API_KEY}
#    deadlines:
#      connect: 10
#      first-byte: 300
#      between-bytes: 120
#      total: 1200
#  ollama:
#    base-url: http://127.0.0.1:11434
#  # Clouds. Without an api-key they are signed to with what this machine can prove, or with the keys that are given.
#  azure:
#    base-url: https://my-resource.openai.azure.com
#    tenant-id: my-tenant
#    client-id: my-application
#    client-secret: ${AZURE_CLIENT_SECRET}
#    models: [my-gpt-5]
#  vertex:
#    project: my-project
#    region: global
#  bedrock:
#    region: us-east-1
#    profile: work
#  # ChatGPT's Codex, under accounts that somebody signed in to. Names of Claude that nobody offers lead to its models.
#  codex:
#    claude-models:
#      claude-opus-*: gpt-5.3-codex
#      claude-sonnet-*: gpt-5.2
#  # Any other host that speaks one of the dialects openai, anthropic and ollama.
#  ours:
#    type: compatible
#    dialect: openai
#    base-url: https://llm.example.com/v1
#    api-key: ${OUR_KEY}
#    models: [our-large, our-small-*]
#    models-excluded: ["*-preview"]
#    # Further names of its models, at this provider alone.
#    aliases:
#      gpt-oss-120b: our-large
#    headers:
#      x-team: search
#    proxy-url: ${OUR_PROXY:-}
#    http2: true
#    enabled: true

# Model names of your own. The targets are tried in order, until one answers, or by another strategy.
#routes:
#  smart:
#    - anthropic/claude-sonnet-4-5
#    - openai/gpt-5
#  small:
#    strategy: weighted
#    targets:
#      - provider: ours
#        model: our-small-1
#        weight: 3
#      - openai/gpt-5-nano
#    fallbacks: [smart]
#    # Other targets for some requests, by what they hold or by their share.
#    branches:
#      - when:
#          images: true
#          tokens-over: 20000
#        tiers: [[openai/gpt-5, azure/my-gpt-5], ours/our-large]
#      - share: 10%
#        targets: [ours/our-large]
#    shadow:
#      target: ours/our-large
#      share: 5%
#    # Asks a second place when the first is slow to begin, for at most so many of the requests.
#    hedge:
#      share: 5%
#    continue: true
#    affinity: true
#    deadlines:
#      first-byte: 20
#      total: 120
#    concurrency: 50
#    on-loss: refuse

# How the places where a model can be asked are chosen, where a route says nothing of it.
#routing:
#  strategy: first
#  # Of providers that offer the same model, the lowest number is asked first; those without one come last.
#  priority:
#    anthropic: 1
#    bedrock: 2
#  # What is asked when a model has nobody left. Names may hold *.
#  fallbacks:
#    claude-*: smart
#  # Asked for every name that nobody offers; without it, such a name is refused.
#  default-model: smart
#  hybrid-weights:
#    tokens: 0.3
#    requests: 0.2
#    errors: 0.2
#    latency: 0.1
#    cost: 0.2
#  # Requests of one conversation prefer the place that answered the last: auto is for those that clients name.
#  affinity:
#    enabled: auto
#    seconds: 3600
#  # How many attempts may be repeated at one provider while it fails.
#  retry-budget:
#    share: 20%
#    least: 10
#  # Requests that wait for a free place where concurrency is bounded.
#  queue:
#    length: 1000
#    wait: 10

# Other names, which may hold *: for a route, for another alias, for a model as provider/model, or for a list of these.
#aliases:
#  default: smart
#  gpt-4o: openai/gpt-4o-mini
#  gemini-*: [smart, ours/our-large]

# What you know better of models than the catalogue ("isthmus models NAME" tells what is known, and from whom).
# The name is a model's, or provider/model, and may hold *. Prices are US dollars for a million tokens; several follow
# one another as a list, each but the first with the day from which on it holds, as in: from 2027-01-31.
#models:
#  ours/our-large:
#    input-limit: 131072
#    output-limit: 16384
#    can: [tools, vision]
#    cannot: [audio]
#    price:
#      input: 0.5
#      output: 1.5
#      cache-read: 0.05

# What becomes of a request that its provider's dialect cannot say all of: allow tells what was lost in the answer's
# x-isthmus-losses, refuse answers 400 instead.
#on-loss: allow

# Answers that are kept for exactly the same request to come again.
#cache:
#  enabled: false
#  seconds: 300
#  most-bytes: 256KiB
#  memory: 64MiB
#  shared-by: client

# Bounds on what one request may take. Sizes in KiB, MiB or GiB, times in seconds.
#limits:
#  request-body: 64MiB
#  reply-body: 128MiB
#  attempts: 10
#  ping-every: 15
#  wait: 5
#  drain: 30
#  exchanges: 10000

# What clients of a dialect expect, where they do not agree.
#habits:
#  done-marker: true
#  ollama-streams: true
#  real-model-name: false

# What the gateway writes about its work: json or text; debug, info, warning or error.
#log:
#  format: json
#  level: info
#  file: isthmus.log
#  max-size: 100MiB
#  backups: 5
#  dumps: false
#  bodies:
#    requests: false
#    answers: false

# The numbers that Prometheus collects, for this machine and for whoever has a client key or the management key.
#metrics:
#  enabled: true
#  path: /metrics

# Traces and metrics for a collector of OpenTelemetry, which takes the extra otel.
#otel:
#  enabled: true
#  endpoint: http://127.0.0.1:4318
#  sample: 10%

# A Redis or Valkey server that instances share their memory through. It will hold text of conversations, for a day.
#state:
#  url: ${STATE_URL:-rediss://redis.example.com}
#  prefix: isthmus

# The database of client keys, use, money and the audit log: a file in the folder for data, or PostgreSQL.
# `store: false` keeps nothing.
#store:
#  url: ${STORE_URL:-postgresql://isthmus@postgres.example.com/isthmus}
#  keep-days: 30
#  keep-sums-days: 400
#  keep-audit-days: 400
#  queue: 100000

# Accounts that somebody signs in to ("isthmus accounts"). Their tokens are encrypted with a key that is made at first
# need; ISTHMUS_ACCOUNTS_KEY comes before the file. Under issuers stands who else accounts are signed in to at.
#accounts:
#  key-file: accounts.key
#  keyring: false
#  issuers:
#    ours-sign-in:
#      client-id: isthmus
#      authorize-url: https://login.example.com/authorize
#      token-url: https://login.example.com/token
#      scopes: [openid, email, offline_access]
#      callback-ports: [8765]

# The bundled model: auto has it on when no other provider is.
#local:
#  enabled: auto
#  idle-seconds: 600
"""


class CannotRekey(Exception):
    """The file has no place where a management key could be put without changing the rest. Says what to do."""


def write_template(management_key: Secret) -> str:
    """The whole commented file."""
    return TEMPLATE.replace("MANAGEMENT_KEY", management_key.reveal(), 1)


def rekey(text: str, management_key: Secret) -> str:
    """The same text with another management key, every other character as it was. Raises Broken or CannotRekey."""
    root = compose(text)
    if root is not None and (not isinstance(root, yaml.MappingNode) or root.flow_style):
        raise CannotRekey(f"the file is not a block of keys; set {KEY} by hand")
    found = [(key, value) for key, value in root.value if key.value == KEY] if root is not None else []
    changed = _replace(text, *found[0], management_key) if found else _append(text, management_key)
    _prove(changed, management_key)
    return changed


def _replace(text: str, key: Node, value: Node, management_key: Secret) -> str:
    lines = text.splitlines(keepends=True)
    line, start, end = value.start_mark.line, value.start_mark.column, value.end_mark.column
    if not isinstance(value, yaml.ScalarNode) or value.end_mark.line != line or not value.value:
        raise CannotRekey(f"{KEY} on line {key.start_mark.line + 1} is not a text on one line; set it by hand")
    lines[line] = lines[line][:start] + management_key.reveal() + lines[line][end:]
    return "".join(lines)


def _append(text: str, management_key: Secret) -> str:
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{KEY}: {management_key.reveal()}\n"


def _prove(text: str, management_key: Secret) -> None:
    """Read what was written; a document that ends early, say with `...`, would not hold the key."""
    root = compose(text)
    said = [value.value for key, value in root.value if key.value == KEY] if root is not None else []
    if said != [management_key.reveal()]:
        raise CannotRekey(f"{KEY} could not be put into the file; set it by hand")
